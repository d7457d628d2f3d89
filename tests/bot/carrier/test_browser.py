"""The phone in the browser, as its page and the call see its messages."""

import base64
import json
import struct

import pytest

from bot.carrier.browser import BrowserLine, BrowserStream
from bot.errors import CarrierError
from bot.events import AudioReceived, DigitPressed, MarkReturned, StreamStarted, StreamStopped
from media.frame import PCMU_8K

START = '{"event":"start","call":"c1"}'


def frame(at_ms: int, payload: bytes = b"\xff" * 160) -> bytes:
    return struct.pack("<I", at_ms) + payload


@pytest.fixture
def stream() -> BrowserStream:
    opened = BrowserLine().open_stream()
    assert opened.receive(START) == [StreamStarted("c1", "c1", PCMU_8K, {})]
    return opened


def test_a_binary_message_is_a_frame_with_its_time(stream: BrowserStream):
    assert stream.receive(frame(1020, b"\x12\x34")) == [AudioReceived(b"\x12\x34", 1020)]


@pytest.mark.parametrize(
    ("message", "event"),
    [
        ('{"event":"mark","name":"m7"}', MarkReturned("m7")),
        ('{"event":"dtmf","digit":"#"}', DigitPressed("#")),
        ('{"event":"stop"}', StreamStopped()),
    ],
)
def test_text_is_everything_else(stream: BrowserStream, message: str, event: object):
    assert stream.receive(message) == [event]


def test_what_is_sent_is_json_that_a_page_understands(stream: BrowserStream):
    media = json.loads(stream.media(b"\x00\xff"))
    assert (media["event"], base64.b64decode(media["payload"])) == ("media", b"\x00\xff")
    assert json.loads(stream.mark('a "name"')) == {"event": "mark", "name": 'a "name"'}
    assert json.loads(stream.clear()) == {"event": "clear"}


@pytest.mark.parametrize("message", [frame(0), '{"event":"mark","name":"m"}', '{"event":"stop"}'])
def test_nothing_comes_before_the_start(message: str | bytes):
    with pytest.raises(CarrierError, match="before start"):
        BrowserStream().receive(message)


def test_a_stream_starts_once(stream: BrowserStream):
    with pytest.raises(CarrierError, match="second start"):
        stream.receive(START)


@pytest.mark.parametrize(
    "message",
    [b"", b"\0\0\0\0", frame(0, bytes(8001)), "", "[]", '{"event":"dtmf","digit":"12"}', '{"event":"?"}', "x" * 5000],
)
def test_what_no_page_sends_is_refused_and_says_why(stream: BrowserStream, message: str | bytes):
    with pytest.raises(CarrierError, match=r"\w{3}"):
        stream.receive(message)


def test_the_socket_is_the_whole_call():
    line = BrowserLine()
    assert line.hang_up("c1") is None
    assert line.transfer("c1", "+15550003333", "", "") is None
