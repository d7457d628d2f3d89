"""The call's decisions: events in, commands out. No I/O, no clock of its own; times are seconds, monotonic.

Every call has a deadline that depends on nobody else's good behaviour, and ends for exactly one reason: the first one
there was. When the call wants to end it says so to the caller first, and hangs up once those words were *heard*.
"""

import math
from collections.abc import Mapping

from bot.events import (
    AnnounceReply,
    AudioReceived,
    CallerSaid,
    CancelReply,
    ClearPlayout,
    Command,
    DigitPressed,
    EndCall,
    EndReason,
    Event,
    IgnoreWords,
    KeepMessage,
    ListenPatiently,
    MarkReturned,
    NoteReply,
    PlayAudio,
    ReplyAudio,
    ReplyEnded,
    ReportTool,
    Respond,
    ResumeReply,
    SendMark,
    SentenceBegun,
    SpeechStarted,
    StreamStarted,
    StreamStopped,
    ToolRequested,
    UtteranceEnded,
    VoiceFailed,
)
from bot.interruption import Interruption
from bot.policy import CallPolicy
from bot.prompts import PreparedAudio, Prompt
from bot.reply import ReplyText
from bot.turn import TRANSITIONS, Turn
from media.frame import AudioFormat
from media.playout import Playout, Position


class Call:
    """One call, from the first frame to the last word. `next_deadline` says when it wants waking."""

    def __init__(
        self, policy: CallPolicy, audio: AudioFormat, prepared: Mapping[Prompt, PreparedAudio], now: float
    ) -> None:
        self._policy = policy
        self._audio = audio
        self._prepared = prepared
        self._turn = Turn.CALLER
        self.playout = Playout(audio, lead_ms=policy.lead_ms)
        self._replies: dict[str, ReplyText] = {}  # queued or sounding
        self._reply_count = 0
        self._expected: str | None = None  # the reply we wait for, or that is being made
        self._interruption = Interruption()
        self._is_unanswered = False  # words of the caller wait for an answer, whatever comes next
        self._pending_tool: ToolRequested | None = None  # waits until the words before it were heard
        self._is_taking_message = False
        self._is_speaking = False  # the caller
        self._failures = 0
        self._idle_prompts = 0
        self._quiet_since = now
        self._thinking_since = now
        self._is_started = False
        self._must_end_at = now + policy.start_timeout_s
        self._ending: EndReason | None = None
        self.end_reason: EndReason | None = None
        self.interruptions = 0

    @property
    def turn(self) -> Turn:
        return self._turn

    @property
    def is_taking_message(self) -> bool:
        return self._is_taking_message

    def reply_text(self, reply_id: str) -> ReplyText | None:
        """The words of a reply that is queued or sounding."""
        return self._replies.get(reply_id)

    # -- events --------------------------------------------------------------------------------------------------

    def receive(self, event: Event, now: float) -> list[Command]:
        if isinstance(event, AudioReceived):
            return []
        if self.end_reason is not None:
            return self._after_the_end(event)
        before, self._turn = self._turn, TRANSITIONS.get((self._turn, type(event)), self._turn)
        match event:
            case StreamStarted():
                self._is_started = True
                self._must_end_at = now + self._policy.max_call_s
                return self._say(Prompt.GREETING, now)
            case SpeechStarted():
                return self._on_speech_started(before, now)
            case UtteranceEnded():
                self._is_speaking = False
                self._thinking_since = now
                return []
            case CallerSaid(text, start_ms, end_ms):
                return self._on_caller_said(text, start_ms, end_ms, now)
            case SentenceBegun(reply_id, text, tag):
                if reply_id == self._expected:
                    self._reply(reply_id).begin(text, tag)
                return []
            case ReplyAudio(reply_id, payload):
                return self._on_reply_audio(reply_id, payload, now)
            case ReplyEnded(reply_id):
                return self._on_reply_ended(reply_id, now)
            case MarkReturned(name):
                heard = self.playout.mark_returned(name, now)
                return [] if heard is None else self._on_reply_heard(heard, now)
            case ToolRequested():
                self._pending_tool = event
                return [] if self._replies or self._expected is not None else self._use_tool(now)
            case VoiceFailed():
                return self._on_voice_failed(now)
            case DigitPressed("#") if self._is_taking_message:
                return [ListenPatiently(0)]
            case StreamStopped():
                return [*self._cut_short(now), *self._end(EndReason.CALLER_HUNG_UP)]
            case _:
                return []

    def _on_speech_started(self, before: Turn, now: float) -> list[Command]:
        self._is_speaking = True
        self._idle_prompts = 0
        if before is Turn.THINKING:
            self._is_unanswered = self._is_unanswered or self._expected is not None
            return self._drop_expected()
        if before is not Turn.BOT:
            return []
        if self._ending is not None:  # the last words are not up for discussion
            self._turn = Turn.BOT
            return []
        self.interruptions += 1
        # Clear goes first: the caller's ear is waiting, the voice's bookkeeping is not.
        commands = [ClearPlayout(), *self._cut_short(now)]
        if self._was_asked_for_message():  # who speaks before the tone has begun the message
            return [*commands, *self._take_message()]
        self._is_unanswered = self._is_unanswered or self._interruption.was_unheard
        return commands

    def _on_caller_said(self, text: str, start_ms: int, end_ms: int, now: float) -> list[Command]:
        if self._is_taking_message:
            return self._keep_message(text, start_ms, end_ms)
        is_meant = self._interruption.is_meant(text)
        if self._is_speaking or self._turn is Turn.BOT:
            self._is_unanswered = self._is_unanswered or is_meant
            return []  # more is being said; the voice keeps these words and adds what follows
        if not is_meant and not self._is_unanswered:
            return self._resume(now)
        self._interruption = Interruption()
        self._is_unanswered = False
        self._failures = 0
        self._turn = Turn.THINKING
        self._thinking_since = now
        self._expected = self._new_reply_id()
        return [Respond(self._expected)]

    def _on_reply_audio(self, reply_id: str, payload: bytes, now: float) -> list[Command]:
        if reply_id != self._expected or self._turn is not Turn.BOT:
            return []  # it belongs to a reply already cut off
        reply = self._reply(reply_id)
        is_first = not reply.generated_ms
        reply.lengthen(self._audio.ms(len(payload)))
        self.playout.push(reply_id, payload)
        return [*self._play(now), self._announce(reply, now)] if is_first else self._play(now)

    def _on_reply_ended(self, reply_id: str, now: float) -> list[Command]:
        if reply_id != self._expected:
            return []
        self._expected = None
        self.playout.finish(reply_id)
        reply = self._replies.get(reply_id)
        if reply is None or not reply.generated_ms:
            self._replies.pop(reply_id, None)
            return self._use_tool(now) if self._pending_tool else self._listen(now)
        if self._pending_tool is not None and self._pending_tool.name == "take_message":
            return [*self._play(now), *self._use_tool(now)]  # the tone follows the words without a gap
        return self._play(now)

    def _on_reply_heard(self, reply_id: str, now: float) -> list[Command]:
        reply = self._replies.pop(reply_id, None)
        if reply is None:
            return []
        commands: list[Command] = [_note(reply)]
        if self._replies or self._expected is not None:
            return commands
        if self._pending_tool is not None:
            return commands + self._use_tool(now)
        if self._ending is not None:
            return commands + self._end(self._ending)
        if reply.kind == Prompt.TONE.value:
            commands += self._take_message()
        return commands + self._listen(now)

    def _on_voice_failed(self, now: float) -> list[Command]:
        self._failures += 1
        if self._failures > 1:
            return self._say_goodbye(Prompt.APOLOGY, EndReason.VOICE_FAILED, now) if self._ending is None else []
        broken = None if self._expected is None else self._replies.get(self._expected)
        if (
            self._expected is not None and broken is not None and broken.generated_ms
        ):  # it broke off in the middle: what there is of it may still be heard
            self.playout.finish(self._expected)
            self._expected = None
        commands = self._drop_expected()
        return commands if self._is_speaking else commands + self._say(Prompt.PARDON, now)

    # -- deadlines -----------------------------------------------------------------------------------------------

    def next_deadline(self) -> float:
        """When `on_deadline` wants calling if nothing else happens (seconds, monotonic); infinity after the end."""
        if self.end_reason is not None:
            return math.inf
        deadlines = [self._must_end_at]
        if (playout := self.playout.next_deadline()) is not None:
            deadlines.append(playout)
        if self._is_quiet:
            deadlines.append(self._quiet_since + self._patience_s)
        elif self._reply_due_at is not None:
            deadlines.append(self._reply_due_at)
        return min(deadlines)

    def on_deadline(self, now: float) -> list[Command]:
        if self.end_reason is not None:
            return []
        commands = self._play(now)
        while (heard := self.playout.overdue(now)) is not None:
            commands += self._on_reply_heard(heard, now)
        if self.end_reason is not None:
            return commands
        if now >= self._must_end_at:
            return commands + self._on_time_up(now)
        if self._is_quiet and now >= self._quiet_since + self._patience_s:
            return commands + self._on_idle(now)
        if self._reply_due_at is not None and now >= self._reply_due_at:
            return commands + self._on_voice_failed(now)
        return commands

    @property
    def _reply_due_at(self) -> float | None:
        """When the voice must have said something, or gone on with what it began."""
        if self._turn is Turn.THINKING:
            return self._thinking_since + self._policy.reply_timeout_s
        if self._turn is Turn.BOT and self._expected is not None:
            return max(self.playout.ends_at, self._thinking_since) + self._policy.reply_timeout_s
        return None

    @property
    def _is_quiet(self) -> bool:
        """Whether it is the caller's turn and they say nothing."""
        return self._is_started and self._turn is Turn.CALLER and not self._is_speaking

    @property
    def _patience_s(self) -> float:
        return self._policy.message_wait_s if self._is_taking_message else self._policy.idle_prompt_s

    def _on_time_up(self, now: float) -> list[Command]:
        if not self._is_started:
            return self._end(EndReason.CARRIER_ERROR)
        if self._ending is not None:
            return self._end(self._ending)
        return self._say_goodbye(Prompt.TIME_UP, EndReason.MAX_DURATION, now)

    def _on_idle(self, now: float) -> list[Command]:
        if self._is_taking_message:
            return self._keep_message("", 0, 0)
        self._idle_prompts += 1
        if self._idle_prompts > self._policy.idle_prompts:
            return self._say_goodbye(Prompt.IDLE_GOODBYE, EndReason.IDLE, now)
        return self._say(Prompt.IDLE, now)

    # -- what the shell asks for ---------------------------------------------------------------------------------

    def drain(self, now: float) -> list[Command]:
        """The service stops and cannot wait any longer: say so and hang up."""
        if self._ending is not None or self.end_reason is not None:
            return []
        if not self._is_started:
            return self._end(EndReason.DRAINED)
        return self._say_goodbye(Prompt.DRAIN_GOODBYE, EndReason.DRAINED, now)

    def abandon(self, reason: EndReason) -> list[Command]:
        """There is nobody left to talk to, or no way to."""
        return self._end(reason)

    # -- speaking ------------------------------------------------------------------------------------------------

    def _say(self, prompt: Prompt, now: float) -> list[Command]:
        prepared = self._prepared[prompt]
        if not prepared.payload:
            return self._listen(now)
        reply = self._queue(prompt.value, prepared.text, prompt.value, prepared.payload)
        return [*self._play(now), self._announce(reply, now)]

    def _announce(self, reply: ReplyText, now: float) -> Command:
        heard_at = self.playout.heard_at(reply.reply_id)
        return AnnounceReply(reply.reply_id, reply.kind, reply.text, now if heard_at is None else heard_at)

    def _queue(self, kind: str, text: str, tag: str, payload: bytes) -> ReplyText:
        """Give a finished stretch of audio the floor, as a reply of its own."""
        reply_id = self._new_reply_id()
        reply = self._replies[reply_id] = ReplyText(reply_id, kind)
        reply.begin(text, tag)
        reply.lengthen(self._audio.ms(len(payload)))
        self._turn = Turn.BOT
        self.playout.push(reply_id, payload)
        self.playout.finish(reply_id)
        return reply

    def _say_goodbye(self, prompt: Prompt, reason: EndReason, now: float) -> list[Command]:
        """The last words. Whatever sounds or is being made gives way to them."""
        commands: list[Command] = []
        if self.playout.is_sounding(now):
            commands.append(ClearPlayout())
        commands += self._cut_short(now)
        self._interruption = Interruption()
        self._is_taking_message = False
        self._ending = reason
        length_s = self._audio.ms(len(self._prepared[prompt].payload)) / 1000
        self._must_end_at = now + length_s + self._policy.goodbye_grace_s
        return commands + self._say(prompt, now)

    def _play(self, now: float) -> list[Command]:
        commands: list[Command] = []
        for packet in self.playout.due(now):
            if packet.payload:
                commands.append(PlayAudio(packet.payload))
            if packet.mark:
                commands.append(SendMark(packet.mark))
        return commands

    def _cut_short(self, now: float) -> list[Command]:
        """Silence every reply; the voice learns how much of each was heard."""
        cuts = self.playout.clear(now)
        texts = {cut.reply_id: self._replies.pop(cut.reply_id) for cut in cuts if cut.reply_id in self._replies}
        self._interruption = Interruption(cuts, texts, self._expected, self._pending_tool)
        self._pending_tool = None
        # Those that are left were heard whole, only their marks had not come back yet.
        commands: list[Command] = [_note(reply) for reply in self._replies.values() if reply.generated_ms]
        self._replies.clear()
        for cut in cuts:
            if (reply := texts.get(cut.reply_id)) is not None:
                heard_text = reply.heard(cut.position.heard_ms)
                commands.append(CancelReply(cut.reply_id, cut.position, heard_text, reply.text, reply.tag))
        if self._expected in texts:
            self._expected = None
        return commands + self._drop_expected()

    def _drop_expected(self) -> list[Command]:
        expected, self._expected = self._expected, None
        if expected is None:
            return []
        self._replies.pop(expected, None)
        return [CancelReply(expected, Position(0, 0, 0), "")]

    def _resume(self, now: float) -> list[Command]:
        """It was a cough or a murmur: go on from where the ear was."""
        left, self._interruption = self._interruption, Interruption()
        resumed = []
        requests: list[Command] = []
        for rest in left.rests():
            if not rest.unheard:
                continue
            reply = self._queue("resumed", rest.text, rest.tag, rest.unheard)
            resumed.append(reply)
            if rest.reply_id == left.unfinished:
                self.playout.reopen(reply.reply_id)
                self._expected = reply.reply_id
                self._thinking_since = now
                requests.append(ResumeReply(rest.reply_id, reply.reply_id))
        self._pending_tool = left.tool
        if resumed:
            # What is left over plays before the voice is asked for more.
            return [IgnoreWords(), *self._play(now), *(self._announce(reply, now) for reply in resumed), *requests]
        return [IgnoreWords(), *(self._use_tool(now) if self._pending_tool else self._listen(now))]

    def _listen(self, now: float) -> list[Command]:
        self._turn = Turn.CALLER
        self._quiet_since = now
        return []

    # -- tools, messages, the end --------------------------------------------------------------------------------

    def _use_tool(self, now: float) -> list[Command]:
        tool, self._pending_tool = self._pending_tool, None
        match tool:
            case ToolRequested("hang_up"):
                return self._end(EndReason.BOT_HUNG_UP)
            case ToolRequested("take_message"):
                return self._say(Prompt.TONE, now)
            case _:
                return self._listen(now)

    def _was_asked_for_message(self) -> bool:
        tool = self._interruption.tool
        is_tone = any(reply.kind == Prompt.TONE.value for reply in self._interruption.texts.values())
        return is_tone or (tool is not None and tool.name == "take_message")

    def _take_message(self) -> list[Command]:
        self._interruption = Interruption()
        self._is_taking_message = True
        return [ListenPatiently(self._policy.message_hangover_ms)]

    def _keep_message(self, text: str, start_ms: int, end_ms: int) -> list[Command]:
        self._is_taking_message = False
        self._turn = Turn.THINKING
        self._expected = self._new_reply_id()
        kept: list[Command] = [KeepMessage(text, start_ms, end_ms)] if text else []
        return [*kept, ListenPatiently(None), ReportTool(self._expected, "take_message", text)]

    def _after_the_end(self, event: Event) -> list[Command]:
        """The last words come back as text when the caller is gone; if they are a message, somebody must read it."""
        if isinstance(event, CallerSaid) and self._is_taking_message and event.text:
            return [KeepMessage(event.text, event.start_ms, event.end_ms)]
        return []

    def _end(self, reason: EndReason) -> list[Command]:
        if self.end_reason is not None:
            return []
        self.end_reason = self._ending or reason
        return [EndCall(self.end_reason)]

    def _reply(self, reply_id: str) -> ReplyText:
        return self._replies.setdefault(reply_id, ReplyText(reply_id, "reply"))

    def _new_reply_id(self) -> str:
        self._reply_count += 1
        return f"r{self._reply_count}"


def _note(reply: ReplyText) -> NoteReply:
    return NoteReply(reply.reply_id, reply.text, round(reply.generated_ms), reply.tag)
