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
    Greet,
    IgnoreWords,
    KeepMessage,
    ListenPatiently,
    MarkReturned,
    NoteReply,
    OperatorEvent,
    OperatorHungUp,
    OperatorSpoke,
    OperatorTransferred,
    PlayAudio,
    ReplyAudio,
    ReplyBegun,
    ReplyDeclined,
    ReplyEnded,
    ReplyWords,
    ReportTool,
    Respond,
    ResumeReply,
    SendMark,
    SentenceBegun,
    SpeechStarted,
    StreamStarted,
    StreamStopped,
    ToolRequested,
    TransferCall,
    TransferFailed,
    TruncateReply,
    UtteranceEnded,
    VoiceFailed,
    WorkBegan,
    WorkEnded,
)
from bot.interruption import Interruption
from bot.policy import CallPolicy
from bot.prompts import PreparedAudio, Prompt
from bot.reply import ReplyText
from bot.turn import TRANSITIONS, Turn
from bot.waiting import Waiting
from media.frame import AudioFormat
from media.playout import Playout, Position

_UNWRITTEN = "(not written down: listen to the recording)"
_BY_OPERATOR = "operator"
"""Who asked for a transfer that no voice did."""


class Call:
    """One call, from the first frame to the last word. `next_deadline` says when it wants waking."""

    def __init__(
        self, policy: CallPolicy, audio: AudioFormat, prepared: Mapping[Prompt, PreparedAudio], now: float
    ) -> None:
        self._policy = policy
        self._audio = audio
        self._prepared = prepared
        self._turn = Turn.CALLER
        self.playout = Playout(audio, lead_ms=policy.lead_ms, packet_ms=policy.packet_ms)
        self._replies: dict[str, ReplyText] = {}  # queued or sounding
        self._reply_count = 0
        self._expected: list[str] = []  # the replies we wait for, or that are being made
        self._cut: dict[str, ReplyText] = {}  # cancelled, and not yet known to the millisecond
        self._interruption = Interruption()
        self._is_unanswered = False  # words of the caller wait for an answer, whatever comes next
        self._pending_tool: ToolRequested | None = None  # waits until the words before it were heard
        self._is_taking_message = False
        self._is_speaking = False  # the caller
        self._utterance_ms = (0, 0)  # where their last utterance lies on the call's clock
        self._failures = 0
        self._idle_prompts = 0
        self._quiet_since = now
        self._waiting = Waiting(policy.filler_after_s, policy.reply_timeout_s)
        self._greeting_due_at = math.inf
        self._greeting_id = ""
        self._transfer: ToolRequested | None = None  # asked of the carrier
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
        if isinstance(event, ReplyAudio) and event.reply_id not in self._expected:
            return []  # it belongs to a reply already cut off
        before, self._turn = self._turn, TRANSITIONS.get((self._turn, type(event)), self._turn)
        match event:
            case StreamStarted():
                self._is_started = True
                self._must_end_at = now + self._policy.max_call_s
                return self._greet(now)
            case SpeechStarted():
                return self._on_speech_started(before, now)
            case UtteranceEnded(start_ms, end_ms):
                self._is_speaking = False
                self._utterance_ms = (start_ms, end_ms)
                self._waiting.begin(now)
                return []
            case CallerSaid():
                return self._on_caller_said(event, now)
            case ReplyBegun(reply_id):
                return self._on_reply_begun(reply_id)
            case ReplyDeclined():
                return self._on_reply_declined(now)
            case SentenceBegun(reply_id, text, tag):
                if reply_id in self._expected:
                    self._reply(reply_id).begin(text, tag)
                return []
            case ReplyWords(reply_id, text):
                if reply_id in self._expected:
                    self._reply(reply_id).write(text)
                return []
            case ReplyAudio(reply_id, payload):
                return self._on_reply_audio(reply_id, payload, now)
            case ReplyEnded(reply_id):
                return self._on_reply_ended(reply_id, now)
            case MarkReturned(name):
                heard = self.playout.mark_returned(name, now)
                return [*self._settle(now), *([] if heard is None else self._on_reply_heard(heard, now))]
            case ToolRequested():
                return self._on_tool_requested(event, now)
            case WorkBegan(work):
                self._waiting.work_began(work, now)
                return []
            case WorkEnded(work, owes_answer):
                return self._on_work_ended(work, now, owes_answer=owes_answer)
            case VoiceFailed(_, is_final):
                return self._on_voice_failed(now, is_final=is_final)
            case TransferFailed():
                return self._on_transfer_failed(now)
            case OperatorSpoke() | OperatorHungUp() | OperatorTransferred():
                return self._on_operator(event, now)
            case DigitPressed("#") if self._is_taking_message:
                return [ListenPatiently(0)]
            case StreamStopped():
                return [*self._cut_short(now), *self._end(EndReason.CALLER_HUNG_UP)]
            case _:
                return []

    def _on_speech_started(self, before: Turn, now: float) -> list[Command]:
        self._is_speaking = True
        self._idle_prompts = 0
        self._greeting_due_at = math.inf
        if before is Turn.THINKING:
            self._waiting.end()
            self._is_unanswered = self._is_unanswered or bool(self._expected)
            return self._drop_expected()
        if before is not Turn.BOT:
            return []
        if self._is_decided or not self._policy.can_interrupt:  # the last words are not up for discussion
            self._turn = Turn.BOT
            return []
        self.interruptions += not self._is_filling
        if self._is_filling:
            self._is_unanswered = self._is_unanswered or bool(self._expected)
        self._waiting.end()
        # Clear goes first: the caller's ear is waiting, the voice's bookkeeping is not.
        commands = [ClearPlayout(), *self._cut_short(now)]
        if self._was_asked_for_message():  # who speaks before the tone has begun the message
            return [*commands, *self._take_message()]
        self._is_unanswered = self._is_unanswered or self._interruption.was_unheard
        return commands

    def _on_caller_said(self, said: CallerSaid, now: float) -> list[Command]:
        if self._is_taking_message:
            return self._keep_message(_message(said), said.start_ms, said.end_ms, now)
        if self._policy.is_voice_led:
            return []
        is_meant = said.is_unwritten or self._interruption.is_meant(said.text)
        if self._is_speaking or (self._turn is Turn.BOT and not self._is_filling):
            self._is_unanswered = self._is_unanswered or is_meant
            self._waiting.end()
            return []  # more is being said; the voice keeps these words and adds what follows
        if not is_meant and not self._is_unanswered:
            return self._resume(now)
        self._interruption = Interruption()
        self._is_unanswered = False
        self._turn = Turn.BOT if self._is_filling else Turn.THINKING
        self._waiting.begin(now)
        return [Respond(self._expect())]

    def _on_reply_begun(self, reply_id: str) -> list[Command]:
        if self._is_speaking or self._ending is not None:
            return [CancelReply(reply_id, Position(0, 0, 0), "")]
        self._greeting_due_at = math.inf
        self._expected.append(reply_id)
        if self._turn is Turn.CALLER:
            self._turn = Turn.THINKING
        return []

    def _on_reply_declined(self, now: float) -> list[Command]:
        self._waiting.end()
        return self._go_on(now) if self._turn is Turn.THINKING else []

    def _on_reply_audio(self, reply_id: str, payload: bytes, now: float) -> list[Command]:
        if self._turn is not Turn.BOT:
            return []  # the caller speaks
        reply = self._reply(reply_id)
        is_first = not reply.generated_ms
        self._waiting.end()  # also when it goes on after a tool
        if is_first:
            self._failures = 0
        reply.lengthen(self._audio.ms(len(payload)))
        self.playout.push(reply_id, payload)
        return [*self._play(now), self._announce(reply, now)] if is_first else self._play(now)

    def _on_reply_ended(self, reply_id: str, now: float) -> list[Command]:
        if reply_id not in self._expected:
            return []
        self._expected.remove(reply_id)
        self.playout.finish(reply_id)
        reply = self._replies.get(reply_id)
        if reply is None or not reply.generated_ms:
            self._replies.pop(reply_id, None)
            self._waiting.end()
            if self._replies or self._expected:
                return []
            return self._use_tool(now) if self._pending_tool else self._listen(now)
        reply.is_whole = True
        if not self._policy.is_voice_led and not self._expected:
            self._waiting.end()  # a voice that was asked has said all that it will
        if self._pending_tool is not None and self._pending_tool.name == "take_message":
            return [*self._play(now), *self._use_tool(now)]  # the tone follows the words without a gap
        return self._play(now)

    def _on_reply_heard(self, reply_id: str, now: float) -> list[Command]:
        reply = self._replies.pop(reply_id, None)
        if reply is None:
            return []
        commands: list[Command] = [_note(reply)]
        if self._replies:
            return commands
        if self._waiting.is_under_way:  # that was no answer: "one moment" or the end of a preamble
            self._turn = Turn.THINKING
        if self._expected:
            return commands
        if self._pending_tool is not None:
            return commands + self._use_tool(now)
        if self._ending is not None:
            return commands + self._end(self._ending)
        if reply.kind == Prompt.TONE.value:
            commands += self._take_message()
        return commands + self._go_on(now)

    def _on_work_ended(self, work: str, now: float, *, owes_answer: bool) -> list[Command]:
        self._waiting.work_ended(work)
        if self._is_speaking or self._ending is not None:
            return []
        if owes_answer:
            self._waiting.begin(now)
        return [] if self._turn is Turn.BOT else self._go_on(now)

    def _on_voice_failed(self, now: float, *, is_final: bool = False) -> list[Command]:
        self._waiting.end()
        self._failures += 1
        if self._failures > 1 or is_final:
            return self._give_up(now) if self._ending is None else []
        for reply_id in [name for name in self._expected if (one := self._replies.get(name)) and one.generated_ms]:
            self.playout.finish(reply_id)  # it broke off in the middle: what there is of it may still be heard
            self._expected.remove(reply_id)
        commands = self._drop_expected()
        return commands if self._is_speaking else commands + self._say(Prompt.PARDON, now)

    def _give_up(self, now: float) -> list[Command]:
        """The voice will not talk to this caller any more: somebody else must, or nobody can."""
        destination = self._policy.fallback_transfer
        if not destination or self._transfer is not None:
            return self._say_goodbye(Prompt.APOLOGY, EndReason.VOICE_FAILED, now)
        commands = [*self._silence(now), *self._say(Prompt.TRANSFER, now)]
        self._pending_tool = ToolRequested("transfer", {"destination": destination})
        return commands if self._replies else commands + self._use_tool(now)

    def _on_operator(self, event: OperatorEvent, now: float) -> list[Command]:
        """Whoever watches the call knows better than the bot: what it says or does gives way."""
        if isinstance(event, OperatorHungUp):
            return self._end(EndReason.OPERATOR_HUNG_UP)
        if not self._is_started or self._ending is not None or self._transfer is not None:
            return []
        self._is_taking_message = False
        commands = self._silence(now)
        if isinstance(event, OperatorSpoke):
            reply = self._queue("operator", event.text, "operator", event.payload)
            return [*commands, *self._play(now), self._announce(reply, now)]
        commands += self._say(Prompt.TRANSFER, now)
        self._pending_tool = ToolRequested("transfer", {"destination": event.destination}, _BY_OPERATOR)
        return commands if self._replies else commands + self._use_tool(now)

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
        if self._turn is Turn.BOT:
            deadlines.append(self._reply_due_at)
        elif not self._is_speaking and self._transfer is None:
            deadlines += (self._waiting.filler_at, self._reply_due_at, self._greeting_due_at)
        return min(deadlines)

    def on_deadline(self, now: float) -> list[Command]:
        if self.end_reason is not None:
            return []
        commands = [*self._play(now), *self._settle(now)]
        while (heard := self.playout.overdue(now)) is not None:
            commands += self._on_reply_heard(heard, now)
        if self.end_reason is not None:
            return commands
        if now >= self._must_end_at:
            return commands + self._on_time_up(now)
        if self._is_quiet and now >= self._quiet_since + self._patience_s:
            return commands + self._on_idle(now)
        if now >= self._reply_due_at:
            return commands + self._on_voice_failed(now)
        if self._turn is not Turn.BOT and not self._is_speaking and self._transfer is None:
            return commands + self._fill(now)
        return commands

    def _fill(self, now: float) -> list[Command]:
        """Nobody likes a dead line: while the voice takes its time, something prepared is said."""
        if now >= self._greeting_due_at:
            self._greeting_due_at = math.inf
            self._waiting.end()
            return [CancelReply(self._greeting_id, Position(0, 0, 0), ""), *self._say(Prompt.GREETING, now)]
        if now >= self._waiting.filler_at:
            self._waiting.filled(now)
            return self._say(Prompt.FILLER, now)
        return []

    @property
    def _is_decided(self) -> bool:
        """Whether what sounds is the end of the bot's part, which nobody can talk it out of."""
        tool = self._pending_tool
        return self._ending is not None or (tool is not None and tool.request_id == _BY_OPERATOR)

    @property
    def _is_filling(self) -> bool:
        """Whether all that sounds is a "one moment"."""
        return bool(self._replies) and all(reply.kind == Prompt.FILLER.value for reply in self._replies.values())

    @property
    def _reply_due_at(self) -> float:
        """When the voice must have said something, or gone on with what it began; infinity if it need not."""
        if self._turn is Turn.THINKING:
            return self._waiting.answer_due_at
        if self._turn is Turn.BOT and self._expected:
            return max(self.playout.ends_at, self._waiting.since) + self._policy.reply_timeout_s
        return math.inf

    @property
    def _is_quiet(self) -> bool:
        """Whether it is the caller's turn and they say nothing."""
        is_theirs = self._turn is Turn.CALLER and not self._is_speaking
        return self._is_started and is_theirs and not self._waiting.is_working

    @property
    def _patience_s(self) -> float:
        if self._transfer is not None:
            return self._policy.transfer_timeout_s
        return self._policy.message_wait_s if self._is_taking_message else self._policy.idle_prompt_s

    def _on_time_up(self, now: float) -> list[Command]:
        if not self._is_started:
            return self._end(EndReason.CARRIER_ERROR)
        if self._ending is not None:
            return self._end(self._ending)
        return self._say_goodbye(Prompt.TIME_UP, EndReason.MAX_DURATION, now)

    def _on_idle(self, now: float) -> list[Command]:
        if self._is_taking_message:
            return self._keep_message("", 0, 0, now)
        if self._transfer is not None:
            return self._on_transfer_failed(now)
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

    def _greet(self, now: float) -> list[Command]:
        prepared = self._prepared[Prompt.GREETING]
        if not self._policy.is_greeted_by_voice or not prepared.text:
            return self._say(Prompt.GREETING, now)
        self._turn = Turn.THINKING
        self._waiting.begin(now)
        self._greeting_due_at = now + self._policy.greeting_wait_s
        self._greeting_id = self._new_reply_id()
        return [Greet(self._greeting_id, prepared.text)]

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
        reply.is_whole = True
        self._turn = Turn.BOT
        self.playout.push(reply_id, payload)
        self.playout.finish(reply_id)
        return reply

    def _say_goodbye(self, prompt: Prompt, reason: EndReason, now: float) -> list[Command]:
        """The last words. Whatever sounds or is being made gives way to them."""
        commands = self._silence(now)
        self._is_taking_message = False
        self._ending = reason
        length_s = self._audio.ms(len(self._prepared[prompt].payload)) / 1000
        self._must_end_at = now + length_s + self._policy.goodbye_grace_s
        return commands + self._say(prompt, now)

    def _silence(self, now: float) -> list[Command]:
        """Whatever sounds or is being made is over, and will not be taken up again."""
        clear: list[Command] = [ClearPlayout()] if self.playout.is_sounding(now) else []
        commands = clear + self._cut_short(now)
        self._interruption = Interruption()
        self._waiting.end()
        return commands

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
        commands = self._settle(now)
        cuts = self.playout.clear(now)
        texts = {cut.reply_id: self._replies.pop(cut.reply_id) for cut in cuts if cut.reply_id in self._replies}
        self._cut |= texts
        unfinished = self._expected[0] if self._expected else None
        self._interruption = Interruption(cuts, texts, unfinished, self._pending_tool)
        commands += self._drop_tool()
        # Those that are left were heard whole, only their marks had not come back yet.
        commands += [_note(reply) for reply in self._replies.values() if reply.generated_ms]
        self._replies.clear()
        for cut in cuts:
            if (reply := texts.get(cut.reply_id)) is not None:
                heard_text = reply.heard(cut.position.heard_ms)
                commands.append(CancelReply(cut.reply_id, cut.position, heard_text, reply.text, reply.tag))
        self._expected = [name for name in self._expected if name not in texts]
        return commands + self._drop_expected()

    def _settle(self, now: float) -> list[Command]:
        """What was heard of a reply that was cut is known once the carrier has thrown the rest of it back."""
        commands: list[Command] = []
        for cut in self.playout.settled(now):
            if (reply := self._cut.pop(cut.reply_id, None)) is not None:
                heard_ms = cut.position.heard_ms
                commands.append(TruncateReply(cut.reply_id, heard_ms, reply.heard(heard_ms)))
        return commands

    def _drop_expected(self) -> list[Command]:
        expected, self._expected = self._expected, []
        for reply_id in expected:
            self._replies.pop(reply_id, None)
        return [CancelReply(reply_id, Position(0, 0, 0), "") for reply_id in expected]

    def _drop_tool(self) -> list[Command]:
        """The caller speaks on, so nobody hangs up on them or hands them over; a voice that asked for it is told."""
        tool, self._pending_tool = self._pending_tool, None
        if tool is None or not tool.request_id:
            return []
        return [ReportTool("", tool.name, "not done: the caller went on speaking", tool.request_id, wants_reply=False)]

    def _resume(self, now: float) -> list[Command]:
        """It was a cough or a murmur: go on from where the ear was."""
        left, self._interruption = self._interruption, Interruption()
        self._waiting.end()
        resumed = []
        requests: list[Command] = []
        for rest in left.rests():
            if not rest.unheard:
                continue
            reply = self._queue("resumed", rest.text, rest.tag, rest.unheard)
            resumed.append(reply)
            if rest.reply_id == left.unfinished:
                self.playout.reopen(reply.reply_id)
                self._expected = [reply.reply_id]
                self._waiting.go_on(now)
                requests.append(ResumeReply(rest.reply_id, reply.reply_id))
        self._pending_tool = left.tool
        if left.unfinished is not None and not requests:  # the ear has had all of it that there was
            requests.append(ResumeReply(left.unfinished, self._expect()))
            self._waiting.begin(now)
        if resumed:
            # What is left over plays before the voice is asked for more.
            return [IgnoreWords(), *self._play(now), *(self._announce(reply, now) for reply in resumed), *requests]
        if requests:
            self._turn = Turn.THINKING
            return [IgnoreWords(), *requests]
        return [IgnoreWords(), *(self._use_tool(now) if self._pending_tool else self._listen(now))]

    def _go_on(self, now: float) -> list[Command]:
        """Nothing sounds any more: the caller's turn, unless they wait for us."""
        if self._waiting.is_under_way and not self._is_taking_message:
            self._turn = Turn.THINKING
            return []
        return self._listen(now)

    def _listen(self, now: float) -> list[Command]:
        self._turn = Turn.CALLER
        self._quiet_since = now
        return []

    # -- tools, messages, the end --------------------------------------------------------------------------------

    def _on_tool_requested(self, tool: ToolRequested, now: float) -> list[Command]:
        self._waiting.end()
        if tool.name == "take_message" and (message := tool.arguments.get("message")):
            return self._keep_dictated(tool, message, now)
        self._pending_tool = tool
        return [] if self._replies or self._expected else self._use_tool(now)

    def _use_tool(self, now: float) -> list[Command]:
        tool, self._pending_tool = self._pending_tool, None
        match tool:
            case ToolRequested("hang_up"):
                return self._end(EndReason.BOT_HUNG_UP)
            case ToolRequested("take_message"):
                return self._say(Prompt.TONE, now)
            case ToolRequested("transfer", arguments):
                self._transfer = tool
                return [TransferCall(arguments.get("destination", "")), *self._listen(now)]
            case _:
                return self._go_on(now)

    def _on_transfer_failed(self, now: float) -> list[Command]:
        tool, self._transfer = self._transfer, None
        if tool is None:
            return []
        if not tool.request_id:  # it was the last thing to try
            self._transfer = tool
            return self._say_goodbye(Prompt.APOLOGY, EndReason.VOICE_FAILED, now)
        if tool.request_id == _BY_OPERATOR:
            return self._listen(now)
        self._turn = Turn.THINKING
        self._waiting.begin(now)
        sorry = "the transfer failed: nobody could be reached; offer to take a message"
        reply_id = self._new_reply_id() if self._policy.is_voice_led else self._expect()
        return [ReportTool(reply_id, tool.name, sorry, tool.request_id)]

    def _was_asked_for_message(self) -> bool:
        tool = self._interruption.tool
        is_tone = any(reply.kind == Prompt.TONE.value for reply in self._interruption.texts.values())
        return is_tone or (tool is not None and tool.name == "take_message")

    def _take_message(self) -> list[Command]:
        self._interruption = Interruption()
        self._is_taking_message = True
        return [ListenPatiently(self._policy.message_hangover_ms)]

    def _keep_message(self, text: str, start_ms: int, end_ms: int, now: float) -> list[Command]:
        self._is_taking_message = False
        self._turn = Turn.THINKING
        kept: list[Command] = [KeepMessage(text, start_ms, end_ms)] if text else []
        self._waiting.begin(now)
        return [*kept, ListenPatiently(None), ReportTool(self._expect(), "take_message", text)]

    def _keep_dictated(self, tool: ToolRequested, message: str, now: float) -> list[Command]:
        """A voice that converses has asked for the message itself."""
        details = [tool.arguments.get(name) for name in ("caller_name", "callback_number")]
        text = " — ".join([message, *(detail for detail in details if detail)])
        at_ms = self._utterance_ms
        self._waiting.begin(now)
        if self._turn is Turn.CALLER and not self._is_speaking:
            self._turn = Turn.THINKING
        return [KeepMessage(text, *at_ms), ReportTool(self._new_reply_id(), tool.name, "kept", tool.request_id)]

    def _after_the_end(self, event: Event) -> list[Command]:
        """The last words come back as text when the caller is gone; if they are a message, somebody must read it."""
        if isinstance(event, CallerSaid) and self._is_taking_message and (text := _message(event)):
            return [KeepMessage(text, event.start_ms, event.end_ms)]
        return []

    def _end(self, reason: EndReason) -> list[Command]:
        if self.end_reason is not None:
            return []
        is_taken_away = self._transfer is not None and reason is EndReason.CALLER_HUNG_UP and self._ending is None
        self.end_reason = EndReason.TRANSFERRED if is_taken_away else self._ending or reason
        return [EndCall(self.end_reason)]

    def _reply(self, reply_id: str) -> ReplyText:
        return self._replies.setdefault(reply_id, ReplyText(reply_id, "reply"))

    def _expect(self) -> str:
        """A name for the reply that is asked for now."""
        self._expected = [self._new_reply_id()]
        return self._expected[0]

    def _new_reply_id(self) -> str:
        self._reply_count += 1
        return f"r{self._reply_count}"


def _message(said: CallerSaid) -> str:
    """What is kept of it: somebody must learn of a message although nobody could write it down."""
    return said.text or (_UNWRITTEN if said.is_unwritten else "")


def _note(reply: ReplyText) -> NoteReply:
    return NoteReply(reply.reply_id, reply.text, round(reply.generated_ms), reply.tag)
