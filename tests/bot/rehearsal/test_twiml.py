import pytest

from bot.carrier.twilio import TwilioCarrier
from bot.rehearsal.server_message import Audio, ClearRequest, Invalid, Mark, read
from bot.rehearsal.twiml import Connect, Dial, Hangup, Pause, Play, Redirect, Reject, Say, TwimlError, parse


def document(inside: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{inside}</Response>'


def test_every_verb_is_read_in_order():
    verbs = parse(
        document(
            '<Say language="en-GB">One <emphasis>moment</emphasis>.</Say><Play>https://a/b.mp3</Play>'
            '<Pause length="2"/><Pause/><Redirect method="get">/next</Redirect><Reject reason="busy"/><Hangup/>'
        )
    )
    assert verbs == [
        Say("One moment.", "en-GB"),
        Play("https://a/b.mp3"),
        Pause(2.0),
        Pause(1.0),
        Redirect("/next", "GET"),
        Reject("busy"),
        Hangup(),
    ]


def test_what_our_carrier_answers_is_followed():
    answer = TwilioCarrier("AC1", ("t",), "https://bot.example.com").answer("/media/t", {"token": "a&b"})
    assert parse(answer.body) == [Connect("wss://bot.example.com/media/t", {"token": "a&b"}), Hangup()]


def test_a_stream_says_whom_to_tell_and_what_comes_after():
    inside = (
        '<Connect action="/after" method="GET"><Stream url="wss://a/b" name="n" statusCallback="/status"/></Connect>'
    )
    assert parse(document(inside)) == [Connect("wss://a/b", {}, "/after", "GET", "/status", "n")]


@pytest.mark.parametrize(
    ("inside", "dial"),
    [
        ("<Dial>+1 (555) 000-3333</Dial>", Dial("+1 (555) 000-3333")),
        (
            '<Dial callerId="+1555" timeout="10" action="/after" method="get"><Number> +15550003333 </Number></Dial>',
            Dial("+15550003333", "+1555", 10.0, "/after", "GET"),
        ),
        (
            "<Dial><Sip>sip:100@pbx.example.com;transport=tcp</Sip></Dial>",
            Dial("sip:100@pbx.example.com;transport=tcp"),
        ),
    ],
)
def test_a_call_can_be_put_through_to_a_number_or_an_address(inside, dial):
    assert parse(document(inside)) == [dial]


def test_the_query_of_a_stream_is_lost_as_it_is_at_twilio():
    [connect] = parse(document('<Connect><Stream url="wss://a/b?token=secret"/></Connect>'))
    assert connect.url == "wss://a/b"


@pytest.mark.parametrize(
    ("inside", "reason"),
    [
        ("<Gather/>", "<Gather> is not emulated"),
        ("<Connect/>", "one <Stream>"),
        ("<Connect><Conversation/></Connect>", "one <Stream>"),
        ("<Connect><Stream/></Connect>", "no url"),
        ('<Connect><Stream url="wss://a" track="both_tracks"/></Connect>', "inbound_track"),
        ('<Connect><Stream url="wss://a"><Parameter value="1"/></Stream></Connect>', "Parameter"),
        (f'<Connect><Stream url="wss://a"><Parameter name="a" value="{"x" * 499}"/></Stream></Connect>', "500"),
        ('<Pause length="soon"/>', "soon"),
        ("<Dial/>", "13224"),
        ("<Dial>sales</Dial>", "13224"),
        ("<Dial><Sip>+15550003333</Sip></Dial>", "13224"),
        ("<Dial><Conference>room</Conference></Dial>", "one number"),
        ("<Dial><Number>+1555</Number><Number>+1556</Number></Dial>", "one number"),
        ('<Dial timeout="x">+15550003333</Dial>', "Dial timeout"),
        ("<Say>", "12100"),
    ],
)
def test_what_cannot_be_followed_is_refused_by_name(inside, reason):
    with pytest.raises(TwimlError, match=reason):
        parse(document(inside))


def test_a_document_of_another_kind_is_refused():
    with pytest.raises(TwimlError, match="12102"):
        parse("<html/>")


@pytest.mark.parametrize(
    ("data", "meaning"),
    [
        ('{"event":"media","streamSid":"MZ1","media":{"payload":"AAE="}}', Audio(b"\x00\x01")),
        ('{"event":"mark","streamSid":"MZ1","mark":{"name":"a"}}', Mark("a")),
        ('{"event":"clear","streamSid":"MZ1"}', ClearRequest()),
    ],
)
def test_what_a_server_may_say_is_understood(data, meaning):
    assert read(data, "MZ1") == meaning


@pytest.mark.parametrize(
    ("data", "number"),
    [
        (b"\x00", "31950"),
        ("{", "31950"),
        ("[]", "31924"),
        ('{"event":"media","streamSid":"MZ1"}', "31924"),
        ('{"event":"media","streamSid":"MZ1","media":{"payload":"!"}}', "31924"),
        ('{"event":"media","media":{"payload":"AAE="}}', "31924"),
        ('{"event":"clear","streamSid":"MZ2"}', "31924"),
        ('{"event":"dtmf","streamSid":"MZ1"}', "31924"),
    ],
)
def test_what_a_server_may_not_say_has_twilios_error_number(data, number):
    answer = read(data, "MZ1")
    assert isinstance(answer, Invalid)
    assert answer.error.startswith(number)
