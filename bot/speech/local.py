"""The local links of a chain: Whisper listens, Piper speaks; no account, no network, no download.

Both load once (`start`) and serve all calls from a bounded pool of threads; nothing here blocks the event loop. The
heavy packages are only imported by `start`, so that this module costs nothing where another voice is configured.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import numpy as np

from bot.errors import VoiceError
from bot.local import models
from bot.local.pool import Pool, Urgency
from bot.speech.links import Transcript

if TYPE_CHECKING:
    from bot.local.piper import Piper
    from bot.local.whisper import Samples, Whisper


class LocalTranscriber:
    """Whisper by name (`whisper-tiny.en`) or from a folder with a CTranslate2 model."""

    def __init__(self, model: str = "whisper-tiny.en", *, language: str = "en", pool: Pool | None = None) -> None:
        self.name = f"local:{model}"
        self._model, self._language = model, language
        self._pool, self._owns_pool = pool or Pool(), pool is None
        self._whisper: Whisper | None = None

    async def start(self) -> None:
        self._whisper = await self._pool.run(self._load)

    async def close(self) -> None:
        if self._owns_pool:
            self._pool.close()

    async def transcribe(self, pcm: bytes, *, speculative: bool = False) -> Transcript:
        whisper = self._whisper
        if whisper is None:
            raise VoiceError("the local transcriber was not started")
        urgency = Urgency.GUESS if speculative else Urgency.CALLER_WAITS
        return await self._pool.run(lambda: whisper.transcribe(_doubled(pcm)), urgency)

    def _load(self) -> "Whisper":
        from bot.local.whisper import Whisper

        whisper = Whisper(models.whisper_folder(self._model), language=self._language)
        whisper.transcribe(np.zeros(16000, np.float32))
        return whisper


class LocalSpeaker:
    """A Piper voice by name (`piper-joe`) or by the path of its .onnx file; `rate_hz` holds from the start on."""

    def __init__(self, voice: str = "piper-joe", *, pool: Pool | None = None) -> None:
        self.name = f"local:{voice}"
        self.rate_hz = 22050
        self._voice = voice
        self._pool, self._owns_pool = pool or Pool(), pool is None
        self._piper: Piper | None = None

    async def start(self) -> None:
        self._piper = await self._pool.run(self._load)
        self.rate_hz = self._piper.rate_hz

    async def close(self) -> None:
        if self._owns_pool:
            self._pool.close()

    async def speak(self, text: str) -> AsyncIterator[bytes]:
        piper = self._piper
        if piper is None:
            raise VoiceError("the local speaker was not started")
        yield await self._pool.run(lambda: piper.synthesize(text))

    def _load(self) -> "Piper":
        from bot.local.piper import Piper

        piper = Piper(*models.piper_files(self._voice))
        if not piper.synthesize("Hello."):
            raise VoiceError(f"the speaker {self._voice} makes no sound")
        return piper


def _doubled(pcm: bytes) -> "Samples":
    """8,000 Hz linear audio as 16,000 Hz samples in -1 to 1."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768
    spectrum = np.fft.rfft(samples)
    return (np.fft.irfft(spectrum, 2 * len(samples)) * 2).astype(np.float32)
