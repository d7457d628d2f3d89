"""The local links of a chain: Whisper listens, Piper speaks; no account, no network, no download.

Each loads once (`start`) and serves all calls from a bounded pool of threads, which both may share; nothing here blocks
the event loop. The heavy packages are imported by `start`, so that this module costs nothing where it is not used.
`close` lets go of the model, which is hundreds of megabytes, whoever still holds the link: aiohttp keeps handlers, and
what they belong to, in a cache that outlives their server.
"""

from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bot.errors import VoiceError
from bot.local import models
from bot.local.pool import Pool, Urgency
from bot.local.spoken import as_spoken, clauses
from bot.speech.links import Transcript
from media.resample import Resampler

if TYPE_CHECKING:
    from bot.local.piper import Piper
    from bot.local.whisper import Whisper

_LINE_HZ = 8000
_WHISPER_HZ = 16000


class LocalTranscriber:
    """Whisper by name (`whisper-tiny.en`), or from a folder with a CTranslate2 model of the operator's own."""

    def __init__(self, model: str = "whisper-tiny.en", *, language: str = "en", pool: Pool | None = None) -> None:
        """Without a `pool` it has one of its own, which `close` ends."""
        self.name = f"local:{model}"
        self.language = language
        self._model = model
        self._pool, self._owns_pool = pool or Pool(), pool is None
        self._whisper: Whisper | None = None

    async def start(self) -> None:
        if self._whisper is None:
            self._whisper = await self._pool.run(partial(_load_whisper, self._model, self.language, self._pool.workers))

    async def close(self) -> None:
        self._whisper = None
        if self._owns_pool:
            self._pool.close()

    async def transcribe(self, pcm: bytes, *, speculative: bool = False, rate_hz: int = _LINE_HZ) -> Transcript:
        """The words of 16-bit mono samples, by themselves at 8,000 Hz."""
        if self._whisper is None:
            raise VoiceError(f"the transcriber {self.name} was not started, or is closed")
        urgency = Urgency.GUESS if speculative else Urgency.CALLER_WAITS
        return await self._pool.run(partial(_transcribe, self._whisper, pcm, rate_hz), urgency)


class LocalSpeaker:
    """A Piper voice by name (`piper-joe`), or by the path of an .onnx file; `rate_hz` is right from `start` on."""

    def __init__(self, voice: str = "piper-joe", *, pool: Pool | None = None) -> None:
        """Without a `pool` it has one of its own, which `close` ends."""
        self.name = f"local:{voice}"
        self.rate_hz = 22050
        self._voice = voice
        self._pool, self._owns_pool = pool or Pool(), pool is None
        self._piper: Piper | None = None

    async def start(self) -> None:
        if self._piper is None:
            self._piper = await self._pool.run(partial(_load_piper, self._voice))
            self.rate_hz = self._piper.rate_hz

    async def close(self) -> None:
        self._piper = None
        if self._owns_pool:
            self._pool.close()

    async def speak(self, text: str, *, speed: float = 1.0) -> AsyncIterator[bytes]:
        """`speed` (1: as the voice was made) is kept between 0.6 and 1.6."""
        if self._piper is None:
            raise VoiceError(f"the speaker {self.name} was not started, or is closed")
        piper, (first, *rest) = self._piper, clauses(as_spoken(text))
        yield await self._pool.run(partial(piper.synthesize, first, is_last=not rest, speed=speed))
        for number, clause in enumerate(rest, start=1):
            is_last = number == len(rest)
            work = partial(piper.synthesize, clause, is_last=is_last, speed=speed)
            yield await self._pool.run(work, Urgency.SOON)


def _load_whisper(model: str, language: str, parallel: int) -> "Whisper":
    from bot.local.whisper import Whisper

    whisper = Whisper(models.whisper_folder(model), language=language, parallel=parallel)
    whisper.transcribe(np.zeros(_WHISPER_HZ, np.float32))  # the first run allocates, and shows whether it works
    return whisper


def _load_piper(voice: str) -> "Piper":
    from bot.local.piper import Piper

    piper = Piper(*models.piper_files(voice))
    if not piper.synthesize("Hello."):
        raise VoiceError(f"the speaker {voice!r} makes no sound")
    return piper


def _transcribe(whisper: "Whisper", pcm: bytes, rate_hz: int) -> Transcript:
    resampler = Resampler(rate_hz, _WHISPER_HZ)
    resampled = resampler.push(pcm) + resampler.flush()
    return whisper.transcribe(np.frombuffer(resampled, "<i2").astype(np.float32) / np.float32(32768))
