"""The call's decisions: events in, commands out. No I/O, no clock of its own; times are seconds, monotonic.

What the call knows of its parts stands in files of their own: the replies on their way to the ear (`replies.py`), what
a barge-in left behind (`interruption.py`), how long who has waited for whom (`waiting.py`, `patience.py`,
`first_words.py`), what is done for the voice (`errands.py`, `message.py`), and when the call must be over
(`lifetime.py`). Here is decided who has the floor, and what follows from it. When the call wants to end it says so to
the caller first, and hangs up once those words were *heard*.
"""

import math
from collections.abc import Mapping

from bot.errands import BY_OPERATOR, Errands
from bot.events import (
    AudioReceived,
    CallerSaid,
    ClearPlayout,
    Command,
    DigitPressed,
    EndReason,
    Event,
    IgnoreWords,
    MarkReturned,
    OperatorEvent,
    OperatorHungUp,
    OperatorSpoke,
    OperatorTransferred,
    ReplyAudio,
    ReplyBegun,
    ReplyDeclined,
    ReplyEnded,
    ReplyWords,
    ReportTool,
    Respond,
    SentenceBegun,
    SpeechStarted,
    StreamStarted,
    StreamStopped,
    ToolRequested,
    TransferFailed,
    UtteranceEnded,
    VoiceFailed,
    WorkBegan,
    WorkEnded,
)
from bot.first_words import FirstWords
from bot.interruption import Interruption
from bot.lifetime import Lifetime
from bot.message import TAKE_MESSAGE, Message, text_of
from bot.patience import Patience
from bot.policy import CallPolicy
from bot.prompts import PreparedAudio, Prompt
from bot.replies import Replies, note, unwanted
from bot.turn import TRANSITIONS, Turn
from bot.waiting import Waiting
from media.frame import AudioFormat


class Call:
    """One call, from the first frame to the last word. `next_deadline` says when it wants waking."""

    def __init__(
        self, policy: CallPolicy, audio: AudioFormat, prepared: Mapping[Prompt, PreparedAudio], now: float
    ) -> None:
        self._policy = policy
        self._audio = audio
        self._prepared = prepared
        self._turn = Turn.CALLER
        self._replies = Replies(audio, lead_ms=policy.lead_ms, packet_ms=policy.packet_ms)
        self.playout = self._replies.playout
        self._interruption = Interruption()
        self._is_unanswered = False  # words of the caller wait for an answer, whatever comes next
        self._is_speaking = False  # the caller
        self._failures = 0
        self._is_failure_told = False  # and the caller has not spoken since
        self._waiting = Waiting(policy.filler_after_s, policy.reply_timeout_s)
        self._patience = Patience(policy, now)
        self._first_words = FirstWords(policy.greeting_wait_s)
        self._errands = Errands()
        self._message = Message(policy.message_hangover_ms)
        self._life = Lifetime(policy, now)
        self.interruptions = 0

    @property
    def turn(self) -> Turn:
        return self._turn

    @property
    def end_reason(self) -> EndReason | None:
        return self._life.end_reason

    # -- events --------------------------------------------------------------------------------------------------

    def receive(self, event: Event, now: float) -> list[Command]:
        if isinstance(event, AudioReceived):
            return []
        if self._life.is_over:
            return self._message.keep_late(event) if isinstance(event, CallerSaid) else []
        if isinstance(event, ReplyAudio) and not self._replies.expects(event.reply_id):
            return []  # it belongs to a reply already cut off
        before, self._turn = self._turn, TRANSITIONS.get((self._turn, type(event)), self._turn)
        match event:
            case StreamStarted():
                self._life.start(now)
                return self._greet(now)
            case SpeechStarted():
                return self._on_speech_started(before, now)
            case UtteranceEnded(start_ms, end_ms):
                self._is_speaking = False
                self._message.utterance(start_ms, end_ms)
                self._waiting.begin(now)
                return []
            case CallerSaid():
                return self._on_caller_said(event, now)
            case ReplyBegun(reply_id):
                return self._on_reply_begun(reply_id)
            case ReplyDeclined():
                return self._on_reply_declined(now)
            case SentenceBegun(reply_id, text, tag):
                self._replies.begin_sentence(reply_id, text, tag)
                return []
            case ReplyWords(reply_id, text):
                self._replies.write(reply_id, text)
                return []
            case ReplyAudio(reply_id, payload):
                return self._on_reply_audio(reply_id, payload, now)
            case ReplyEnded(reply_id):
                return self._on_reply_ended(reply_id, now)
            case MarkReturned(name):
                heard = self.playout.mark_returned(name, now)
                return [*self._replies.settle(now), *([] if heard is None else self._on_reply_heard(heard, now))]
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
            case DigitPressed("#"):
                return self._message.end()
            case StreamStopped():
                return self._on_stream_stopped(now)
            case _:
                return []

    def _on_stream_stopped(self, now: float) -> list[Command]:
        is_taken_away = self._errands.is_transferring
        reason = EndReason.TRANSFERRED if is_taken_away else EndReason.CALLER_HUNG_UP
        return [*self._cut_short(now), *self._life.end(reason)]

    # -- the caller ----------------------------------------------------------------------------------------------

    def _on_speech_started(self, before: Turn, now: float) -> list[Command]:
        self._is_speaking = True
        self._is_failure_told = False
        self._patience.spoken()
        self._first_words.settle()
        if before is Turn.THINKING:
            self._waiting.end()
            self._is_unanswered = self._is_unanswered or self._replies.are_expected
            return self._replies.call_off()
        if before is not Turn.BOT:
            return []
        if self._is_decided or not self._policy.can_interrupt:  # the last words are not up for discussion
            self._turn = Turn.BOT
            return []
        return self._on_barge_in(now)

    def _on_barge_in(self, now: float) -> list[Command]:
        if self._is_filling:
            self._is_unanswered = self._is_unanswered or self._replies.are_expected
        else:
            self.interruptions += 1
        self._waiting.end()
        # Clear goes first: the caller's ear is waiting, the voice's bookkeeping is not.
        commands = [ClearPlayout(), *self._cut_short(now)]
        if self._was_asked_for_message():  # who speaks before the tone has begun the message
            return [*commands, *self._take_message()]
        self._is_unanswered = self._is_unanswered or self._interruption.was_unheard
        return commands

    def _on_caller_said(self, said: CallerSaid, now: float) -> list[Command]:
        if self._message.is_being_left:
            return self._keep_message(said, now)
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
        return [Respond(self._replies.ask())]

    def _resume(self, now: float) -> list[Command]:
        """It was a cough or a murmur: go on from where the ear was."""
        left, self._interruption = self._interruption, Interruption()
        self._waiting.end()
        self._errands.waiting = left.tool
        resumed = self._replies.resume(left, now)
        if resumed.is_asked:
            self._waiting.begin(now)
        elif resumed.is_continued:
            self._waiting.go_on(now)
        if resumed.is_sounding:
            self._turn = Turn.BOT
        elif resumed.is_asked:
            self._turn = Turn.THINKING
        else:
            return [IgnoreWords(), *self._proceed(now)]
        return [IgnoreWords(), *resumed.commands]

    # -- the voice's replies -------------------------------------------------------------------------------------

    def _on_reply_begun(self, reply_id: str) -> list[Command]:
        if self._is_speaking or self._life.is_ending:
            return [unwanted(reply_id)]
        self._first_words.settle()
        self._replies.expect(reply_id)
        if self._turn is Turn.CALLER:
            self._turn = Turn.THINKING
        return []

    def _on_reply_declined(self, now: float) -> list[Command]:
        self._waiting.end()
        return self._go_on(now) if self._turn is Turn.THINKING else []

    def _on_reply_audio(self, reply_id: str, payload: bytes, now: float) -> list[Command]:
        if self._turn is not Turn.BOT:
            return []  # the caller speaks
        self._waiting.end()  # also when it goes on after a tool
        if not self._replies.has_begun(reply_id):
            self._failures = 0
        return self._replies.lengthen(reply_id, payload, now)

    def _on_reply_ended(self, reply_id: str, now: float) -> list[Command]:
        if not self._replies.expects(reply_id):
            return []
        if not self._replies.end(reply_id):
            self._waiting.end()
            return self._proceed(now) if self._replies.are_over else []
        if not self._policy.is_voice_led and not self._replies.are_expected:
            self._waiting.end()  # a voice that was asked has said all that it will
        if self._errands.is_message:
            return [*self._replies.play(now), *self._use_tool(now)]  # the tone follows the words without a gap
        return self._replies.play(now)

    def _on_reply_heard(self, reply_id: str, now: float) -> list[Command]:
        reply = self._replies.heard(reply_id)
        if reply is None:
            return []
        commands: list[Command] = [note(reply)]
        if self._replies.are_queued:
            return commands
        if self._waiting.is_under_way:  # that was no answer: "one moment" or the end of a preamble
            self._turn = Turn.THINKING
        if self._replies.are_expected:
            return commands
        if self._errands.waiting is not None:
            return commands + self._use_tool(now)
        if self._life.farewell is not None:
            return commands + self._life.end(self._life.farewell)
        if reply.kind == Prompt.TONE.value:
            commands += self._take_message()
        return commands + self._go_on(now)

    def _on_work_ended(self, work: str, now: float, *, owes_answer: bool) -> list[Command]:
        self._waiting.work_ended(work)
        if self._is_speaking or self._life.is_ending:
            return []
        if owes_answer:
            self._waiting.begin(now)
        return [] if self._turn is Turn.BOT else self._go_on(now)

    def _on_voice_failed(self, now: float, *, is_final: bool = False) -> list[Command]:
        self._waiting.end()
        if self._is_failure_told and not is_final:  # one fault shows more than once: late first, then failed for good
            commands = self._replies.break_off()
            return commands + self._go_on(now) if self._replies.are_over and not self._life.is_ending else commands
        self._is_failure_told = not self._is_speaking
        self._failures += 1
        if self._failures > 1 or is_final:
            return [] if self._life.is_ending else self._give_up(now)
        commands = self._replies.break_off()
        return commands if self._is_speaking else commands + self._say(Prompt.PARDON, now)

    def _give_up(self, now: float) -> list[Command]:
        """The voice will not talk to this caller any more: somebody else must, or nobody can."""
        destination = self._policy.fallback_transfer
        if not destination or self._errands.is_transferring:
            return self._say_goodbye(Prompt.APOLOGY, EndReason.VOICE_FAILED, now)
        return [*self._silence(now), *self._put_through(destination, "", now)]

    # -- tools, messages, operators ------------------------------------------------------------------------------

    def _on_tool_requested(self, tool: ToolRequested, now: float) -> list[Command]:
        self._waiting.end()
        if dictated := self._message.dictated(tool):
            self._await_answer(now)
            return [*dictated, ReportTool(self._replies.new_id(), tool.name, "kept", tool.request_id)]
        self._errands.waiting = tool
        return self._use_tool(now) if self._replies.are_over else []

    def _await_answer(self, now: float) -> None:
        self._waiting.begin(now)
        if self._turn is Turn.CALLER and not self._is_speaking:
            self._turn = Turn.THINKING

    def _use_tool(self, now: float) -> list[Command]:
        match self._errands.take():
            case ToolRequested("hang_up"):
                return self._life.end(EndReason.BOT_HUNG_UP)
            case ToolRequested("take_message"):
                return self._say(Prompt.TONE, now)
            case ToolRequested("transfer") as tool:
                return [self._errands.transfer(tool), *self._listen(now)]
            case _:
                return self._go_on(now)

    def _put_through(self, destination: str, asked_by: str, now: float) -> list[Command]:
        """Tell the caller, and then hand them over."""
        commands = self._say(Prompt.TRANSFER, now)
        self._errands.put_through(destination, asked_by)
        return commands if self._replies.are_queued else commands + self._use_tool(now)

    def _on_transfer_failed(self, now: float) -> list[Command]:
        tool = self._errands.transfer_failed()
        if tool is None:
            return []
        if not tool.request_id:  # it was the last thing to try
            return self._say_goodbye(Prompt.APOLOGY, EndReason.VOICE_FAILED, now)
        if tool.request_id == BY_OPERATOR:
            return self._listen(now)
        self._turn = Turn.THINKING
        self._waiting.begin(now)
        sorry = "the transfer failed: nobody could be reached; offer to take a message"
        reply_id = self._replies.new_id() if self._policy.is_voice_led else self._replies.ask()
        return [ReportTool(reply_id, tool.name, sorry, tool.request_id)]

    def _was_asked_for_message(self) -> bool:
        tool = self._interruption.tool
        is_tone = any(reply.kind == Prompt.TONE.value for reply in self._interruption.texts.values())
        return is_tone or (tool is not None and tool.name == TAKE_MESSAGE)

    def _take_message(self) -> list[Command]:
        self._interruption = Interruption()
        return self._message.begin()

    def _keep_message(self, said: CallerSaid | None, now: float) -> list[Command]:
        self._turn = Turn.THINKING
        self._waiting.begin(now)
        kept = self._message.keep(said)
        return [*kept, ReportTool(self._replies.ask(), TAKE_MESSAGE, text_of(said))]

    def _on_operator(self, event: OperatorEvent, now: float) -> list[Command]:
        """Whoever watches the call knows better than the bot: what it says or does gives way."""
        if isinstance(event, OperatorHungUp):
            return self._life.end(EndReason.OPERATOR_HUNG_UP)
        if not self._life.is_started or self._life.is_ending or self._errands.is_transferring:
            return []
        self._message.drop()
        commands = self._silence(now)
        if isinstance(event, OperatorTransferred):
            return [*commands, *self._put_through(event.destination, BY_OPERATOR, now)]
        self._turn = Turn.BOT
        return [*commands, *self._replies.say("operator", event.text, event.payload, now)]

    # -- deadlines -----------------------------------------------------------------------------------------------

    def next_deadline(self) -> float:
        """When `on_deadline` wants calling if nothing else happens (seconds, monotonic); infinity after the end."""
        if self._life.is_over:
            return math.inf
        deadlines = [self._life.due_at]
        if (playout := self.playout.next_deadline()) is not None:
            deadlines.append(playout)
        if self._is_quiet:
            deadlines.append(self._quiet_until)
        if self._turn is Turn.BOT or not self._is_speaking:
            deadlines.append(self._reply_due_at)
        if self._can_fill:
            deadlines += (self._waiting.filler_at, self._first_words.due_at)
        return min(deadlines)

    def on_deadline(self, now: float) -> list[Command]:
        if self._life.is_over:
            return []
        commands = [*self._replies.play(now), *self._replies.settle(now)]
        while (heard := self.playout.overdue(now)) is not None:
            commands += self._on_reply_heard(heard, now)
        if self._life.is_over:
            return commands
        if now >= self._life.due_at:
            return commands + self._on_time_up(now)
        if self._is_quiet and now >= self._quiet_until:
            return commands + self._on_idle(now)
        if now >= self._reply_due_at:
            return commands + self._on_voice_failed(now)
        return commands + self._fill(now) if self._can_fill else commands

    def _on_time_up(self, now: float) -> list[Command]:
        if not self._life.is_started:
            return self._life.end(EndReason.CARRIER_ERROR)
        if self._life.farewell is not None:
            return self._life.end(self._life.farewell)
        return self._say_goodbye(Prompt.TIME_UP, EndReason.MAX_DURATION, now)

    def _on_idle(self, now: float) -> list[Command]:
        if self._message.is_being_left:
            return self._keep_message(None, now)
        if self._errands.is_transferring:
            return self._on_transfer_failed(now)
        if self._patience.asks_again():
            return self._say(Prompt.IDLE, now)
        return self._say_goodbye(Prompt.IDLE_GOODBYE, EndReason.IDLE, now)

    def _fill(self, now: float) -> list[Command]:
        """Nobody likes a dead line: while the voice takes its time, something prepared is said."""
        if now >= self._first_words.due_at:
            self._waiting.end()
            return [self._first_words.give_up(), *self._say(Prompt.GREETING, now)]
        if now >= self._waiting.filler_at:
            self._waiting.filled(now)
            return self._say(Prompt.FILLER, now)
        return []

    @property
    def _can_fill(self) -> bool:
        return self._turn is not Turn.BOT and not self._is_speaking and not self._errands.is_transferring

    @property
    def _is_decided(self) -> bool:
        """Whether what sounds is the end of the bot's part, which nobody can talk it out of."""
        return self._life.is_ending or self._errands.is_decided

    @property
    def _is_filling(self) -> bool:
        """Whether all that sounds is a "one moment"."""
        return self._replies.are_all(Prompt.FILLER.value)

    @property
    def _reply_due_at(self) -> float:
        """When the voice must have said something, or gone on with what it began; infinity if it need not."""
        if self._turn is Turn.THINKING:
            return self._waiting.answer_due_at
        if self._turn is Turn.BOT and self._replies.are_expected:
            return max(self.playout.ends_at, self._waiting.since) + self._policy.reply_timeout_s
        return math.inf

    @property
    def _is_quiet(self) -> bool:
        """Whether it is the caller's turn and they say nothing."""
        is_theirs = self._turn is Turn.CALLER and not self._is_speaking
        return self._life.is_started and is_theirs and not self._waiting.is_working

    @property
    def _quiet_until(self) -> float:
        return self._patience.ends_at(
            is_transferring=self._errands.is_transferring, is_message_left=self._message.is_being_left
        )

    # -- what the shell asks for ---------------------------------------------------------------------------------

    def drain(self, now: float) -> list[Command]:
        """The service stops and cannot wait any longer: say so and hang up."""
        if self._life.is_ending or self._life.is_over:
            return []
        if not self._life.is_started:
            return self._life.end(EndReason.DRAINED)
        return self._say_goodbye(Prompt.DRAIN_GOODBYE, EndReason.DRAINED, now)

    def abandon(self, reason: EndReason) -> list[Command]:
        """There is nobody left to talk to, or no way to."""
        return self._life.end(reason)

    # -- the floor -----------------------------------------------------------------------------------------------

    def _greet(self, now: float) -> list[Command]:
        prepared = self._prepared[Prompt.GREETING]
        if not self._policy.is_greeted_by_voice or not prepared.text:
            return self._say(Prompt.GREETING, now)
        self._turn = Turn.THINKING
        self._waiting.begin(now)
        return [self._first_words.ask(self._replies.new_id(), prepared.text, now)]

    def _say(self, prompt: Prompt, now: float) -> list[Command]:
        prepared = self._prepared[prompt]
        if not prepared.payload:
            return self._listen(now)
        self._turn = Turn.BOT
        return self._replies.say(prompt.value, prepared.text, prepared.payload, now)

    def _say_goodbye(self, prompt: Prompt, reason: EndReason, now: float) -> list[Command]:
        """The last words. Whatever sounds or is being made gives way to them."""
        commands = self._silence(now)
        self._message.drop()
        self._life.say_farewell(reason, self._audio.ms(len(self._prepared[prompt].payload)), now)
        return commands + self._say(prompt, now)

    def _silence(self, now: float) -> list[Command]:
        """Whatever sounds or is being made is over, and will not be taken up again."""
        clear: list[Command] = [ClearPlayout()] if self.playout.is_sounding(now) else []
        commands = clear + self._cut_short(now)
        self._interruption = Interruption()
        self._waiting.end()
        return commands

    def _cut_short(self, now: float) -> list[Command]:
        """Silence every reply; what was to follow those words is not done."""
        settled = self._replies.settle(now)
        self._interruption, cancelled = self._replies.cut_short(now, self._errands.waiting)
        return [*settled, *self._errands.drop(), *cancelled]

    def _proceed(self, now: float) -> list[Command]:
        """There was nothing to say after all: do what was to follow it, or listen."""
        return self._listen(now) if self._errands.waiting is None else self._use_tool(now)

    def _go_on(self, now: float) -> list[Command]:
        """Nothing sounds any more: the caller's turn, unless they wait for us."""
        is_writing = self._message.is_being_left and not self._waiting.is_owed
        if self._waiting.is_under_way and not is_writing:
            self._turn = Turn.THINKING
            return []
        return self._listen(now)

    def _listen(self, now: float) -> list[Command]:
        self._turn = Turn.CALLER
        self._patience.begin(now)
        return []
