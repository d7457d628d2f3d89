"""A voice of three links: a transcriber listens, a responder thinks, a speaker speaks. No I/O; the links run elsewhere.

While the caller pauses, their words are transcribed on the guess that they have finished; if they go on, the guess is
dropped. A reply is made sentence by sentence: while one sounds, the next is synthesised. The history holds what the
caller heard, not what was made. A reply that was cut is kept for a moment, with the rest of its sentences, in case the
interruption was a cough.
"""

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bot.events import (
    CallerSaid,
    CancelJob,
    CancelReply,
    Compose,
    Composed,
    IgnoreWords,
    JobFailed,
    JobResult,
    LinkEvent,
    NoteReply,
    PartComposed,
    ReplyAudio,
    ReplyEnded,
    ReportTool,
    Respond,
    ResumeReply,
    SentenceBegun,
    SoundMade,
    SpeechEvent,
    SpeechPaused,
    SpeechResumed,
    Synthesize,
    Synthesized,
    ToolRequested,
    ToVoice,
    Transcribe,
    Transcribed,
    UtteranceEnded,
    VoiceFailed,
)
from bot.speech.links import Role, Said, Say, Transcript, UseTool
from bot.voice.base import Effect
from media.resample import Resampler

_JOINED_BYTES = 25 * 16000
"""Up to 25 s, 16-bit at 8,000 Hz, are transcribed in one piece: Whisper's window is 30 s."""


@dataclass(slots=True)
class _Utterance:
    """One stretch of caller speech on its way to becoming text; a guess until it is final."""

    job_id: int
    start_ms: int
    end_ms: int
    pcm: bytes
    before: Sequence["_Words"] = ()  # unanswered words that its sound was joined to
    is_final: bool = False
    transcript: Transcript | None = None


@dataclass(frozen=True, slots=True)
class _Words:
    """What the caller said and nobody has answered yet, with its sound."""

    text: str
    start_ms: int
    pcm: bytes


@dataclass(slots=True)
class _Making:
    """One reply as it comes into being."""

    reply_id: str
    compose_job: int
    answers: Sequence[_Words]  # what it is an answer to
    resampler: Resampler
    sentences: deque[Say] = field(default_factory=deque)
    tools: list[UseTool] = field(default_factory=list)
    is_composed: bool = False
    synthesis_job: int | None = None
    is_held: bool = False  # cut short: what is still made is kept back
    kept_back: list[SentenceBegun | ReplyAudio] = field(default_factory=list)


class ChainedVoice:
    def __init__(self, *, speaker_rate_hz: int, line_rate_hz: int, encode: Callable[[bytes], bytes]) -> None:
        """`encode` turns 16-bit mono at `line_rate_hz` into the carrier's encoding."""
        self._speaker_rate_hz = speaker_rate_hz
        self._line_rate_hz = line_rate_hz
        self._encode = encode
        self._history: list[Said] = []
        self._unanswered: list[_Words] = []
        self._utterances: list[_Utterance] = []
        self._making: _Making | None = None
        self._job_count = 0
        self.deadline = math.inf

    def hear(self, payload: bytes, pcm: bytes, at_ms: int) -> Sequence[Effect]:
        return ()  # utterances come whole, from the endpointer

    def on_deadline(self, now: float) -> Sequence[Effect]:
        return ()

    def close(self) -> Sequence[Effect]:
        return ()

    def receive(self, event: SpeechEvent | JobResult | LinkEvent | ToVoice, now: float = 0.0) -> Sequence[Effect]:
        match event:
            case SpeechPaused(start_ms, end_ms, pcm):
                return [*self._drop_guess(), self._transcribe(start_ms, end_ms, pcm, is_final=False)]
            case SpeechResumed():
                return self._drop_guess()
            case UtteranceEnded(start_ms, end_ms, pcm):
                return self._on_utterance(start_ms, end_ms, pcm)
            case Transcribed(job_id, transcript):
                return self._on_transcribed(job_id, transcript)
            case Respond(reply_id):
                answers, self._unanswered = self._unanswered, []
                self._history.append(Said(Role.CALLER, " ".join(words.text for words in answers)))
                return self._compose(reply_id, answers)
            case ReportTool(reply_id, name, result):
                self._unanswered = []
                self._history.append(Said(Role.TOOL, result, name))
                return self._compose(reply_id, [])
            case CancelReply(reply_id, _, heard_text, _, tag):
                return self._on_cancelled(reply_id, heard_text, tag)
            case ResumeReply(cancelled_id, reply_id):
                return self._on_resumed(cancelled_id, reply_id)
            case NoteReply(_, text, _, tag):
                self._remember(text, tag)
                return []
            case IgnoreWords():
                self._unanswered = []
                return []
            case PartComposed(job_id, part):
                return self._on_part(job_id, part)
            case Composed(job_id):
                return self._on_composed(job_id)
            case SoundMade(job_id, pcm):
                return self._on_sound(job_id, pcm)
            case Synthesized(job_id):
                return self._on_synthesized(job_id)
            case JobFailed(job_id, message):
                return self._on_failed(job_id, message)
            case _:
                return []

    # -- listening -----------------------------------------------------------------------------------------------

    def _transcribe(self, start_ms: int, end_ms: int, pcm: bytes, *, is_final: bool) -> Effect:
        job_id = self._new_job_id()
        # Words cut in two by a pause are understood better in one piece.
        before = () if any(utterance.is_final for utterance in self._utterances) else tuple(self._unanswered)
        sound = b"".join([*(words.pcm for words in before), pcm])
        if len(sound) > _JOINED_BYTES:
            before, sound = (), pcm
        self._utterances.append(_Utterance(job_id, start_ms, end_ms, pcm, before, is_final))
        return Transcribe(job_id, sound, not is_final)

    def _drop_guess(self) -> list[Effect]:
        dropped = [utterance for utterance in self._utterances if not utterance.is_final]
        self._utterances = [utterance for utterance in self._utterances if utterance.is_final]
        return [CancelJob(utterance.job_id) for utterance in dropped]

    def _on_utterance(self, start_ms: int, end_ms: int, pcm: bytes) -> Sequence[Effect]:
        guess = self._utterances[-1] if self._utterances else None
        if guess is None or guess.is_final or guess.pcm != pcm:
            return [*self._drop_guess(), self._transcribe(start_ms, end_ms, pcm, is_final=True)]
        guess.is_final = True
        return self._tell_words()

    def _on_transcribed(self, job_id: int, transcript: Transcript) -> Sequence[Effect]:
        for utterance in self._utterances:
            if utterance.job_id == job_id:
                utterance.transcript = transcript
        return self._tell_words()

    def _tell_words(self) -> list[Effect]:
        """In the order in which they were spoken, whichever was understood first."""
        told: list[Effect] = []
        while self._utterances:
            first = self._utterances[0]
            if not first.is_final or first.transcript is None:
                break
            self._utterances.pop(0)
            told.append(self._understand(first, first.transcript.text.strip()))
        return told

    def _understand(self, utterance: _Utterance, text: str) -> CallerSaid:
        is_joined = bool(utterance.before) and tuple(self._unanswered) == tuple(utterance.before)
        if text and is_joined:
            start_ms = utterance.before[0].start_ms
            sound = b"".join([*(words.pcm for words in utterance.before), utterance.pcm])
            self._unanswered = [_Words(text, start_ms, sound)]
            return CallerSaid(text, start_ms, utterance.end_ms)
        if text:
            self._unanswered.append(_Words(text, utterance.start_ms, utterance.pcm))
        return CallerSaid(text, utterance.start_ms, utterance.end_ms)

    # -- answering -----------------------------------------------------------------------------------------------

    def _compose(self, reply_id: str, answers: Sequence[_Words]) -> Sequence[Effect]:
        dropped = self._drop_reply()
        job_id = self._new_job_id()
        resampler = Resampler(self._speaker_rate_hz, self._line_rate_hz)
        self._making = _Making(reply_id, job_id, answers, resampler)
        return [*dropped, Compose(job_id, tuple(self._history))]

    def _on_part(self, job_id: int, part: Say | UseTool) -> Sequence[Effect]:
        making = self._making
        if making is None or job_id != making.compose_job:
            return []
        if isinstance(part, UseTool):
            making.tools.append(part)
            return []
        making.sentences.append(part)
        return self._speak_next(making)

    def _on_composed(self, job_id: int) -> Sequence[Effect]:
        making = self._making
        if making is None or job_id != making.compose_job:
            return []
        making.is_composed = True
        return self._end_if_done(making)

    # -- speaking ------------------------------------------------------------------------------------------------

    def _speak_next(self, making: _Making) -> Sequence[Effect]:
        if making.synthesis_job is not None or not making.sentences or making.is_held:
            return []
        sentence = making.sentences.popleft()
        making.synthesis_job = self._new_job_id()
        return [
            *self._hand_out(making, SentenceBegun(making.reply_id, sentence.text, sentence.tag)),
            Synthesize(making.synthesis_job, sentence.text),
        ]

    def _on_sound(self, job_id: int, pcm: bytes) -> Sequence[Effect]:
        making = self._making
        if making is None or job_id != making.synthesis_job:
            return []
        return self._sound(making, making.resampler.push(pcm))

    def _on_synthesized(self, job_id: int) -> Sequence[Effect]:
        making = self._making
        if making is None or job_id != making.synthesis_job:
            return []
        making.synthesis_job = None
        return [*self._speak_next(making), *self._end_if_done(making)]

    def _sound(self, making: _Making, pcm: bytes) -> Sequence[Effect]:
        return self._hand_out(making, ReplyAudio(making.reply_id, self._encode(pcm))) if pcm else []

    def _hand_out(self, making: _Making, event: SentenceBegun | ReplyAudio) -> Sequence[Effect]:
        if not making.is_held:
            return [event]
        making.kept_back.append(event)
        return []

    def _end_if_done(self, making: _Making) -> Sequence[Effect]:
        if not making.is_composed or making.synthesis_job is not None or making.sentences or making.is_held:
            return []
        self._making = None
        tail = self._sound(making, making.resampler.flush())
        tools = [ToolRequested(tool.name, tool.arguments) for tool in making.tools]
        return [*tail, *tools, ReplyEnded(making.reply_id)]

    # -- interruptions -------------------------------------------------------------------------------------------

    def _on_cancelled(self, reply_id: str, heard_text: str, tag: str) -> Sequence[Effect]:
        making = self._making
        is_ours = making is not None and making.reply_id == reply_id
        if heard_text:
            self._remember(heard_text, tag)
        elif making is not None and is_ours and making.answers:
            self._take_back(making.answers)
        if making is None or not is_ours:
            return []
        making.is_held = True  # a sentence in the works is finished: it costs little and may yet be wanted
        return [] if making.is_composed else [CancelJob(making.compose_job)]

    def _take_back(self, answers: Sequence[_Words]) -> None:
        """Nothing of the answer was heard, so the words still wait for one."""
        self._unanswered = [*answers, *self._unanswered]
        if self._history and self._history[-1].role is Role.CALLER:
            self._history.pop()

    def _on_resumed(self, cancelled_id: str, reply_id: str) -> Sequence[Effect]:
        making = self._making
        if making is None or making.reply_id != cancelled_id:
            return [ReplyEnded(reply_id)]
        making.reply_id = reply_id
        making.is_held = False
        making.is_composed = True  # whatever was not composed by then was called off
        kept, making.kept_back = making.kept_back, []
        renamed: list[Effect] = [
            SentenceBegun(reply_id, event.text, event.tag)
            if isinstance(event, SentenceBegun)
            else ReplyAudio(reply_id, event.payload)
            for event in kept
        ]
        return [*renamed, *self._speak_next(making), *self._end_if_done(making)]

    def _drop_reply(self) -> list[Effect]:
        making, self._making = self._making, None
        if making is None:
            return []
        jobs = [] if making.is_composed else [making.compose_job]
        jobs += [] if making.synthesis_job is None else [making.synthesis_job]
        return [CancelJob(job_id) for job_id in jobs]

    def _on_failed(self, job_id: int, message: str) -> Sequence[Effect]:
        for utterance in self._utterances:
            if utterance.job_id == job_id:
                self._utterances.remove(utterance)
                return [VoiceFailed(message)] if utterance.is_final else []
        making = self._making
        if making is None or job_id not in (making.compose_job, making.synthesis_job):
            return []
        self._making = None
        return [VoiceFailed(message)]

    def _remember(self, text: str, tag: str) -> None:
        if text:
            self._history.append(Said(Role.BOT, text, tag))

    def _new_job_id(self) -> int:
        self._job_count += 1
        return self._job_count
