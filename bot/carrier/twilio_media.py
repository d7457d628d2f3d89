"""Twilio Media Streams in both directions, without the socket.

Text messages of JSON: `connected`, `start`, then `media` every 20 ms, `dtmf`, `mark`, and `stop`; we send `media`,
`mark`, `clear`. Numbers travel as decimal strings. Events that we do not know are ignored, since Twilio may add some;
what it cannot have sent is a `CarrierError`.
https://www.twilio.com/docs/voice/media-streams/websocket-messages

Media is the hot path: one decoder for all streams undoes JSON, base64 and the strings in one pass, and an outgoing
message is a prefix made once, the base64 and a suffix.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from pybase64 import b64encode_as_string

from bot.errors import CarrierError
from bot.events import AudioReceived, DigitPressed, Event, MarkReturned, StreamStarted, StreamStopped
from media.frame import PCMU_8K

MAX_MESSAGE_CHARS = 65_536  # six seconds of audio; Twilio sends 20 ms
_DAY_MS = 86_400_000  # no Twilio call lasts longer
_WINDOW = 60  # how many chunks back a late one is still told from a repeated one
_ALL_SEEN = (1 << _WINDOW) - 1

_Ms = Annotated[int, msgspec.Meta(ge=0, le=_DAY_MS)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class _MediaFormat(msgspec.Struct, rename="camel"):
    encoding: str
    sample_rate: int
    channels: int


class _StartBody(msgspec.Struct, rename="camel"):
    call_sid: str
    media_format: _MediaFormat
    custom_parameters: dict[str, str] = {}


class _MediaBody(msgspec.Struct):
    payload: bytes  # base64 on the wire, undone by the decoder
    timestamp: _Ms  # from the stream's start
    chunk: _Count = 0  # counts one track's messages from 1
    track: str = "inbound"


class _DtmfBody(msgspec.Struct):
    digit: Annotated[str, msgspec.Meta(pattern="^[0-9A-D*#]$")]


class _MarkBody(msgspec.Struct):
    name: str


class _Connected(msgspec.Struct, tag_field="event", tag="connected"):
    pass


class _Start(msgspec.Struct, tag_field="event", tag="start", rename="camel"):
    stream_sid: str
    start: _StartBody


class _Media(msgspec.Struct, tag_field="event", tag="media"):
    media: _MediaBody


class _Dtmf(msgspec.Struct, tag_field="event", tag="dtmf"):
    dtmf: _DtmfBody


class _Mark(msgspec.Struct, tag_field="event", tag="mark"):
    mark: _MarkBody


class _Stop(msgspec.Struct, tag_field="event", tag="stop"):
    pass


class _Envelope(msgspec.Struct):
    event: str


_KNOWN = frozenset({"connected", "start", "media", "dtmf", "mark", "stop"})
_decoder = msgspec.json.Decoder(_Connected | _Start | _Media | _Dtmf | _Mark | _Stop, strict=False)
_envelope_decoder = msgspec.json.Decoder(_Envelope)


class TwilioMediaStream:
    """One call's stream. It keeps no audio: a frame in is an event out."""

    def __init__(self) -> None:
        self.audio = PCMU_8K
        self.duplicates = 0
        """Media messages dropped since their chunk had come before (or is older than we remember)."""
        self.out_of_order = 0
        """Media messages that came after a later one; they are passed on with their own time."""
        self._sid_json = ""
        self._media_head = ""
        self._last_chunk = 0
        self._seen = 0  # bit n: chunk _last_chunk - n has come

    def receive(self, message: str | bytes) -> Sequence[Event]:
        """What one message means; `CarrierError` if Twilio cannot have sent it."""
        decoded = self._decode(message)
        if type(decoded) is _Media:
            return self._media_received(decoded.media)
        match decoded:
            case _Start(sid, body):
                return [self._started(sid, body)]
            case _Mark(mark):
                self._require_start("mark")
                return [MarkReturned(mark.name)]
            case _Dtmf(dtmf):
                self._require_start("dtmf")
                return [DigitPressed(dtmf.digit)]
            case _Stop():
                return [StreamStopped()]
            case _:
                return []

    def media(self, payload: bytes) -> str:
        """Audio to be played after what was sent before: mu-law, any length, best 20 ms or more."""
        self._require_ours()
        return f'{self._media_head}{b64encode_as_string(payload)}"}}}}'

    def mark(self, name: str) -> str:
        """Ask to be told when everything sent so far was heard; the name comes back."""
        self._require_ours()
        return f'{{"event":"mark","streamSid":{self._sid_json},"mark":{{"name":{_json(name)}}}}}'

    def clear(self) -> str:
        """Throw away what was not yet played; every pending mark comes back at once."""
        self._require_ours()
        return f'{{"event":"clear","streamSid":{self._sid_json}}}'

    def _decode(self, message: str | bytes) -> object:
        if not isinstance(message, str):
            raise CarrierError("a binary message on a Twilio media stream, which speaks text only")
        if len(message) > MAX_MESSAGE_CHARS:
            raise CarrierError(f"a media stream message of {len(message)} characters, more than {MAX_MESSAGE_CHARS}")
        try:
            return _decoder.decode(message)
        except (msgspec.DecodeError, UnicodeEncodeError) as exc:
            if _is_unknown_event(message):
                return None
            raise CarrierError(f"not a Twilio media stream message: {exc}") from exc

    def _media_received(self, media: _MediaBody) -> Sequence[Event]:
        if not self._sid_json:
            self._require_start("media")
        if media.track != "inbound" or not media.payload:
            return []
        if media.chunk and self._is_repeated(media.chunk):
            self.duplicates += 1
            return []
        return [AudioReceived(media.payload, media.timestamp)]

    def _is_repeated(self, chunk: int) -> bool:
        ahead = chunk - self._last_chunk
        if ahead == 1:
            self._seen = (self._seen << 1 | 1) & _ALL_SEEN
            self._last_chunk = chunk
            return False
        if ahead > 0:
            self._seen = (self._seen << min(ahead, _WINDOW) | 1) & _ALL_SEEN
            self._last_chunk = chunk
            return False
        bit = 1 << -ahead
        if -ahead >= _WINDOW or self._seen & bit:
            return True
        self._seen |= bit
        self.out_of_order += 1
        return False

    def _started(self, sid: str, body: _StartBody) -> StreamStarted:
        if self._sid_json:
            raise CarrierError("a second start on one media stream")
        _require_mulaw(body.media_format)
        self._sid_json = _json(sid)
        self._media_head = f'{{"event":"media","streamSid":{self._sid_json},"media":{{"payload":"'
        parameters: Mapping[str, str] = body.custom_parameters
        return StreamStarted(sid, body.call_sid, self.audio, parameters)

    def _require_start(self, event: str) -> None:
        if not self._sid_json:
            raise CarrierError(f"{event} before start on a media stream")

    def _require_ours(self) -> None:
        if not self._sid_json:
            raise RuntimeError("nothing can be sent on a media stream before its start message names it")


def _require_mulaw(given: _MediaFormat) -> None:
    if (given.encoding, given.sample_rate, given.channels) != ("audio/x-mulaw", 8000, 1):
        raise CarrierError(
            f"media format {given.encoding} {given.sample_rate} Hz with {given.channels} channel(s);"
            " only audio/x-mulaw 8000 Hz with 1 channel is spoken here"
        )


def _is_unknown_event(message: str) -> bool:
    try:
        return _envelope_decoder.decode(message).event not in _KNOWN
    except (msgspec.DecodeError, UnicodeEncodeError):
        return False


def _json(text: str) -> str:
    return msgspec.json.encode(text).decode()
