"""The first words of a call whose voice is to say them itself: a prepared greeting is better than none. No I/O."""

import math

from bot.events import Command, Greet
from bot.replies import unwanted


class FirstWords:
    def __init__(self, patience_s: float) -> None:
        """`patience_s` is how long the caller hears nothing before the prepared greeting is said."""
        self._patience_s = patience_s
        self._reply_id = ""
        self.due_at = math.inf
        """When they come too late (seconds, monotonic); infinity where none are waited for."""

    def ask(self, reply_id: str, text: str, now: float) -> Command:
        self._reply_id = reply_id
        self.due_at = now + self._patience_s
        return Greet(reply_id, text)

    def settle(self) -> None:
        """Somebody has spoken."""
        self.due_at = math.inf

    def give_up(self) -> Command:
        self.settle()
        return unwanted(self._reply_id)
