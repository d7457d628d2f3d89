"""The local transcriber for whole recordings: loads once, and listens to many without standing in a call's way."""

from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING

from bot.errors import VoiceError
from bot.local import models
from bot.local.background import Background
from bot.local.pool import Pool, Urgency
from bot.local.transcription import Segment, Wanted
from bot.speech.links import Transcript
from bot.speech.local import LocalTranscriber

if TYPE_CHECKING:
    from bot.local.sound_files import SoundFile
    from bot.local.whisper_files import FileWhisper, Listening

MULTILINGUAL = (
    'chained.transcriber = "local:PATH", the folder of a multilingual Whisper in CTranslate2\'s format, or '
    '"local:whisper-base" for one in the cache of Hugging Face'
)
"""How other languages are configured."""


class FileTranscriber:
    """Whisper by name (`whisper-tiny.en`), or from a folder with a CTranslate2 model of the operator's own."""

    def __init__(
        self, model: str = "whisper-tiny.en", *, pool: Pool, utterances: LocalTranscriber | None = None
    ) -> None:
        """`utterances` is a started transcriber for what is short and wanted in words only: it takes half the time."""
        self.model = model
        self._pool = pool
        self._utterances = utterances
        self._background = Background(pool)
        self._whisper: FileWhisper | None = None

    async def start(self) -> None:
        """Load the model; raises `VoiceError` saying what to install."""
        if self._whisper is None:
            self._whisper = await self._pool.run(partial(_load, self.model, max(1, self._pool.workers - 1)))

    def close(self) -> None:
        """Let go of the model; what is being listened to keeps it until it is done."""
        self._whisper = None

    @property
    def is_multilingual(self) -> bool:
        return self._loaded().is_multilingual

    @property
    def languages(self) -> frozenset[str]:
        """The codes of those it understands."""
        return self._loaded().languages

    async def open(self, content: bytes, name: str) -> "SoundFile":
        """Raises `SoundFileError` for a file that is none."""
        return await self._pool.run(partial(_open, content, name), Urgency.SOON)

    def listen(self, sound: "SoundFile", wanted: Wanted) -> "Listening":
        """What `segments` will go through."""
        return self._loaded().listen(sound, wanted)

    async def segments(self, listening: "Listening") -> AsyncIterator[Segment]:
        """Each as soon as it is heard; raises `SoundFileError`, `VoiceError`."""
        wanted = listening.wanted
        if self._utterances is not None and wanted.words_only and wanted.language == self._utterances.language:
            pcm = await self._pool.run(listening.utterance, Urgency.SOON)  # reading is quick; it need not queue
            if pcm is not None:
                heard = await self._utterances.transcribe(pcm, rate_hz=16_000)
                if heard.text:
                    yield _words_only(heard, listening.duration_s)
                return
        async for segment in self._background.steps(iter(listening)):
            if segment is not None:
                yield segment

    def _loaded(self) -> "FileWhisper":
        if self._whisper is None:
            raise VoiceError(f"the transcriber {self.model} was not started, or is closed")
        return self._whisper


def _words_only(heard: Transcript, duration_s: float) -> Segment:
    return Segment(
        text=f" {heard.text}",
        start_s=0.0,
        end_s=duration_s,
        seek=0,
        token_ids=(),
        temperature=0.0,
        avg_logprob=heard.mean_logprob,
        compression_ratio=0.0,
        no_speech_prob=heard.no_speech,
    )


def _load(model: str, parallel: int) -> "FileWhisper":
    from bot.local.whisper_files import FileWhisper

    return FileWhisper(models.whisper_folder(model), parallel=parallel)


def _open(content: bytes, name: str) -> "SoundFile":
    from bot.local.sound_files import SoundFile

    return SoundFile(content, name)
