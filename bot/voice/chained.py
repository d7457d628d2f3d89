"""A voice of three links: a transcriber listens, a responder thinks, a speaker speaks. No I/O; the links run elsewhere.

How it listens is the ear's affair (`request_ear.py`, `live_ear.py`). A reply is made sentence by sentence: while one
sounds, the next is synthesised. A responder that asks for tools is asked again, within the same reply, once their
results are there. The history holds what the caller heard, not what was made. A reply that was cut is kept for a
moment, with the rest of it that is still being composed, in case the interruption was a cough.
"""

import itertools
import math
from collections.abc import Callable, Sequence

from bot.events import (
    CallerSaid,
    CallerSaying,
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
    ReplyBegun,
    ReplyEnded,
    ReportTool,
    Respond,
    ResumeReply,
    RunTool,
    SentenceBegun,
    SoundMade,
    SpeechEvent,
    Synthesize,
    Synthesized,
    ToolRan,
    ToolRequested,
    ToVoice,
    TruncateReply,
    VoiceFailed,
    WorkBegan,
    WorkEnded,
)
from bot.prompts import Prompt
from bot.speech.links import Say, UseTool
from bot.tools.spec import CALL_TOOLS
from bot.turn import is_backchannel
from bot.voice.base import Effect
from bot.voice.ear import Ear
from bot.voice.history import History
from bot.voice.making import Making
from bot.voice.request_ear import RequestEar
from bot.voice.tool_uses import ToolUses, arguments_json, ends_reply
from bot.voice.unanswered import Words, text_of
from media.resample import Resampler

_MOST_ROUNDS = 8  # a model that uses tools for ever would leave the caller waiting for ever
_NOT_YET = "under way"
_HOLD_S = 3.0  # a cough and the time to understand that it was one; who speaks on for longer means it


class ChainedVoice:
    def __init__(
        self, *, speaker_rate_hz: int, line_rate_hz: int, encode: Callable[[bytes], bytes], ear: Ear | None = None
    ) -> None:
        """`encode` turns 16-bit mono at `line_rate_hz` into the carrier's encoding.

        Without an ear of its own each utterance of the endpointer's is transcribed as a job.
        """
        self._speaker_rate_hz = speaker_rate_hz
        self._line_rate_hz = line_rate_hz
        self._encode = encode
        self._new_job_id = itertools.count(1).__next__
        self._history = History()
        self._ear: Ear = ear or RequestEar(self._new_job_id)
        self._unanswered = self._ear.unanswered
        self._uses = ToolUses()
        self._making: Making | None = None

    # -- what the shell calls ----------------------------------------------------------------------------------------

    @property
    def deadline(self) -> float:
        return min(self._ear.deadline, math.inf if self._making is None else self._making.held_until)

    def start(self, now: float) -> Sequence[Effect]:
        """Make ready what listens, ahead of the call's first frame."""
        return self._ear.start(now)

    def hear(self, payload: bytes, pcm: bytes, at_ms: int) -> Sequence[Effect]:
        return self._ear.hear(payload, pcm, at_ms)

    def on_deadline(self, now: float) -> Sequence[Effect]:
        heard = self._heard(self._ear.on_deadline(now)) if now >= self._ear.deadline else []
        return [*heard, *self._let_go(now)]

    def _let_go(self, now: float) -> Sequence[Effect]:
        """What was cut was no cough's doing: the request for the rest of it is in nobody's interest."""
        making = self._making
        if making is None or now < making.held_until:
            return []
        making.held_until = math.inf
        return making.cancel_composing()

    def close(self) -> Sequence[Effect]:
        return self._ear.close()

    def receive(self, event: SpeechEvent | JobResult | LinkEvent | ToVoice, now: float = 0.0) -> Sequence[Effect]:
        match event:
            case Respond(reply_id):
                return self._on_asked(reply_id)
            case ReportTool():
                return self._on_reported(event)
            case CancelReply():
                return self._on_cancelled(event, now)
            case ResumeReply(cancelled_id, reply_id):
                return self._on_resumed(cancelled_id, reply_id)
            case NoteReply(reply_id, text, _, tag):
                self._remember(reply_id, text, tag)
                return []
            case TruncateReply(reply_id, _, text):
                self._history.correct(reply_id, text)
                return []
            case IgnoreWords():
                self._unanswered.take()
                return []
            case PartComposed(job_id, part):
                return self._on_part(job_id, part)
            case Composed(job_id):
                return self._on_composed(job_id)
            case SoundMade(job_id, pcm):
                return self._on_sound(job_id, pcm)
            case Synthesized(job_id):
                return self._on_synthesized(job_id)
            case ToolRan(job_id, output):
                return self._on_tool_ran(job_id, output)
            case JobFailed():
                return self._on_failed(event, now)
            case _:
                return self._heard(self._ear.receive(event, now))

    def _heard(self, effects: Sequence[Effect]) -> Sequence[Effect]:
        """Words of the caller's that only a question can be: nothing of what they cut short will be wanted."""
        is_meant = any(isinstance(one, CallerSaid | CallerSaying) and _is_meant(one.text) for one in effects)
        making = self._making
        return [*making.cancel_composing(), *effects] if is_meant and making is not None and making.is_held else effects

    # -- answering ---------------------------------------------------------------------------------------------------

    def _on_asked(self, reply_id: str) -> Sequence[Effect]:
        answers = self._unanswered.take()
        self._history.caller_said(text_of(answers))
        return self._begin(reply_id, answers)

    def _begin(self, reply_id: str, answers: Sequence[Words]) -> Sequence[Effect]:
        dropped = self._drop_reply()
        making = self._making = Making(reply_id, answers, self._resampler())
        return [*dropped, *self._go_on(making)]

    def _resampler(self) -> Resampler:
        return Resampler(self._speaker_rate_hz, self._line_rate_hz)

    def _go_on(self, making: Making) -> Sequence[Effect]:
        """Whatever comes next, if it can be done now."""
        if making.is_held or making.compose_job is not None:
            return []
        if self._uses.is_under_way:
            return self._set_apart(making)
        return self._end_if_done(making) if making.is_composed else self._compose(making)

    def _compose(self, making: Making) -> Sequence[Effect]:
        if making.rounds == _MOST_ROUNDS:
            told = f"the model has used tools {_MOST_ROUNDS} times in a row and come to no answer"
            return [*self._drop_reply(), VoiceFailed(told)]
        making.rounds += 1
        making.has_used_tools = False
        making.compose_job = self._new_job_id()
        return [Compose(making.compose_job, self._history.told())]

    def _on_part(self, job_id: int, part: Say | UseTool) -> Sequence[Effect]:
        making = self._making
        if making is None or job_id != making.compose_job:
            return []
        making.has_used_tools = making.has_used_tools or (isinstance(part, UseTool) and not ends_reply(part))
        if isinstance(part, Say):
            making.sentences.append(part)
        if making.is_held:
            making.unplanned.append(part)
            return []
        return [*self._plan(making, part), *self._speak_next(making)]

    def _plan(self, making: Making, part: Say | UseTool) -> Sequence[Effect]:
        """What the history is to know of it at once, and what is done at once."""
        if isinstance(part, Say):
            self._history.plan(making.reply_id, part.text, part.tag)
            return []
        if ends_reply(part):
            making.last_tools.append(part)
            return []
        return self._use(part)

    def _on_composed(self, job_id: int) -> Sequence[Effect]:
        making = self._making
        if making is None or job_id != making.compose_job:
            return []
        making.compose_job = None
        making.is_composed = not making.has_used_tools or bool(making.last_tools)
        return self._go_on(making)

    # -- tools -------------------------------------------------------------------------------------------------------

    def _use(self, tool: UseTool) -> Sequence[Effect]:
        use = self._uses.begin(tool)
        if use is None:
            return []
        if tool.call_id:
            self._history.used(use, tool, _NOT_YET)
        if tool.name in CALL_TOOLS:
            return [ToolRequested(tool.name, tool.arguments, tool.call_id)]
        job_id = self._new_job_id()
        self._uses.assign(job_id, use)
        return [WorkBegan(use), RunTool(job_id, tool.name, arguments_json(tool))]

    def _on_tool_ran(self, job_id: int, output: str) -> Sequence[Effect]:
        use = self._uses.job_done(job_id)
        return [] if use is None else self._on_used(use, output)

    def _on_used(self, use: str, output: str) -> Sequence[Effect]:
        """A result that was waited for. One that comes too late for its reply is there for the next."""
        tool = self._uses.end(use)
        if tool is None:
            return []
        self._history.used(use, tool, output)
        next_steps = [] if self._making is None else self._go_on(self._making)
        is_asked = any(isinstance(step, Compose) for step in next_steps)
        return [*next_steps, WorkEnded(use, owes_answer=is_asked)]

    def _on_reported(self, report: ReportTool) -> Sequence[Effect]:
        """The call has done, or has not done, what it was asked for."""
        if self._uses.is_awaited(report.request_id):
            return self._on_used(report.request_id, report.result)
        use, tool = self._uses.asked_of_call(report.request_id, report.name)
        self._history.used(use, tool, report.result)
        if not report.wants_reply:
            return []
        self._unanswered.take()
        return self._begin(report.reply_id, ())

    # -- speaking ----------------------------------------------------------------------------------------------------

    def _speak_next(self, making: Making) -> Sequence[Effect]:
        if making.synthesis_job is not None or not making.sentences or making.is_held:
            return []
        sentence = making.sentences.popleft()
        making.synthesis_job = self._new_job_id()
        making.has_sentences = True
        return [
            *making.hand_out(SentenceBegun(making.reply_id, sentence.text, sentence.tag)),
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
        return [*self._speak_next(making), *self._go_on(making)]

    def _sound(self, making: Making, pcm: bytes) -> Sequence[Effect]:
        return making.hand_out(ReplyAudio(making.reply_id, self._encode(pcm))) if pcm else []

    def _set_apart(self, making: Making) -> Sequence[Effect]:
        """What was said before a tool stands alone, so that "one moment" can follow it if the tool takes its time."""
        if not making.has_sentences or not making.is_spoken:
            return []
        said_id, making.reply_id = making.reply_id, f"{making.reply_id}+"
        tail = self._end_sound(making, said_id)
        making.resampler = self._resampler()
        making.has_sentences = False
        making.answers = ()
        return [*tail, ReplyBegun(making.reply_id), ReplyEnded(said_id)]

    def _end_if_done(self, making: Making) -> Sequence[Effect]:
        if not making.is_spoken:
            return []
        self._making = None
        tail = self._end_sound(making, making.reply_id)
        tools: list[Effect] = []
        for tool in making.last_tools:
            tools += self._use(tool)
        return [*tail, *tools, ReplyEnded(making.reply_id)]

    def _end_sound(self, making: Making, reply_id: str) -> Sequence[Effect]:
        pcm = making.resampler.flush()
        return [ReplyAudio(reply_id, self._encode(pcm))] if pcm else []

    # -- interruptions -----------------------------------------------------------------------------------------------

    def _on_cancelled(self, cut: CancelReply, now: float) -> Sequence[Effect]:
        self._remember(cut.reply_id, cut.heard_text, cut.tag)
        making = self._making
        if making is None or making.reply_id != cut.reply_id:
            return []
        if cut.heard_text or not making.answers:
            making.hold(now + _HOLD_S)  # a sentence in the works is finished, and so is the request
            return []
        if self._history.take_back():  # nothing of the answer was heard, so the words still wait for one
            self._unanswered.give_back(making.answers)
        return self._drop_reply()

    def _on_resumed(self, cancelled_id: str, reply_id: str) -> Sequence[Effect]:
        making = self._making
        if making is None or making.reply_id != cancelled_id:
            return [ReplyEnded(reply_id)]
        self._history.resume(cancelled_id, reply_id)
        effects: list[Effect] = [*making.take_up(reply_id)]
        unplanned, making.unplanned = making.unplanned, []
        for part in unplanned:
            effects += self._plan(making, part)
        return [*effects, *self._speak_next(making), *self._go_on(making)]

    def _remember(self, reply_id: str, text: str, tag: str) -> None:
        """ "One moment" is no part of the conversation: who answers next must answer to the words before it."""
        if tag != Prompt.FILLER.value:
            self._history.heard(reply_id, text, tag)

    def _drop_reply(self) -> list[Effect]:
        making, self._making = self._making, None
        return [] if making is None else [*making.cancel()]

    def _on_failed(self, failed: JobFailed, now: float) -> Sequence[Effect]:
        if (use := self._uses.job_done(failed.job_id)) is not None:
            return self._on_used(use, f"error: {failed.message}")
        if self._making is None or not self._making.lose(failed.job_id):
            return self._ear.receive(failed, now)
        return [*self._drop_reply(), VoiceFailed(failed.message, failed.is_final)]


def _is_meant(text: str) -> bool:
    return bool(text) and not is_backchannel(text)
