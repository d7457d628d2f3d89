"""When a call must be over, and why it is. No I/O; times are seconds, monotonic.

Every call has a deadline that depends on nobody else's good behaviour, and ends for exactly one reason: the first one
there was. A call that says its last words ends for the reason of those, whatever happens meanwhile.
"""

from bot.events import Command, EndCall, EndReason
from bot.policy import CallPolicy


class Lifetime:
    def __init__(self, policy: CallPolicy, now: float) -> None:
        self._policy = policy
        self.is_started = False
        self.due_at = now + policy.start_timeout_s
        """When the call must have started, said its last words, or be over."""
        self.farewell: EndReason | None = None
        """Why the call says its last words, while it does."""
        self.end_reason: EndReason | None = None

    @property
    def is_over(self) -> bool:
        return self.end_reason is not None

    @property
    def is_ending(self) -> bool:
        """Whether the last words are said, or were."""
        return self.farewell is not None

    def start(self, now: float) -> None:
        self.is_started = True
        self.due_at = now + self._policy.max_call_s

    def say_farewell(self, reason: EndReason, length_ms: float, now: float) -> None:
        """The last words begin; they and the news that they were heard may take so long."""
        self.farewell = reason
        self.due_at = now + length_ms / 1000 + self._policy.goodbye_grace_s

    def end(self, reason: EndReason) -> list[Command]:
        """Changes nothing where the call is over."""
        if self.end_reason is not None:
            return []
        self.end_reason = self.farewell or reason
        return [EndCall(self.end_reason)]
