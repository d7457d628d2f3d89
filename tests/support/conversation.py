"""A call to talk to in plain calls and numbers: no socket, no model, no clock."""

from collections.abc import Sequence

from bot.call import Call
from bot.events import (
    CallerSaid,
    Command,
    EndCall,
    EndReason,
    MarkReturned,
    PlayAudio,
    ReplyAudio,
    ReplyEnded,
    Respond,
    SendMark,
    SentenceBegun,
    SpeechStarted,
    StreamStarted,
    UtteranceEnded,
)
from bot.policy import CallPolicy
from bot.prompts import PreparedAudio, Prompt
from media.frame import PCMU_8K

PREPARED = {prompt: PreparedAudio(f"<{prompt.value}>", b"\x55" * 8000) for prompt in Prompt}
"""Each says its own name, for a second."""


def sound(ms: int) -> bytes:
    return b"\x2a" * (8 * ms)


class Conversation:
    """A `Call` with a carrier that plays what it is sent in real time and returns the marks."""

    def __init__(self, policy: CallPolicy | None = None) -> None:
        self.now = 100.0
        self.call = Call(policy or CallPolicy(), PCMU_8K, PREPARED, self.now)
        self._ends_at = self.now
        self._marks: list[tuple[float, str]] = []
        self.commands: list[Command] = []
        self.played_ms = 0.0

    def happens(self, *events: object) -> list[Command]:
        """Feed events at this moment; what the call wants because of them."""
        wanted: list[Command] = []
        for event in events:
            wanted += self._obey(self.call.receive(event, self.now))  # type: ignore[arg-type]
        return wanted

    def passes(self, seconds: float) -> list[Command]:
        """Let time go by: deadlines are kept and marks come back when they are due."""
        until, wanted = self.now + seconds, []
        while True:
            mark_at = min((at for at, _ in self._marks), default=until + 1)
            self.now = max(self.now, min(mark_at, self.call.next_deadline(), until))
            if self._marks and mark_at <= self.now:
                name = self._marks.pop(0)[1]
                wanted += self._obey(self.call.receive(MarkReturned(name), self.now))
            elif self.call.end_reason is None and self.call.next_deadline() <= self.now < until:
                wanted += self._obey(self.call.on_deadline(self.now))
            if self.now >= until:
                return wanted

    def starts(self) -> None:
        """The stream begins and the greeting is heard."""
        self.happens(StreamStarted("MZ1", "CA1", PCMU_8K, {}))
        self.passes(1.5)

    def caller_says(self, text: str) -> list[Command]:
        self.happens(SpeechStarted(0))
        self.passes(1.0)
        return self.happens(UtteranceEnded(0, 1000, b""), CallerSaid(text, 0, 1000))

    def bot_answers(self, text: str = "We open at nine.", ms: int = 3000, *, tag: str = "") -> str:
        """The voice makes the whole of the reply that was asked for last; returns its name."""
        reply_id = self.expected
        self.happens(SentenceBegun(reply_id, text, tag), ReplyAudio(reply_id, sound(ms)), ReplyEnded(reply_id))
        return reply_id

    @property
    def expected(self) -> str:
        asked = [command.reply_id for command in self.commands if hasattr(command, "reply_id")]
        return next(name for name in reversed(asked) if name)

    @property
    def end_reason(self) -> EndReason | None:
        return self.call.end_reason

    def _obey(self, commands: Sequence[Command]) -> list[Command]:
        for command in commands:
            match command:
                case PlayAudio(payload):
                    # A carrier begins with its next frame, which is half a frame away on average.
                    self._ends_at = max(self._ends_at, self.now + 0.01) + len(payload) / 8000
                    self.played_ms += len(payload) / 8
                case SendMark(name):
                    self._marks.append((self._ends_at, name))
        self.commands += commands
        if any(type(command).__name__ == "ClearPlayout" for command in commands):
            self._ends_at, self._marks = self.now, []
        return list(commands)


def of_kind(commands: Sequence[Command], *kinds: type) -> list[Command]:
    return [command for command in commands if isinstance(command, kinds)]


__all__ = ["EndCall", "Respond", "of_kind"]
