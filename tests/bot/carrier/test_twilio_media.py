import json
from base64 import b64decode, b64encode
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.carrier.twilio_media import MAX_MESSAGE_CHARS, TwilioMediaStream
from bot.errors import CarrierError
from bot.events import AudioReceived, DigitPressed, MarkReturned, StreamStarted, StreamStopped
from media.frame import PCMU_8K

SID = "MZ" + "3" * 32
CALL = "CA" + "2" * 32
FRAME = bytes(range(160))


def start(**media_format: object) -> str:
    body = {
        "streamSid": SID,
        "accountSid": "AC" + "1" * 32,
        "callSid": CALL,
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1} | media_format,
        "customParameters": {"token": "one-time-secret"},
    }
    return json.dumps({"event": "start", "sequenceNumber": "1", "streamSid": SID, "start": body})


def media(chunk: int, payload: bytes = FRAME, *, track: str = "inbound", encoded: str = "", **changed: str) -> str:
    encoded = encoded or b64encode(payload).decode()
    body = {"track": track, "chunk": str(chunk), "timestamp": str(abs(chunk) * 20), "payload": encoded}
    return json.dumps({"event": "media", "sequenceNumber": "9", "streamSid": SID, "media": body | changed})


def message(event: str, **bodies: object) -> str:
    return json.dumps({"event": event, "sequenceNumber": "4", "streamSid": SID, **bodies})


@pytest.fixture
def stream() -> TwilioMediaStream:
    stream = TwilioMediaStream()
    stream.receive('{"event":"connected","protocol":"Call","version":"1.0.0"}')
    stream.receive(start())
    return stream


def test_start_says_whose_stream_it_is():
    stream = TwilioMediaStream()
    assert stream.receive('{"event":"connected","protocol":"Call","version":"1.0.0"}') == []
    assert stream.receive(start()) == [StreamStarted(SID, CALL, PCMU_8K, {"token": "one-time-secret"})]


def test_media_digits_marks_and_stop_become_events(stream):
    assert stream.receive(media(7)) == [AudioReceived(FRAME, at_ms=140)]
    assert stream.receive(message("dtmf", dtmf={"track": "inbound_track", "digit": "#"})) == [DigitPressed("#")]
    assert stream.receive(message("mark", mark={"name": "utt-7"})) == [MarkReturned("utt-7")]
    assert stream.receive(message("stop", stop={"accountSid": "AC1", "callSid": CALL})) == [StreamStopped()]


@pytest.mark.parametrize("size", [1, 80, 240, 8000])
def test_a_payload_of_any_length_is_taken(stream, size):
    assert stream.receive(media(1, bytes(size))) == [AudioReceived(bytes(size), at_ms=20)]


def test_an_event_that_twilio_may_add_is_ignored(stream):
    assert stream.receive(message("applause", applause={"loudness": 11})) == []


def test_fields_that_twilio_may_add_are_ignored(stream):
    assert stream.receive(media(1, gain="3", codec="opus")) == [AudioReceived(FRAME, at_ms=20)]


def test_what_we_send_ourselves_does_not_come_back_as_the_caller(stream):
    assert stream.receive(media(1, track="outbound")) == []


def test_a_repeated_chunk_is_dropped_and_counted(stream):
    heard = [event for chunk in (1, 2, 2, 3, 1) for event in stream.receive(media(chunk))]
    assert [event.at_ms for event in heard] == [20, 40, 60]
    assert stream.duplicates == 2


def test_a_chunk_that_comes_late_keeps_its_own_time(stream):
    heard = [event for chunk in (1, 3, 2, 4, 2) for event in stream.receive(media(chunk))]
    assert [event.at_ms for event in heard] == [20, 60, 40, 80]
    assert (stream.out_of_order, stream.duplicates) == (1, 1)


@given(st.lists(st.integers(1, 50), max_size=200))
def test_each_chunk_is_heard_exactly_once(chunks):
    stream = TwilioMediaStream()
    stream.receive(start())
    heard = [event.at_ms // 20 for chunk in chunks for event in stream.receive(media(chunk))]
    assert heard == list(dict.fromkeys(chunks))
    assert stream.duplicates == len(chunks) - len(heard)


def test_a_chunk_older_than_memory_is_dropped(stream):
    stream.receive(media(1000))
    assert stream.receive(media(5)) == []
    assert stream.duplicates == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not a Twilio media stream message"),
        ("{", "not a Twilio media stream message"),
        ("[]", "Expected `object`"),
        ("{}", "event"),
        ('{"event": 7}', "not a Twilio media stream message"),
        ('{"event": "media"}', "media"),
        (media(1, encoded="!!!"), "base64"),
        (media(1, encoded="AAA"), "base64"),
        (media(1, timestamp="-1"), "timestamp"),
        (media(1, timestamp="soon"), "timestamp"),
        (media(1, timestamp="99999999999999999999"), "timestamp"),
        (media(-5), "chunk"),
        (message("dtmf", dtmf={"digit": "12"}), "digit"),
        (message("mark", mark={}), "name"),
        (start(), "second start"),
        (media(1, bytes(MAX_MESSAGE_CHARS)), "characters"),
        (b"\x00\x01", "binary"),
        ('{"event":"\ud800"}', "not a Twilio media stream message"),
    ],
)
def test_what_twilio_cannot_have_sent_is_refused_with_a_reason(stream, text, reason):
    with pytest.raises(CarrierError, match=reason):
        stream.receive(text)


@pytest.mark.parametrize("early", [media(1), message("mark", mark={"name": "a"}), message("dtmf", dtmf={"digit": "1"})])
def test_nothing_may_come_before_start(early):
    with pytest.raises(CarrierError, match="before start"):
        TwilioMediaStream().receive(early)


@pytest.mark.parametrize(
    "other", [{"encoding": "audio/x-l16"}, {"sampleRate": 16000}, {"channels": 2}, {"encoding": "audio/x-alaw"}]
)
def test_another_media_format_fails_loudly(other):
    with pytest.raises(CarrierError, match=r"only audio/x-mulaw 8000 Hz"):
        TwilioMediaStream().receive(start(**other))


@given(st.text() | st.binary())
def test_noise_is_an_error_and_never_a_crash(noise):
    stream = TwilioMediaStream()
    with suppress(CarrierError):
        assert stream.receive(noise) == []


@given(st.binary(max_size=2000))
def test_what_we_send_is_what_twilio_reads(payload):
    stream = TwilioMediaStream()
    stream.receive(start())
    sent = json.loads(stream.media(payload))
    assert b64decode(sent["media"].pop("payload"), validate=True) == payload
    assert sent == {"event": "media", "streamSid": SID, "media": {}}


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_any_name_can_be_a_mark(name):
    stream = TwilioMediaStream()
    stream.receive(start())
    assert json.loads(stream.mark(name)) == {"event": "mark", "streamSid": SID, "mark": {"name": name}}


def test_clear_names_its_stream(stream):
    assert json.loads(stream.clear()) == {"event": "clear", "streamSid": SID}


def test_nothing_can_be_sent_before_the_stream_has_a_name():
    stream = TwilioMediaStream()
    for send in (lambda: stream.media(FRAME), lambda: stream.mark("a"), stream.clear):
        with pytest.raises(RuntimeError, match="start"):
            send()
