"""The messages of a model of tones on the wire: names that are used once, events as JSON, sound in base64."""

from collections.abc import Callable
from functools import lru_cache
from itertools import count
from typing import Any

import msgspec
from pybase64 import b64encode_as_string

from media.frame import L16_24K, PCMA_8K, PCMU_8K, AudioFormat, Encoding
from media.g711 import encode_alaw, encode_ulaw
from media.level import tone

FORMATS = {"audio/pcm": L16_24K, "audio/pcmu": PCMU_8K, "audio/pcma": PCMA_8K}
_ENCODERS: dict[Encoding, Callable[[bytes], bytes]] = {
    Encoding.L16: bytes,
    Encoding.PCMU: encode_ulaw,
    Encoding.PCMA: encode_alaw,
}

_encode = msgspec.json.Encoder().encode


class Head(msgspec.Struct):
    """What every client event has, and the sound of those that have some."""

    type: str
    event_id: str | None = None
    audio: bytes = b""


read_head = msgspec.json.Decoder(Head).decode


class ToneWire:
    """Writes one session's events."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._ids = count(1)
        self._events = count(1)

    def new_id(self, prefix: str) -> str:
        """Unlike any other of this model's sessions; shorter than the 32 characters that are the limit."""
        return f"{prefix}_{self._number}x{next(self._ids)}"

    def event(self, kind: str, **fields: Any) -> str:
        event_id = f"event_{self._number}x{next(self._events)}"
        return _encode({"type": kind, "event_id": event_id, **fields}).decode()


@lru_cache(maxsize=256)
def tone_pieces(hz: float, ms: int, audio_format: AudioFormat, piece_ms: int) -> tuple[tuple[str, float], ...]:
    """A tone in pieces: each in base64, with its length in milliseconds. The last may be shorter."""
    sound = _ENCODERS[audio_format.encoding](tone(hz, ms, audio_format.rate_hz))
    size = audio_format.payload_bytes(piece_ms)
    pieces = [sound[offset : offset + size] for offset in range(0, len(sound), size)]
    return tuple((b64encode_as_string(piece), audio_format.ms(len(piece))) for piece in pieces)
