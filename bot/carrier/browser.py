"""The phone in the browser: one of our own pages calls a bot as a carrier would. Without the socket.

Binary messages are the microphone: four bytes with the frame's time (milliseconds since the first sample, unsigned,
little-endian), then 8 kHz mu-law. Everything else is text with one JSON object a message, told apart by `event`:
up `start` (once, before any sound), `mark` (one that was heard), `dtmf`, `stop`; down `media` (`payload`: mu-law in
base64), `mark`, `clear`. `mark` and `clear` mean what they mean on a carrier's stream: a mark comes back when all that
was sent before it was heard, and a clear throws away what was not, its marks coming back at once.

Whoever may call was decided before: a signed-in page gets a ticket for one socket.
"""

from collections.abc import Sequence
from struct import Struct
from typing import Annotated

import msgspec
from pybase64 import b64encode_as_string

from bot.carrier.base import RestRequest, Webhook
from bot.errors import CarrierError
from bot.events import AudioReceived, DigitPressed, Event, MarkReturned, StreamStarted, StreamStopped
from media.frame import PCMU_8K

NAME = "browser"
"""The carrier's name in paths, in the call log and in metrics."""

_STAMP = Struct("<I")
_MAX_FRAME_BYTES = _STAMP.size + 8000  # a second; the page sends 20 ms
_MAX_TEXT_CHARS = 4096


class _Start(msgspec.Struct, tag_field="event", tag="start"):
    call: str


class _Mark(msgspec.Struct, tag_field="event", tag="mark"):
    name: str


class _Dtmf(msgspec.Struct, tag_field="event", tag="dtmf"):
    digit: Annotated[str, msgspec.Meta(pattern="^[0-9A-D*#]$")]


class _Stop(msgspec.Struct, tag_field="event", tag="stop"):
    pass


_decode = msgspec.json.Decoder(_Start | _Mark | _Dtmf | _Stop).decode


class BrowserLine:
    """What a call control and a media socket need of a carrier that nobody pays: the socket is the whole call."""

    name = NAME

    def is_handshake_signed(self, handshake: Webhook) -> bool:
        """Its ticket is signature enough."""
        return True

    def open_stream(self) -> "BrowserStream":
        return BrowserStream()

    def hang_up(self, carrier_call_id: str) -> RestRequest | None:
        """Closing the socket is hanging up."""
        return None

    def transfer(self, carrier_call_id: str, destination: str, caller_id: str, regret: str) -> RestRequest | None:
        """A browser cannot be put through to a telephone."""
        return None

    def is_done(self, status: int, body: str) -> bool:
        """Nothing is asked of anybody."""
        return True


class BrowserStream:
    """One call's stream. It keeps no audio."""

    def __init__(self) -> None:
        self.audio = PCMU_8K
        self._has_started = False

    def receive(self, message: str | bytes) -> Sequence[Event]:
        """What one message means; `CarrierError` if our page cannot have sent it."""
        if isinstance(message, bytes):
            return [self._frame(message)]
        if len(message) > _MAX_TEXT_CHARS:
            raise CarrierError(f"a message of {len(message)} characters, more than {_MAX_TEXT_CHARS}")
        try:
            decoded = _decode(message)
        except (msgspec.DecodeError, UnicodeEncodeError) as exc:
            raise CarrierError(f"not a message of the phone in the browser: {exc}") from exc
        if isinstance(decoded, _Start):
            return [self._started(decoded)]
        self._require_start()
        match decoded:
            case _Mark(name):
                return [MarkReturned(name)]
            case _Dtmf(digit):
                return [DigitPressed(digit)]
            case _:
                return [StreamStopped()]

    def media(self, payload: bytes) -> str:
        """Audio to be played after what was sent before: mu-law, any length."""
        return f'{{"event":"media","payload":"{b64encode_as_string(payload)}"}}'

    def mark(self, name: str) -> str:
        return f'{{"event":"mark","name":{msgspec.json.encode(name).decode()}}}'

    def clear(self) -> str:
        return '{"event":"clear"}'

    def _frame(self, message: bytes) -> AudioReceived:
        self._require_start()
        if not _STAMP.size < len(message) <= _MAX_FRAME_BYTES:
            raise CarrierError(f"a frame of {len(message)} bytes; {_STAMP.size + 1} to {_MAX_FRAME_BYTES} are allowed")
        (at_ms,) = _STAMP.unpack_from(message)
        return AudioReceived(message[_STAMP.size :], at_ms)

    def _started(self, start: _Start) -> StreamStarted:
        if self._has_started:
            raise CarrierError("a second start on one media stream")
        self._has_started = True
        return StreamStarted(start.call, start.call, self.audio, {})

    def _require_start(self) -> None:
        if not self._has_started:
            raise CarrierError("a message before start on a media stream")
