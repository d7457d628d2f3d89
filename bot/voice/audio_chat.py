"""A voice of one model that hears an utterance and answers with sound, a request an answer. No I/O.

Our own endpointer says when the caller has finished. The model is asked at once; a transcriber listens beside it, for
the call log and to tell words from a cough. What the model says before the call has decided to answer is kept back, and
thrown away if it was a cough: that costs the request, but waiting would cost every caller the transcriber's time.

A cut answer is called off; if the interruption was none, the model is asked for the rest. Tools make further rounds,
each a reply of its own. Times are seconds, monotonic; the sounds that a server keeps expire by the wall clock.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from bot.events import (
    CallerSaid,
    CancelJob,
    CancelReply,
    Converse,
    Conversed,
    IgnoreWords,
    JobFailed,
    JobResult,
    LinkEvent,
    NoteReply,
    PartConversed,
    ReplyDeclined,
    ReplyEnded,
    ReportTool,
    Respond,
    ResumeReply,
    RunTool,
    SoundMade,
    SpeechEvent,
    SpeechStarted,
    Synthesize,
    Synthesized,
    ToolRan,
    ToolRequested,
    ToVoice,
    Transcribe,
    Transcribed,
    TruncateReply,
    UtteranceEnded,
    VoiceFailed,
    VoiceWarned,
    WorkBegan,
    WorkEnded,
)
from bot.prompts import Prompt
from bot.speech.conversing import Aside, Forgotten, Part
from bot.speech.links import UseTool
from bot.tools.spec import CALL_TOOLS
from bot.voice.answer import Answer, Formats
from bot.voice.base import Effect
from bot.voice.spoken_history import BotLine, CallerLine, SpokenHistory
from bot.voice.tool_uses import ToolUses, arguments_json, ends_reply

MOST_ROUNDS = 8
"""So many answers in a row may use tools; the next one must do without."""

_WRITTEN_WITHIN_S = 4.0
"""An answer waits no longer for the words that it answers: the model has heard them, and the caller is waiting."""

_UNTOLD_PROMPTS = frozenset({Prompt.FILLER.value, Prompt.TONE.value})
_GO_ON = (
    'A noise on the line broke off your last answer behind the words "{}". The caller has said nothing. Say the rest '
    "of that answer now, from exactly there: repeat nothing, and do not mention the noise."
)


@dataclass(slots=True, eq=False)
class _Utterance:
    """One stretch of caller speech on its way to becoming text."""

    job_id: int
    start_ms: int
    end_ms: int
    line: CallerLine
    due_at: float = math.inf  # seconds, monotonic
    said: CallerSaid | None = None


class AudioChatVoice:
    def __init__(self, formats: Formats, *, has_transcriber: bool, epoch_s: float) -> None:
        """`epoch_s` is the wall clock less the monotonic one."""
        self._formats = formats
        self._has_transcriber = has_transcriber
        self._epoch_s = epoch_s
        self._wall_s = 0.0
        self._history = SpokenHistory()
        self._utterances: deque[_Utterance] = deque()  # not understood yet, or behind one that is not
        self._unanswered: list[CallerLine] = []
        self._answer: Answer | None = None  # the one being made
        self._cut: Answer | None = None  # the one that was called off last, until something else is said
        self._tools = ToolUses()
        self._leaving: dict[str, str] = {}  # names of what the call was asked to do; until it reports, we add nothing
        self._round = 0
        self._owes = False  # the result of a tool is still to be told
        self._is_speaking = False  # the caller
        self._count = 0
        self._is_over = False  # there is nobody left to answer

    @property
    def deadline(self) -> float:
        """When an answer is given although the words before it are not written down."""
        awaited = (utterance.due_at for utterance in self._utterances if utterance.said is None)
        return math.inf if self._is_over else min(awaited, default=math.inf)

    def hear(self, payload: bytes, pcm: bytes, at_ms: int) -> Sequence[Effect]:
        return ()  # utterances come whole, from the endpointer

    def on_deadline(self, now: float) -> Sequence[Effect]:
        late = [one for one in self._utterances if one.said is None and now >= one.due_at]
        for utterance in late:
            utterance.said = CallerSaid("", utterance.start_ms, utterance.end_ms, is_unwritten=True)
        warned = [VoiceWarned(f"an utterance was not written down within {_WRITTEN_WITHIN_S:g} s") for _ in late]
        return [*warned, *self._tell_words()]

    def close(self) -> Sequence[Effect]:
        """What the caller said last is still written down; nobody hears an answer."""
        self._is_over = True
        return self._call_off()

    def receive(self, event: SpeechEvent | JobResult | LinkEvent | ToVoice, now: float) -> Sequence[Effect]:
        self._wall_s = now + self._epoch_s
        match event:
            case SpeechStarted():
                return self._on_speech()
            case UtteranceEnded():
                return self._on_utterance(event, now)
            case Transcribed(job_id, transcript):
                return self._on_words(job_id, transcript.text.strip())
            case Respond(reply_id):
                return self._on_respond(reply_id)
            case IgnoreWords():
                return self._on_ignored()
            case CancelReply():
                return self._on_cancelled(event)
            case ResumeReply(cancelled_id, reply_id):
                return self._on_resumed(cancelled_id, reply_id)
            case TruncateReply(reply_id, _, heard_text):
                if (line := self._history.find(reply_id)) is not None:
                    line.heard = heard_text
                return []
            case NoteReply(reply_id, text, _, tag):
                self._note(reply_id, text, tag)
                return []
            case ReportTool():
                return self._on_reported(event)
            case PartConversed(job_id, part):
                return self._on_part(job_id, part)
            case Conversed(job_id):
                return self._on_conversed(job_id)
            case SoundMade(job_id, pcm):
                answer = self._answer
                return [] if answer is None or job_id != answer.synthesis_job else answer.speech(pcm)
            case Synthesized(job_id):
                return self._on_synthesized(job_id)
            case ToolRan(job_id, output):
                return self._on_tool_done(job_id, output)
            case JobFailed():
                return self._on_failed(event)
            case _:
                return []

    # -- the caller ------------------------------------------------------------------------------------------------

    def _on_speech(self) -> list[Effect]:
        """An answer that the call does not know of yet would come too late; those that it knows, it cancels itself."""
        self._is_speaking = True
        return [] if self._answer is None or self._answer.is_begun else self._call_off()

    def _on_utterance(self, ended: UtteranceEnded, now: float) -> list[Effect]:
        self._is_speaking = False
        is_message = "take_message" in self._leaving.values()  # then there is nothing to answer but that it was kept
        due_at = math.inf if is_message else now + _WRITTEN_WITHIN_S
        line = self._history.caller(ended.pcm)
        utterance = _Utterance(self._new_job_id(), ended.start_ms, ended.end_ms, line, due_at)
        self._utterances.append(utterance)
        self._round = 0
        asked = [] if is_message else self._ask_for(Answer(self._formats))
        if self._has_transcriber:
            return [*asked, Transcribe(utterance.job_id, ended.pcm, is_speculative=False)]
        utterance.said = CallerSaid("", ended.start_ms, ended.end_ms, is_unwritten=True)
        return [*asked, *self._tell_words()]

    def _on_words(self, job_id: int, text: str) -> list[Effect]:
        for utterance in self._utterances:
            if utterance.job_id == job_id:
                utterance.line.text = text
                utterance.said = CallerSaid(text, utterance.start_ms, utterance.end_ms)
        return self._tell_words()

    def _tell_words(self) -> list[Effect]:
        """In the order in which they were spoken, whichever was understood first."""
        told: list[Effect] = []
        while self._utterances and (said := self._utterances[0].said) is not None:
            line = self._utterances.popleft().line
            if said.text or said.is_unwritten:
                self._unanswered.append(line)
            else:
                self._history.strike(line)
            told.append(said)
        return told

    def _on_ignored(self) -> list[Effect]:
        self._strike_unanswered()
        is_kept_back = self._answer is not None and not self._answer.reply_id
        dropped = self._call_off() if is_kept_back else []
        return [*dropped, *self._ask_what_is_owed()]

    def _strike_unanswered(self) -> None:
        lines, self._unanswered = self._unanswered, []
        for line in lines:
            self._history.strike(line)

    # -- asking ----------------------------------------------------------------------------------------------------

    def _ask_for(self, answer: Answer) -> list[Effect]:
        """Everything that is known by now is told, so nothing is owed beyond this answer."""
        dropped = self._call_off()
        answer.pays, self._owes = self._owes, False
        self._answer = answer
        return [*dropped, self._request(answer)]

    def _request(self, answer: Answer) -> Converse:
        answer.request_job = self._new_job_id()
        turns = (*self._history.turns(self._wall_s), *answer.asides)
        return Converse(answer.request_job, turns, may_use_tools=self._round < MOST_ROUNDS)

    def _ask(self, *asides: Aside, reply_id: str = "", is_begun: bool = False) -> list[Effect]:
        """For a reply that the call waits for, or that it learns of when it begins."""
        line = BotLine(reply_id or f"own-{self._new_job_id()}")
        asked = self._ask_for(Answer(self._formats, line=line, is_begun=is_begun, asides=asides))
        self._history.place(line)
        return asked

    def _ask_what_is_owed(self, reply_id: str = "") -> list[Effect]:
        """What tools came to is told when all are done, and after the answer to what the caller said meanwhile."""
        is_due = self._owes and self._is_free and not self._is_speaking and self._answer is None
        return self._ask(reply_id=reply_id) if is_due else []

    def _call_off(self) -> list[Effect]:
        """Whatever is being made is not wanted any more; what it was to tell is still owed."""
        answer, self._answer = self._answer, None
        if answer is None:
            return []
        self._owes = self._owes or (answer.pays and not (answer.is_begun and answer.line.text))
        if not answer.is_begun:
            self._history.remove(answer.line)
        return [CancelJob(job_id) for job_id in answer.jobs]

    def _on_respond(self, reply_id: str) -> list[Effect]:
        self._unanswered = []
        self._cut = None
        answer = self._answer
        if answer is None or answer.reply_id:
            return self._ask(reply_id=reply_id, is_begun=True)
        pieces = answer.claim(reply_id)
        self._history.place(answer.line)
        if answer.failure is not None:
            self._answer = None
            return [answer.failure]
        return [*pieces, *self._go_on(answer)]

    # -- answers as they come --------------------------------------------------------------------------------------

    def _on_part(self, job_id: int, part: Part) -> list[Effect]:
        answer = self._answer
        if answer is None or job_id != answer.request_job:
            return []
        if isinstance(part, Forgotten):
            self._history.forget_sounds()
            return [
                VoiceWarned(f"the model is told in words what it said before: {part.message}"),
                self._request(answer),
            ]
        return [*answer.take(part), *self._speak(answer)]

    def _on_conversed(self, job_id: int) -> list[Effect]:
        answer = self._answer
        if answer is None or job_id != answer.request_job:
            return []
        answer.written()
        return self._go_on(answer) if answer.reply_id else []

    def _on_synthesized(self, job_id: int) -> list[Effect]:
        answer = self._answer
        if answer is None or job_id != answer.synthesis_job:
            return []
        answer.synthesis_job = None
        return self._go_on(answer)

    def _go_on(self, answer: Answer) -> list[Effect]:
        spoken = self._speak(answer)
        return [*spoken, *(self._finish(answer) if answer.is_made else [])]

    def _speak(self, answer: Answer) -> list[Effect]:
        """The next sentence of an answer that has no sound of its own."""
        if answer.synthesis_job is not None or not answer.sentences or not answer.reply_id:
            return []
        sentence = answer.sentences.popleft()
        answer.synthesis_job = self._new_job_id()
        return [*answer.begin_sentence(sentence), Synthesize(answer.synthesis_job, sentence)]

    def _finish(self, answer: Answer) -> list[Effect]:
        self._answer = None
        if answer.problem:
            return self._on_nothing(answer)
        warned = [VoiceWarned(answer.warning)] if answer.warning else []
        tail = answer.end()
        work, requests = self._use_tools(answer)
        ended = [ReplyEnded(answer.reply_id)] if answer.is_begun else []
        return [*warned, *tail, *work, *ended, *requests, *self._ask_what_is_owed()]

    def _on_nothing(self, answer: Answer) -> list[Effect]:
        """Who has spoken, then used a tool, and then has nothing to add has answered; else it is a failure."""
        if not (answer.pays and answer.reason == "stop" and self._history.is_answered):
            return [VoiceFailed(answer.problem)]
        return [ReplyEnded(answer.reply_id) if answer.is_begun else ReplyDeclined()]

    def _on_failed(self, failed: JobFailed) -> list[Effect]:
        for utterance in self._utterances:
            if utterance.job_id == failed.job_id:
                utterance.said = CallerSaid("", utterance.start_ms, utterance.end_ms, is_unwritten=True)
                return [VoiceWarned(f"an utterance was not written down: {failed.message}"), *self._tell_words()]
        answer = self._answer
        if answer is None or failed.job_id not in (answer.request_job, answer.synthesis_job):
            return self._on_tool_done(failed.job_id, f"error: {failed.message}")
        answer.forget_job(failed.job_id)
        told = VoiceFailed(failed.message, failed.is_final)
        if not answer.reply_id:
            answer.failure = told
            return []
        return [*self._call_off(), told]

    # -- what the caller heard -------------------------------------------------------------------------------------

    def _on_cancelled(self, cut: CancelReply) -> list[Effect]:
        line = self._history.find(cut.reply_id)
        if line is None:
            self._note(cut.reply_id, cut.heard_text, cut.tag)
            return []
        line.heard = cut.heard_text
        answer = self._answer
        if answer is None or answer.reply_id != cut.reply_id:
            return []
        self._cut = answer
        return self._call_off()

    def _on_resumed(self, cancelled_id: str, reply_id: str) -> list[Effect]:
        """What there is of it is played to its end, as a reply of another name; what follows is asked for."""
        cut, self._cut = self._cut, None
        if cut is None or cut.reply_id != cancelled_id or self._answer is not None:  # or something else is told now
            return [ReplyEnded(reply_id)]
        if cut.unspoken:
            return [ReplyEnded(reply_id), *self._say(cut.unspoken)]
        return [ReplyEnded(reply_id), *(self._ask(Aside(_GO_ON.format(cut.sounded))) if cut.sounded else [])]

    def _say(self, sentences: Sequence[str]) -> list[Effect]:
        line = BotLine(f"own-{self._new_job_id()}", " ".join(sentences))
        self._history.place(line)
        self._answer = Answer(self._formats, line=line, sentences=deque(sentences), reason="stop")
        return self._speak(self._answer)

    def _note(self, reply_id: str, text: str, tag: str) -> None:
        line = self._history.find(reply_id)
        if line is None:
            if tag not in _UNTOLD_PROMPTS:
                self._history.said(reply_id, text)
        elif line.is_whole:
            line.is_heard_whole = True
        else:
            line.heard = text

    # -- tools -----------------------------------------------------------------------------------------------------

    def _use_tools(self, answer: Answer) -> tuple[list[Effect], list[Effect]]:
        """What is done at once, and what the call does when the words before it were heard."""
        begun = {use: tool for tool in answer.tools if (use := self._tools.begin(tool)) is not None}
        if not begun:
            return [], []
        self._round += 1
        self._history.used(answer.line, begun)
        work: list[Effect] = []
        for use, tool in begun.items():
            work += [] if tool.name in CALL_TOOLS else self._run(use, tool)
        self._leaving |= {use: tool.name for use, tool in begun.items() if ends_reply(tool)}
        requests = [(use, tool) for use, tool in begun.items() if tool.name in CALL_TOOLS]
        return work, [ToolRequested(tool.name, tool.arguments, use) for use, tool in requests]

    def _run(self, use: str, tool: UseTool) -> list[Effect]:
        job_id = self._new_job_id()
        self._tools.assign(job_id, use)
        return [WorkBegan(use), RunTool(job_id, tool.name, arguments_json(tool))]

    def _on_tool_done(self, job_id: int, output: str) -> list[Effect]:
        use = self._tools.job_done(job_id)
        if use is None:
            return []
        self._tools.end(use)
        self._history.output(use, output)
        self._owes = True
        return [WorkEnded(use, owes_answer=self._is_free), *self._ask_what_is_owed()]

    def _on_reported(self, report: ReportTool) -> list[Effect]:
        use, _ = self._tools.asked_of_call(report.request_id, report.name)
        self._tools.end(use)
        self._leaving.pop(use, None)
        self._history.output(use, report.result)
        if not report.wants_reply:
            return []
        if not report.request_id:  # the caller spoke the message, and waits for a word about it
            if report.result:  # it says what they said
                self._strike_unanswered()
            self._unanswered = []
            return self._ask(reply_id=report.reply_id, is_begun=True)
        self._owes = True
        return self._ask_what_is_owed(report.reply_id)

    @property
    def _is_free(self) -> bool:
        """Whether every tool that was asked for has come to something."""
        return not self._tools.is_under_way and not self._leaving

    def _new_job_id(self) -> int:
        self._count += 1
        return self._count
