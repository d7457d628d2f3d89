"""Who speaks, decided by level alone and at once: the turn detection of a model of tones. Pure.

Times are positions in the input buffer: milliseconds of sound appended since the session began.
"""

from dataclasses import dataclass

import numpy as np

from bot.rehearsal.sound import FRAME_MS, THRESHOLD
from media.frame import AudioFormat, Encoding
from media.g711 import decode_alaw, decode_ulaw


@dataclass(frozen=True, slots=True)
class Started:
    at_ms: int  # where the first loud frame began


@dataclass(frozen=True, slots=True)
class Stopped:
    at_ms: int  # the silence that decided it included


def _is_loud_code(all_codes_as_pcm: bytes) -> bytes:
    return (np.abs(np.frombuffer(all_codes_as_pcm, "<i2").astype(np.int32)) > THRESHOLD).astype(np.uint8).tobytes()


_CODES = bytes(range(256))
_LOUD_CODES = {
    Encoding.PCMU: _is_loud_code(decode_ulaw(_CODES)),
    Encoding.PCMA: _is_loud_code(decode_alaw(_CODES)),
}


def is_loud(payload: bytes, encoding: Encoding) -> bool:
    """Whether any sample is above a quiet line's noise."""
    if encoding is not Encoding.L16:
        return b"\x01" in payload.translate(_LOUD_CODES[encoding])
    samples = np.frombuffer(payload, "<i2")
    return bool(samples.size) and (int(samples.max()) > THRESHOLD or int(samples.min()) < -THRESHOLD)


class ToneEar:
    """Follows one input buffer, frame by frame."""

    def __init__(self) -> None:
        self.heard_ms = 0.0
        self.loud_ms: list[float] = []
        """Where each loud frame began."""
        self._quiet_since_ms: float | None = None  # None: nobody speaks

    @property
    def is_speech(self) -> bool:
        return self._quiet_since_ms is not None

    def hear(self, payload: bytes, audio_format: AudioFormat, silence_ms: float) -> list[Started | Stopped]:
        """What becomes clear with some more sound; `silence_ms` of quiet end a speech."""
        changes: list[Started | Stopped] = []
        frame_bytes = audio_format.payload_bytes(FRAME_MS)
        for offset in range(0, len(payload), frame_bytes):
            frame = payload[offset : offset + frame_bytes]
            changes += self._frame(is_loud(frame, audio_format.encoding), audio_format.ms(len(frame)), silence_ms)
        return changes

    def forget(self) -> None:
        """What was begun is over: the buffer was cleared, or its turn is taken otherwise."""
        self._quiet_since_ms = None

    def _frame(self, is_sound: bool, length_ms: float, silence_ms: float) -> list[Started | Stopped]:
        begins_ms, self.heard_ms = self.heard_ms, self.heard_ms + length_ms
        if is_sound:
            self.loud_ms.append(begins_ms)
            was_speech, self._quiet_since_ms = self.is_speech, self.heard_ms
            return [] if was_speech else [Started(round(begins_ms))]
        if self._quiet_since_ms is None or self.heard_ms - self._quiet_since_ms < silence_ms:
            return []
        self._quiet_since_ms = None
        return [Stopped(round(self.heard_ms))]
