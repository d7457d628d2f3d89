"""Speech to speech: one OpenAI Realtime session as the voice of a call. No I/O: messages in, messages and facts out.

The model hears the caller's line, decides when they have finished (unless we do) and answers with audio, faster than it
can be played. So "done" means generated, never heard: what was heard comes from the call, and the model is told where
its words were cut. Each audio item of a response is a reply of its own, named by the item. A session that is lost is
rebuilt from what was really said. Times are seconds, monotonic; see docs/architecture.md for one turn in full.
"""

import math
from collections.abc import Callable, Mapping, Sequence

from bot.events import (
    CallerSaid,
    CallerSaying,
    CancelReply,
    FromModel,
    Greet,
    JobFailed,
    JobResult,
    LinkClogged,
    LinkClosed,
    LinkEvent,
    LinkFlows,
    NoteReply,
    RateLimitsTold,
    ReplyAudio,
    ReplyBegun,
    ReplyDeclined,
    ReplyEnded,
    ReplyWords,
    ReportTool,
    RunTool,
    SpeechEvent,
    SpeechStarted,
    TokensUsed,
    ToModel,
    ToolRan,
    ToolRequested,
    ToVoice,
    TruncateReply,
    UtteranceEnded,
    VoiceFailed,
    VoiceWarned,
    WorkBegan,
    WorkEnded,
)
from bot.speech.prices import cost_usd, tokens
from bot.tools.spec import CALL_TOOLS
from bot.voice import realtime_wire as wire
from bot.voice.asking import ASK, Asking
from bot.voice.base import Effect
from bot.voice.conversation import Conversation, Kind, Line
from bot.voice.heard import HeardItems
from bot.voice.model_session import Began, Failed, Lost, ModelSession, SpareReady, Step
from bot.voice.realtime_faults import Severity, describe, severity
from bot.voice.realtime_settings import RealtimeSettings
from bot.voice.spoken import Spoken, SpokenItems
from bot.voice.tool_calls import ToolCalls, arguments_of
from bot.voice.upstream import Upstream
from media.frame import AudioFormat

_TOLD_PROMPTS = frozenset({"greeting", "idle_prompt", "operator"})
"""What was said in the model's place, and it must know of."""
_OVERLAP_MS = 600
_UNNOTICED_MS = 2000  # so long a model may have been deaf before its socket shows it
_LINK_WORK = "model"


class RealtimeVoice:
    def __init__(self, settings: RealtimeSettings, line: AudioFormat, *, epoch_s: float) -> None:
        """`epoch_s` is the wall clock less the monotonic one: sessions expire by the former."""
        self._settings = settings
        self._session = ModelSession(_LINK_WORK, settings, epoch_s=epoch_s)
        self._upstream = Upstream(line, settings.wire, calm_after_ms=settings.calm_after_ms)
        self._conversation = Conversation()
        self._spoken = SpokenItems(settings.wire, line)
        self._heard = HeardItems()
        self._asking = Asking(settings.stall_s)
        self._greet_id = ""
        self._is_speaking = False  # the caller
        self._deaf_from_ms: int | None = None  # since when no session hears the caller
        self._understood_to_ms = 0  # what the caller said before was heard by some session
        self._tools = ToolCalls()
        self._sounding: set[str] = set()  # items that the caller may still be hearing
        self._count = 0
        self._link = 0  # the number of the current link
        self.deadline = math.inf

    # -- what the shell calls --------------------------------------------------------------------------------------

    def start(self, now: float) -> Sequence[Effect]:
        """Open the session, ahead of the call's first frame. Nothing is asked of it, so nothing is billed."""
        return self._settled(self._taken(self._session.start(now), now))

    def receive(self, event: SpeechEvent | JobResult | LinkEvent | ToVoice, now: float) -> Sequence[Effect]:
        return self._settled(self._on_event(event, now))

    def hear(self, payload: bytes, pcm: bytes, at_ms: int) -> Sequence[Effect]:
        audio = self._upstream.frame(payload, pcm, at_ms)
        return (ToModel(self._link, wire.append(audio)),) if audio else ()

    def on_deadline(self, now: float) -> Sequence[Effect]:
        effects = self._taken(self._session.on_deadline(now), now)
        if now >= self._stalled_at:
            effects += self._on_stalled(now)
        return self._settled([*effects, *self._renew(now)])

    def close(self) -> Sequence[Effect]:
        self._upstream.close()
        return self._settled([*self._session.close()])

    def _settled(self, effects: list[Effect]) -> Sequence[Effect]:
        self.deadline = min(self._session.deadline, self._stalled_at)
        return effects

    @property
    def _stalled_at(self) -> float:
        """When the model must have gone on with what it was asked for."""
        return self._asking.stalled_at if self._session.is_ready and not self._is_speaking else math.inf

    def _on_event(self, event: SpeechEvent | JobResult | LinkEvent | ToVoice, now: float) -> list[Effect]:
        match event:
            case FromModel() | LinkClosed():
                return self._taken(self._session.receive(event, now), now)
            case LinkClogged(number):
                return self._on_clogged() if number == self._link else []
            case LinkFlows(number):
                return self._on_flowing() if number == self._link and self._session.is_ready else []
            case SpeechStarted(start_ms):
                return self._on_local_speech(start_ms)
            case UtteranceEnded(_, end_ms):
                return self._on_local_utterance(end_ms, now)
            case Greet(reply_id, text):
                self._greet_id = reply_id
                return self._ask(now, f"{wire.EXACTLY} {text}")
            case CancelReply():
                return self._on_cancelled(event)
            case TruncateReply(reply_id, heard_ms, heard_text):
                return self._truncate(reply_id, heard_ms, heard_text)
            case NoteReply(reply_id, text, _, tag):
                return [*self._on_heard(reply_id, text, tag), *self._renew(now)]
            case ReportTool(_, _, result, call_id, wants_reply):
                return self._on_tool_done(call_id, result, now, wants_reply=wants_reply)
            case ToolRan(job_id, output):
                return self._on_tool_done(self._tools.finished(job_id), output, now)
            case JobFailed(job_id, message):
                return self._on_tool_done(self._tools.finished(job_id), f"error: {message}", now)
            case _:
                return []

    # -- the session's life ----------------------------------------------------------------------------------------

    def _taken(self, steps: Sequence[Step], now: float) -> list[Effect]:
        """What the session's steps come to, in their order."""
        effects: list[Effect] = []
        for step in steps:
            match step:
                case wire.ServerEvent():
                    handler = _HANDLERS.get(step.type)
                    effects += [] if handler is None else handler(self, step, now)
                case Began(is_seamless):
                    effects += self._begin_session(now, is_seamless=is_seamless)
                case Lost():
                    effects += self._lose_session()
                case Failed():
                    self._asking.settle()
                    self._upstream.close()
                case SpareReady():
                    effects += self._renew(now)
                case _:
                    effects.append(step)
        return effects

    def _begin_session(self, now: float, *, is_seamless: bool) -> list[Effect]:
        """A session is there: tell it what was said so far, and what it has missed.

        One that takes over in a silence hears the last moment again, for a word may just be beginning.
        """
        self._link = self._session.number
        self._asking.done()
        self._upstream.begin_buffer()
        effects: list[Effect] = [self._send(wire.create_item(line)) for line in self._conversation.lines()]
        question = self._heard.question
        is_unheard = question is not None and (self._is_speaking or not question.written)
        if question is not None and is_unheard:
            effects += self._flow(question.start_ms - self._settings.padding_ms)
        elif is_seamless:
            effects += self._flow(self._upstream.newest_ms - _OVERLAP_MS)
        else:
            effects += self._flow(self._deaf_from_ms)
        self._deaf_from_ms = None
        if self._settings.is_turn_local and question is not None and is_unheard and not self._is_speaking:
            effects += [self._send(wire.commit()), *self._ask(now)]
        elif self._asking.wish is not None or (self._asking.is_owed and not is_unheard):
            effects += self._ask(now, self._asking.wish or "")
        if self._is_speaking and not self._settings.is_turn_local:  # the new session will say so itself
            self._is_speaking = False
            self._asking.owe(now)
        self._asking.moved(now)
        return [*effects, WorkEnded(_LINK_WORK, owes_answer=self._asking.is_owed)]

    def _flow(self, from_ms: int | None = None) -> list[Effect]:
        if self._settings.is_turn_local and from_ms is None and not self._is_speaking:
            return []
        audio = self._upstream.open(from_ms)
        return [self._send(wire.append(audio))] if audio else []

    def _on_clogged(self) -> list[Effect]:
        """The model has stopped reading: if it has stopped for good the caller must not talk to nobody for long."""
        self._begin_gap(max(self._upstream.newest_ms - _UNNOTICED_MS, self._understood_to_ms))
        return [WorkBegan(_LINK_WORK)]

    def _begin_gap(self, from_ms: int) -> None:
        """Nobody has heard the caller since then."""
        self._upstream.close()
        if self._deaf_from_ms is None:
            self._deaf_from_ms = from_ms

    def _on_flowing(self) -> list[Effect]:
        self._deaf_from_ms = None
        return [*self._flow(), WorkEnded(_LINK_WORK, owes_answer=self._asking.is_owed)]

    def _lose_session(self) -> list[Effect]:
        """What has arrived of a reply is still played; what was asked for is asked of the next session."""
        effects: list[Effect] = []
        self._asking.lost()
        self._link = 0
        self._begin_gap(self._upstream.newest_ms)
        for item in list(self._spoken.unfinished()):
            self._conversation.say(item.item_id, item.sounded)
            effects += self._end_item(item)
        return effects

    def _on_stalled(self, now: float) -> list[Effect]:
        """Nothing comes although something should: the session is replaced, once."""
        if self._asking.stalled():
            return self._taken(self._session.replace(f"no answer for {self._settings.stall_s:g} s", now), now)
        return self._fail("it does not answer", now)

    def _renew(self, now: float) -> list[Effect]:
        """A session that nears its end is replaced by the one made ready beside it, in a silence."""
        is_asked = self._asking.is_awaited or self._tools.is_under_way
        is_busy = is_asked or self._is_speaking or bool(self._sounding)
        return [] if is_busy else self._taken(self._session.renew(now), now)

    def _fail(self, reason: str, now: float) -> list[Effect]:
        return self._taken(self._session.fail(reason), now)

    def _send(self, message: bytes) -> ToModel:
        return ToModel(self._link, message)

    # -- asking ----------------------------------------------------------------------------------------------------

    def _ask(self, now: float, instructions: str = "") -> list[Effect]:
        """Have the model speak, as soon as it is free to."""
        is_free = self._session.is_ready and not self._is_speaking
        return [self._send(message) for message in self._asking.ask(now, instructions, is_free=is_free)]

    def _ask_again(self, now: float) -> list[Effect]:
        return [] if self._asking.wish is None else self._ask(now, self._asking.wish)

    def _cancel_active(self) -> list[Effect]:
        response_id = self._asking.cancel()
        if response_id is None:
            return []
        if response_id:
            self._spoken.kill(response_id)
        return [self._send(wire.cancel_response(response_id))]

    # -- the caller ------------------------------------------------------------------------------------------------

    def _on_speech_started(self, event: wire.ServerEvent, now: float) -> list[Effect]:
        start_ms = self._upstream.clock.call_ms(event.audio_start_ms) + self._settings.padding_ms
        self._heard.begin(start_ms, event.item_id)
        self._is_speaking = True
        self._asking.settle()
        if self._settings.answers_itself:
            self._asking.wish = None  # the answer to what is said now will know what was to be told
        return [SpeechStarted(start_ms)]

    def _on_speech_stopped(self, event: wire.ServerEvent, now: float) -> list[Effect]:
        heard = self._heard.find(event.item_id)
        if heard is None:
            return []
        self._is_speaking = False
        heard.end_ms = max(heard.start_ms, self._upstream.clock.call_ms(event.audio_end_ms) - self._settings.silence_ms)
        self._asking.owe(now)
        self._understood_to_ms = self._upstream.newest_ms
        return [UtteranceEnded(heard.start_ms, heard.end_ms, b"")]

    def _on_committed(self, event: wire.ServerEvent, now: float) -> list[Effect]:
        self._conversation.place(event.item_id, Kind.CALLER, event.previous_item_id)
        self._heard.name(event.item_id)
        if self._settings.is_turn_local or self._settings.answers_itself:
            return []
        return self._ask(now)

    def _on_local_speech(self, start_ms: int) -> list[Effect]:
        self._is_speaking = True
        self._asking.drop()
        self._heard.begin(start_ms)
        cancelled = self._cancel_active() if self._session.is_ready else []
        return [*cancelled, *self._flow_local(start_ms)]

    def _flow_local(self, start_ms: int) -> list[Effect]:
        return self._flow(start_ms - self._settings.padding_ms) if self._session.is_ready else []

    def _on_local_utterance(self, end_ms: int, now: float) -> list[Effect]:
        self._is_speaking = False
        self._upstream.close()
        question = self._heard.question
        if question is None:
            return []
        question.end_ms = end_ms
        if not self._session.is_ready:
            self._asking.owe(now)
            return []
        self._heard.commit(question)
        return [self._send(wire.commit()), *self._ask(now)]

    def _on_transcription_delta(self, event: wire.ServerEvent, now: float) -> list[Effect]:
        heard = self._heard.find(event.item_id)
        if heard is None:
            return []
        heard.written += event.delta
        return [CallerSaying(heard.written.strip(), heard.start_ms)]

    def _on_transcribed(self, event: wire.ServerEvent, now: float) -> list[Effect]:
        effects: list[Effect] = self._on_usage(event.usage)
        heard = self._heard.forget(event.item_id)
        if heard is None:
            return effects
        heard.written = event.transcript.strip()
        self._conversation.say(event.item_id, heard.written)
        return [*effects, CallerSaid(heard.written, heard.start_ms, heard.end_ms)]

    def _on_transcription_failed(self, event: wire.ServerEvent, now: float) -> list[Effect]:
        self._heard.forget(event.item_id)
        return [VoiceWarned(f"an utterance was not transcribed: {describe(event.error or wire.Fault())}")]

    # -- the model's replies ---------------------------------------------------------------------------------------

    def _on_response_created(self, event: wire.ServerEvent, now: float) -> list[Effect]:
        response = event.response or wire.Response()
        if not self._asking.created(response.id, now):
            self._spoken.kill(response.id)
        return []

    def _on_item_added(self, event: wire.ServerEvent, now: float) -> list[Effect]:
        """The conversation's own word on what follows what."""
        item = event.item or wire.Item()
        if item.type == "message" and item.role in ("user", "assistant"):
            self._conversation.place(item.id, Kind.CALLER if item.role == "user" else Kind.BOT, event.previous_item_id)
        return []

    def _on_words(self, event: wire.ServerEvent, now: float) -> list[Effect]:
        item = self._spoken.wanted(event.item_id, event.response_id, self._link)
        self._asking.moved(now)
        if item is None:
            return []
        item.written += event.delta
        return [ReplyWords(item.item_id, event.delta)] if item.is_begun else []

    def _on_audio(self, event: wire.ServerEvent, now: float) -> list[Effect]:
        item = self._spoken.wanted(event.item_id, event.response_id, self._link)
        self._asking.moved(now)
        if item is None:
            return []
        payload = item.receive(event.sound)
        begun = [] if item.is_begun else self._begin_item(item)
        return [*begun, ReplyAudio(item.item_id, payload)] if payload else begun

    def _begin_item(self, item: Spoken) -> list[Effect]:
        item.is_begun = True
        self._asking.answered()
        self._heard.question = None
        self._sounding.add(item.item_id)
        self._conversation.place(item.item_id, Kind.BOT)
        words = [ReplyWords(item.item_id, item.written)] if item.written else []
        return [ReplyBegun(item.item_id), *words]

    def _on_item_done(self, event: wire.ServerEvent, now: float) -> list[Effect]:
        item = self._spoken.find((event.item or wire.Item()).id)
        self._asking.moved(now)
        return [] if item is None else self._end_item(item)

    def _end_item(self, item: Spoken) -> list[Effect]:
        if item.is_whole or not item.is_begun:
            return []
        item.is_whole = True
        if item.is_dead:
            return []
        tail = item.transcoder.flush()
        return [*([ReplyAudio(item.item_id, tail)] if tail else []), ReplyEnded(item.item_id)]

    def _on_response_done(self, event: wire.ServerEvent, now: float) -> list[Effect]:
        response = event.response or wire.Response()
        self._asking.done()
        self._asking.moved(now)
        effects = self._on_usage(response.usage)
        for item in self._spoken.of(response.id):
            effects += self._end_item(item)
        is_dead = self._spoken.bury(response.id)
        match response.status:
            case "failed":
                return effects + self._on_response_failed(response, now)
            case "cancelled":
                return effects + self._ask_again(now)
            case _:
                calls = [] if is_dead else [item for item in response.output if item.type == "function_call"]
                effects += self._use_tools(calls, now)
                return effects + self._end_of_response(response, calls, now)

    def _end_of_response(self, response: wire.Response, calls: Sequence[wire.Item], now: float) -> list[Effect]:
        if self._asking.wish is not None and not self._tools.is_under_way:
            return self._ask_again(now)
        if not self._asking.is_owed or calls:
            return []
        self._asking.settle()
        if any(item.type == "message" for item in response.output):
            return [VoiceFailed("the model answered in writing, which nobody can hear")]
        return [ReplyDeclined()]

    def _on_response_failed(self, response: wire.Response, now: float) -> list[Effect]:
        fault = (response.status_details and response.status_details.error) or wire.Fault(code="failed")
        if severity(fault) is Severity.FATAL:
            return self._fail(describe(fault), now)
        if not self._asking.failed():
            return [VoiceFailed(describe(fault))]
        return [VoiceWarned(f"a response failed and is asked for again: {describe(fault)}"), *self._ask(now)]

    def _on_error(self, event: wire.ServerEvent, now: float) -> list[Effect]:
        fault = event.error or wire.Fault()
        if fault.code == "conversation_already_has_active_response":
            self._asking.crowded()
            return []
        if severity(fault) is Severity.BENIGN:
            return []
        if fault.event_id == ASK:
            self._asking.done()
        return [VoiceWarned(describe(fault))]

    def _on_usage(self, usage: wire.Usage | None) -> list[Effect]:
        if usage is None or (usage.input_token_details is None and usage.output_token_details is None):
            return []
        counted = tokens(usage)
        return [TokensUsed(self._settings.model, counted, cost_usd(counted, self._settings.price))]

    def _on_rate_limits(self, event: wire.ServerEvent, now: float) -> list[Effect]:
        shares = {limit.name: limit.remaining / limit.limit for limit in event.rate_limits if limit.limit > 0}
        return [RateLimitsTold(self._settings.model, shares)] if shares else []

    # -- what the caller heard -------------------------------------------------------------------------------------

    def _on_cancelled(self, cut: CancelReply) -> list[Effect]:
        if cut.reply_id == self._greet_id:
            self._asking.drop()
            return self._cancel_active()
        item = self._spoken.find(cut.reply_id)
        if item is None:
            return self._tell(cut.heard_text) if cut.tag in _TOLD_PROMPTS and cut.heard_text else []
        item.is_dead = True
        self._sounding.discard(item.item_id)
        self._conversation.say(item.item_id, cut.heard_text)
        unheard = [] if cut.position.generated_ms else self._truncate(cut.reply_id, 0, "")
        return [*self._stop(item.response_id), *unheard]

    def _stop(self, response_id: str) -> list[Effect]:
        """Have a response end, unless the model does so by itself because the caller speaks."""
        if not self._asking.is_active(response_id) or self._spoken.is_killed(response_id):
            return []
        stops_itself = self._is_speaking and not self._settings.is_turn_local and self._settings.is_interruptible
        cancel = self._cancel_active()
        return [] if stops_itself else cancel

    def _truncate(self, reply_id: str, heard_ms: int, heard_text: str) -> list[Effect]:
        item = self._spoken.forget(reply_id)
        if item is None:
            return []
        self._conversation.say(reply_id, heard_text)
        is_heard_whole = item.is_whole and heard_ms >= item.received_ms
        if item.link != self._link or not item.received_ms or is_heard_whole:
            return []
        return [self._send(wire.truncate(reply_id, min(heard_ms, item.received_ms)))]

    def _on_heard(self, reply_id: str, text: str, tag: str) -> list[Effect]:
        if self._spoken.forget(reply_id) is None:
            return self._tell(text) if tag in _TOLD_PROMPTS and text else []
        self._sounding.discard(reply_id)
        self._conversation.say(reply_id, text)
        return []

    def _tell(self, text: str) -> list[Effect]:
        """Something was said in the model's place."""
        line = self._conversation.place(self._new_id("said"), Kind.BOT)
        line.text = text
        return [self._send(wire.create_item(line))] if self._session.is_ready else []

    # -- tools -----------------------------------------------------------------------------------------------------

    def _use_tools(self, calls: Sequence[wire.Item], now: float) -> list[Effect]:
        effects: list[Effect] = []
        for item in self._tools.begin(calls):
            name, call_id, arguments = item.name or "", item.call_id or "", item.arguments or "{}"
            self._conversation.call(item.id, name, call_id, arguments)
            self._asking.settle()
            effects += self._use_tool(name, call_id, arguments, now)
        return effects

    def _use_tool(self, name: str, call_id: str, arguments: str, now: float) -> list[Effect]:
        if name in CALL_TOOLS:
            given = arguments_of(arguments)
            if given is None:
                return self._on_tool_done(call_id, "error: the arguments are no JSON object", now)
            return [ToolRequested(name, given, call_id)]
        self._count += 1
        self._tools.assign(self._count, call_id)
        return [WorkBegan(call_id), RunTool(self._count, name, arguments)]

    def _on_tool_done(self, call_id: str, output: str, now: float, *, wants_reply: bool = True) -> list[Effect]:
        if not self._tools.close(call_id):
            return []
        line = Line(self._new_id("tool"), Kind.TOOL_OUTPUT, output, call_id=call_id)
        self._conversation.output(line.item_id, call_id, output)
        told: list[Effect] = [self._send(wire.create_item(line))] if self._session.is_ready else []
        is_last = wants_reply and not self._tools.is_under_way
        asked = self._ask(now) if is_last else []
        return [*told, *asked, WorkEnded(call_id, owes_answer=is_last)]

    def _new_id(self, kind: str) -> str:
        self._count += 1
        return f"offhook_{kind}_{self._count}"


_Handler = Callable[[RealtimeVoice, wire.ServerEvent, float], list[Effect]]
_HANDLERS: Mapping[str, _Handler] = {
    "input_audio_buffer.speech_started": RealtimeVoice._on_speech_started,
    "input_audio_buffer.speech_stopped": RealtimeVoice._on_speech_stopped,
    "input_audio_buffer.committed": RealtimeVoice._on_committed,
    "conversation.item.added": RealtimeVoice._on_item_added,
    "conversation.item.input_audio_transcription.delta": RealtimeVoice._on_transcription_delta,
    "conversation.item.input_audio_transcription.completed": RealtimeVoice._on_transcribed,
    "conversation.item.input_audio_transcription.failed": RealtimeVoice._on_transcription_failed,
    "response.created": RealtimeVoice._on_response_created,
    "response.output_audio.delta": RealtimeVoice._on_audio,
    "response.output_audio_transcript.delta": RealtimeVoice._on_words,
    "response.output_item.done": RealtimeVoice._on_item_done,
    "response.done": RealtimeVoice._on_response_done,
    "rate_limits.updated": RealtimeVoice._on_rate_limits,
    "error": RealtimeVoice._on_error,
}
