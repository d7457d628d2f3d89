"""Answers, callbacks and REST of the Twilio carrier; its signature and its media stream have files of their own."""

from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict
from twilio.twiml.voice_response import Connect, Dial, VoiceResponse

from bot.carrier.base import CallProgress, IncomingCall, RestRequest, Webhook
from bot.carrier.twilio import TwilioCarrier
from bot.errors import CarrierError

SID = "AC" + "1" * 32
CALL = "CA" + "2" * 32
carrier = TwilioCarrier(SID, ("new", "old"), "https://bot.example.com/")


def posted(**fields: str) -> Webhook:
    headers = CIMultiDict({"content-type": "application/x-www-form-urlencoded; charset=UTF-8"})
    return Webhook("POST", "/twilio/voice", headers, urlencode(fields).encode())


def test_a_call_names_its_caller_however_it_is_asked():
    fields = {"CallSid": CALL, "From": "+15550001111", "To": "sip:bot@example.com", "FromCity": ""}
    expected = IncomingCall(CALL, "+15550001111", "sip:bot@example.com")
    assert carrier.incoming(posted(**fields)) == expected
    assert carrier.incoming(Webhook("GET", f"/twilio/voice?{urlencode(fields)}", CIMultiDict(), b"")) == expected


def test_a_post_does_not_take_its_fields_from_the_url():
    headers = CIMultiDict({"Content-Type": "application/x-www-form-urlencoded"})
    with pytest.raises(CarrierError, match="CallSid"):
        carrier.incoming(Webhook("POST", f"/twilio/voice?CallSid={CALL}&From=a&To=b", headers, b""))


@pytest.mark.parametrize("missing", ["CallSid", "From", "To"])
def test_a_call_without_a_name_is_refused(missing):
    fields = {"CallSid": CALL, "From": "a", "To": "b"} | {missing: ""}
    with pytest.raises(CarrierError, match=missing):
        carrier.incoming(posted(**fields))


def twiml(body: str) -> ElementTree.Element:
    return ElementTree.fromstring(body.encode())


def canonical(body: str) -> str:
    return ElementTree.canonicalize(body)


def test_the_answer_is_what_the_official_helper_writes():
    response = VoiceResponse()
    connect = Connect()
    connect.stream(url="wss://bot.example.com/media/twilio").parameter(name="token", value="a&b\"c<d>'")
    response.append(connect)
    response.hangup()
    answer = carrier.answer("/media/twilio", {"token": "a&b\"c<d>'"})
    assert answer.content_type == "text/xml"
    assert canonical(answer.body) == canonical(str(response))


def test_an_unencrypted_service_gets_an_unencrypted_socket():
    local = TwilioCarrier(SID, ("t",), "http://127.0.0.1:8080", stream_status_path="/twilio/stream-status")
    stream = twiml(local.answer("/media", {}).body).find("Connect/Stream")
    assert stream.attrib == {
        "url": "ws://127.0.0.1:8080/media",
        "statusCallback": "http://127.0.0.1:8080/twilio/stream-status",
    }


@given(st.dictionaries(st.text(min_size=1, max_size=50), st.text(max_size=100), max_size=3), st.text(max_size=100))
def test_any_text_makes_a_document_that_parses(parameters, spoken):
    stream = twiml(carrier.answer("/media", parameters).body).find("Connect/Stream")
    assert len(stream) == len(parameters)
    assert twiml(carrier.refuse(spoken, "en").body).find("Say") is not None


def test_a_parameter_that_twilio_would_cut_is_refused():
    with pytest.raises(CarrierError, match="too long"):
        carrier.answer("/media", {"token": "x" * 495})


def test_a_refused_caller_hears_why_and_the_line_closes():
    say, hangup = twiml(carrier.refuse("All lines are busy, sorry.", "en").body)
    assert (say.tag, say.text, say.get("language"), hangup.tag) == (
        "Say",
        "All lines are busy, sorry.",
        "en-US",
        "Hangup",
    )
    assert twiml(carrier.refuse("Tut mir leid.", "de-AT").body)[0].get("language") == "de-AT"


@pytest.mark.parametrize(
    ("status", "is_final"),
    [("queued", False), ("ringing", False), ("in-progress", False)]
    + [(status, True) for status in ("completed", "busy", "failed", "no-answer", "canceled")],
)
def test_progress_tells_final_statuses_apart(status, is_final):
    progress = carrier.progress(posted(CallSid=CALL, CallStatus=status, SequenceNumber="3"))
    assert progress == CallProgress(CALL, status, is_final, 3)


@pytest.mark.parametrize("number", ["", "-1", "x", "\u0663"])
def test_progress_with_a_number_that_is_none_is_refused(number):
    with pytest.raises(CarrierError, match="SequenceNumber"):
        carrier.progress(posted(CallSid=CALL, CallStatus="completed", SequenceNumber=number))


def test_a_call_is_ended_with_the_first_token():
    assert carrier.hang_up(CALL) == RestRequest(
        "POST",
        f"https://api.twilio.com/2010-04-01/Accounts/{SID}/Calls/{CALL}.json",
        (("Status", "completed"),),
        SID,
        "new",
    )


transferring = TwilioCarrier(SID, ("t",), "https://bot.example.com", after_transfer_path="/twilio/transferred")


def test_a_transfer_is_what_the_official_helper_writes():
    request = transferring.transfer(CALL, "+15550003333", "+15550002222", "Nobody is there.")
    response = VoiceResponse()
    dial = Dial(answer_on_bridge=True, caller_id="+15550002222", action="https://bot.example.com/twilio/transferred")
    dial.number("+15550003333")
    response.append(dial)
    response.hangup()
    [(name, document)] = request.form
    assert (request.method, name) == ("POST", "Twiml")
    assert request.url == f"https://api.twilio.com/2010-04-01/Accounts/{SID}/Calls/{CALL}.json"
    assert canonical(document) == canonical(str(response))


def test_a_transfer_can_go_to_a_sip_address():
    request = transferring.transfer(CALL, "sip:100@pbx.example.com?x=1&y=2", "+15550002222", "")
    sip = twiml(request.form[0][1]).find("Dial/Sip")
    assert sip is not None
    assert sip.text == "sip:100@pbx.example.com?x=1&y=2"


@pytest.mark.parametrize("called", ["sip:bot@example.com", "anonymous", "", "client:bot", "+1555 and more"])
def test_a_called_address_that_is_no_number_is_not_shown_to_whom_we_transfer(called):
    dial = twiml(transferring.transfer(CALL, "+15550003333", called, "").form[0][1]).find("Dial")
    assert "callerId" not in dial.attrib


def test_where_nothing_is_asked_after_a_transfer_the_regret_follows_it():
    dial, say, hangup = twiml(carrier.transfer(CALL, "+15550003333", "", "R & D is \x00out.").form[0][1])
    assert "action" not in dial.attrib
    assert (say.text, hangup.tag) == ("R & D is out.", "Hangup")


@pytest.mark.parametrize(
    ("status", "tags"),
    [("completed", ["Hangup"]), ("answered", ["Hangup"])]
    + [(status, ["Say", "Hangup"]) for status in ("busy", "no-answer", "failed", "canceled")],
)
def test_only_those_who_reached_nobody_hear_the_regret(status, tags):
    answer = carrier.after_transfer(posted(CallSid=CALL, DialCallStatus=status), "Niemand ist da.", "de")
    assert [verb.tag for verb in twiml(answer.body)] == tags
    if "Say" in tags:
        assert twiml(answer.body)[0].text == "Niemand ist da."
        assert twiml(answer.body)[0].get("language") == "de-DE"


def test_an_end_of_a_transfer_that_says_nothing_of_it_is_refused():
    with pytest.raises(CarrierError, match="DialCallStatus"):
        carrier.after_transfer(posted(CallSid=CALL), "", "en")


def test_without_credentials_nobody_is_transferred():
    assert TwilioCarrier("", ("t",), "https://bot.example.com").transfer(CALL, "+15550003333", "", "") is None


def test_a_call_id_cannot_lead_the_request_elsewhere():
    assert carrier.hang_up("../../x?y").url.endswith("/Calls/..%2F..%2Fx%3Fy.json")


def test_without_credentials_there_is_no_request():
    assert TwilioCarrier("", ("t",), "https://bot.example.com").hang_up(CALL) is None
    assert TwilioCarrier(SID, (), "https://bot.example.com").hang_up(CALL) is None


@pytest.mark.parametrize(
    ("status", "body", "is_done"),
    [
        (200, '{"status": "completed"}', True),
        (404, '{"code": 20404, "message": "not found", "status": 404}', True),
        (400, '{"code": 21220, "message": "Call is not in-progress. Cannot redirect.", "status": 400}', True),
        (404, "<html>no such page</html>", False),  # a wrong api_base
        (404, "", False),
        (401, '{"code": 20003, "message": "Authenticate", "status": 401}', False),
        (429, '{"code": 20429, "status": 429}', False),
        (503, '{"code": 20404}', False),
        (400, '{"code": "none"}', False),
    ],
)
def test_a_call_that_is_already_over_counts_as_ended(status, body, is_done):
    assert carrier.is_done(status, body) is is_done
