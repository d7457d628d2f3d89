"""One recording of any length through a model that takes uploads: cut, asked part by part, put together again.

Where the model takes a prompt, or voices of known speakers, a part is asked for once the one before it is there, whose
last words it is given to read. Otherwise several are under way at a time. A part that fails for a passing reason is
asked for again; parts that were finished stay so: `run` may be called again after a failure and does the rest only.
"""

import asyncio
import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Protocol

from bot.analysis.asked_for import FileRequest
from bot.analysis.asking import Answer, ask
from bot.analysis.joining import PartText, is_diarized, joined
from bot.analysis.outputs import Transcript
from bot.analysis.prompting import EnglishTokens, prompt_with
from bot.analysis.sound_parts import Cutting, SoundPart, sound_facts, sound_parts
from bot.analysis.speakers import KnownSpeaker, SpeakerMemory
from bot.analysis.turn_parts import of_turns, turn_parts
from bot.errors import BotError, VoiceError
from bot.speech.model_table import PROMPT_TOKENS, Feature, lookup
from bot.speech.openai_client import OpenAIClient
from bot.speech.requests import TranscriptionRequest

PARALLEL: Final = 3
"""Parts under way at a time, where none waits for another."""
PATIENCE_S: Final = (2.0, 8.0)
"""How long a part that failed waits before each further try; the client has tried several times by then."""


class Watcher(Protocol):
    """Whoever wants to see how far it is."""

    def begun(self, seconds: float) -> None:
        """The whole recording's length, 0 where the file does not say."""

    def words(self, text: str) -> None:
        """More of the text, as it comes."""

    def finished(self, part: SoundPart, answer: Answer) -> None: ...

    def trying_again(self, part: SoundPart, error: VoiceError) -> None: ...


@dataclass(frozen=True, slots=True)
class Manner:
    """How a recording is to be gone through."""

    cutting: Cutting = field(default_factory=Cutting)
    carries_words: bool | None = None  # whether a part is given the words before it; None: if the table says it may
    as_json: bool = False  # the body is wanted, not what a server writes as text, srt or vtt
    parallel: int = PARALLEL
    patience_s: tuple[float, ...] = PATIENCE_S


class PartFailedError(VoiceError):
    """A part could not be transcribed; those that were are kept for another try."""

    def __init__(self, part: SoundPart, path: Path, why: VoiceError) -> None:
        place = f"part {part.index + 1} ({_clock(part.start_s)} to {_clock(part.end_s)})"
        super().__init__(f"{place} of {path.name} failed: {why}")
        self.index = part.index
        self.is_fatal = _is_fatal(why)  # another try would fail as well


class FileTranscription:
    def __init__(
        self, client: OpenAIClient, path: Path, request: FileRequest, manner: Manner, watcher: Watcher
    ) -> None:
        """The client must have been started, and the request be one that is allowed."""
        self._client, self._path, self._request, self._manner = client, path, request, manner
        self._watcher = watcher
        self._done: dict[int, tuple[SoundPart, Answer]] = {}
        self._failures: list[BotError] = []
        self._speakers = _speakers(request)
        self._tokens: EnglishTokens | None = None

    async def run(self) -> Transcript:
        """Raises `PartFailedError`, and `VoiceError` or `SoundFileError` for a file that cannot be read."""
        self._failures.clear()
        facts = await asyncio.to_thread(sound_facts, self._path)
        self._watcher.begun(facts.seconds)
        carries = self._carries_words or self._speakers is not None
        slots = asyncio.Semaphore(1 if carries else self._manner.parallel)
        cutting = self._manner.cutting
        parts = turn_parts(self._path, cutting) if cutting.by_turn else sound_parts(self._path, cutting)
        async with asyncio.TaskGroup() as tasks:
            while await slots.acquire() and not self._failures:
                part = await asyncio.to_thread(self._next, parts)
                if part is None:
                    break
                tasks.create_task(self._finish(part, slots))
        if self._failures:
            raise min(self._failures, key=_place)
        return self._whole()

    @property
    def _carries_words(self) -> bool:
        if self._manner.carries_words is not None:
            return self._manner.carries_words
        model = lookup(self._request.model)
        takes_them = model is not None and Feature.PROMPT in model.features
        return takes_them and not self._manner.cutting.by_turn

    def _next(self, parts: Iterator[SoundPart]) -> SoundPart | None:
        try:
            return next(parts, None)
        except BotError as exc:
            self._failures.append(exc)
            return None

    async def _finish(self, part: SoundPart, slots: asyncio.Semaphore) -> None:
        try:
            if part.index not in self._done:
                self._done[part.index] = (replace(part, content=b"", samples=None), await self._asked(part))
            self._watcher.finished(*self._done[part.index])
        except VoiceError as exc:
            self._failures.append(PartFailedError(part, self._path, exc))
        finally:
            slots.release()

    async def _asked(self, part: SoundPart) -> Answer:
        """Asked again and again, as long as there is hope."""
        for patience_s in (*self._manner.patience_s, None):
            try:
                return await self._once(part)
            except VoiceError as exc:
                if patience_s is None or _is_fatal(exc):
                    raise
                self._watcher.trying_again(part, exc)
                await asyncio.sleep(patience_s)
        raise AssertionError("the last try either answers or raises")

    async def _once(self, part: SoundPart) -> Answer:
        request = await self._request_for(part)
        try:
            answer = await ask(self._client, part, request, self._watcher.words)
        except VoiceError as exc:
            if self._speakers is None or not self._speakers.can_do_without or _param(exc) != _VOICES:
                raise
            self._watcher.trying_again(part, VoiceError(f"without known voices, so speakers get new letters: {exc}"))
            self._speakers.refer_no_more()
            answer = await ask(self._client, part, await self._request_for(part), self._watcher.words)
        if self._speakers is None or part.samples is None or not is_diarized(answer.body):
            return answer
        return Answer(self._speakers.learn(part, answer.body))

    async def _request_for(self, part: SoundPart) -> FileRequest:
        request = self._request
        if part.samples is not None or self._manner.as_json:  # several parts cannot be joined as they are written
            request = replace(request, response_format=_JOINABLE.get(request.response_format, request.response_format))
        if isinstance(request, TranscriptionRequest) and self._speakers is not None:
            request = self._speakers.request_for(request)
        if self._carries_words and part.index > 0:
            request = replace(request, prompt=await self._prompt_for(part))
        return request

    async def _prompt_for(self, part: SoundPart) -> str:
        """Whisper reads 224 tokens and no more; the models after it read the operator's prompt whole."""
        if self._tokens is None:
            self._tokens = await asyncio.to_thread(EnglishTokens)
        model, own = lookup(self._request.model), self._request.prompt
        reads_all = model is not None and Feature.TIMESTAMPS not in model.features
        room = PROMPT_TOKENS + (self._tokens.count(own) if reads_all else 0)
        return prompt_with(own, self._done[part.index - 1][1].body["text"], self._tokens, room)

    def _whole(self) -> Transcript:
        done = [self._done[index] for index in sorted(self._done)]
        if self._manner.cutting.by_turn:
            return Transcript(of_turns([(part, answer.body) for part, answer in done]))
        if len(done) == 1:
            (_, answer) = done[0]
            return Transcript(answer.body, answer.written)
        body = joined([PartText(part.start_s, part.end_s, answer.body) for part, answer in done])
        return Transcript(body)


_VOICES = "known_speaker_references"
_JOINABLE = {"text": "json", "srt": "verbose_json", "vtt": "verbose_json"}


def _speakers(request: FileRequest) -> SpeakerMemory | None:
    if not isinstance(request, TranscriptionRequest) or request.response_format != "diarized_json":
        return None
    references = request.speaker_references or [""] * len(request.speaker_names)
    given = zip(request.speaker_names, references, strict=True)
    return SpeakerMemory([KnownSpeaker(name, name, reference) for name, reference in given])


def _place(failure: BotError) -> float:
    """Parts come in their order, the end of what could be read after them."""
    return failure.index if isinstance(failure, PartFailedError) else math.inf


def _clock(seconds: float) -> str:
    minutes, whole = divmod(round(seconds), 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{whole:02d}"


def _is_fatal(error: VoiceError) -> bool:
    return bool(getattr(error, "is_fatal", False))


def _param(error: VoiceError) -> str | None:
    return getattr(error, "param", None)
