"""A text made into sound by a local voice, in any format and at any speed, piece by piece."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from bot.local.passages import passages
from bot.speech.local import LocalSpeaker

if TYPE_CHECKING:
    from bot.local.sound_encoding import SoundEncoder

_SLOWEST, _FASTEST = 0.6, 1.6  # what a Piper voice can do itself; the rest is done to its sound


class SpeechSound:
    """One text being spoken, once; `milliseconds` is how much of it there is so far."""

    def __init__(self, speaker: LocalSpeaker, text: str, kind: str, speed: float = 1.0) -> None:
        """`kind` is one of `sound_encoding.FORMATS`."""
        self._speaker, self._text, self._kind = speaker, text, kind
        self._own_speed = min(max(speed, _SLOWEST), _FASTEST)
        self._tempo = speed / self._own_speed
        self.milliseconds = 0.0

    async def pieces(self) -> AsyncIterator[bytes]:
        """The sound as it is made, never empty pieces; raises `VoiceError`."""
        encoder = await asyncio.to_thread(_encoder, self._kind, self._speaker.rate_hz, self._tempo)
        for passage in passages(self._text):
            async for pcm in self._speaker.speak(passage, speed=self._own_speed):
                self._count(pcm)
                if piece := await asyncio.to_thread(encoder.push, pcm):
                    yield piece
        if piece := await asyncio.to_thread(encoder.finish):
            yield piece

    async def whole(self) -> bytes:
        """All of it as one file; a WAV then says how long it is."""
        pieces = []
        for passage in passages(self._text):
            async for pcm in self._speaker.speak(passage, speed=self._own_speed):
                pieces.append(pcm)
                self._count(pcm)
        return await asyncio.to_thread(_file, self._kind, b"".join(pieces), self._speaker.rate_hz, self._tempo)

    def _count(self, pcm: bytes) -> None:
        self.milliseconds += len(pcm) / 2 / self._speaker.rate_hz * 1000 / self._tempo


def _encoder(kind: str, rate_hz: int, tempo: float) -> "SoundEncoder":
    from bot.local.sound_encoding import SoundEncoder

    return SoundEncoder(kind, rate_hz, tempo=tempo)


def _file(kind: str, pcm: bytes, rate_hz: int, tempo: float) -> bytes:
    from bot.local.sound_encoding import whole

    return whole(kind, pcm, rate_hz, tempo=tempo)
