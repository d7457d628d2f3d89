"""What a realtime model was asked to say, and what it owes the caller. No I/O; times are seconds, monotonic.

A model makes one response at a time, which has no name until the model gives it one. What is asked for meanwhile is a
*wish*, and asked for when the model is free. An answer is *owed* from when the caller has finished until it begins.
"""

import math

from bot.voice import realtime_wire as wire

ASK = "ask"
"""What an error is named by that refuses a response."""
_MOST_RETRIES = 2


class Asking:
    def __init__(self, stall_s: float) -> None:
        """`stall_s` is how long the model may take over anything it was asked for."""
        self._stall_s = stall_s
        self._active: str | None = None  # the response under way; empty until the model has named it
        self._is_unwanted = False  # it was cancelled before it had a name
        self._awaited_since = 0.0
        self._stalls = 0
        self._retries = 0
        self.wish: str | None = None
        """The instructions of a response to ask for as soon as it can be had; empty ones are the session's."""
        self.is_owed = False

    @property
    def is_under_way(self) -> bool:
        """Whether the model makes a response, or was asked for one."""
        return self._active is not None

    @property
    def is_awaited(self) -> bool:
        return self.is_owed or self._active is not None

    @property
    def stalled_at(self) -> float:
        """When the model must have gone on with what it was asked for; infinity where that is nothing."""
        return self._awaited_since + self._stall_s if self.is_awaited else math.inf

    def ask(self, now: float, instructions: str = "", *, is_free: bool) -> list[bytes]:
        """The message that has the model speak, where nothing is under way and it `is_free` to; else it is a wish."""
        if not self.is_owed:
            self.owe(now)
        if not is_free or self._active is not None:
            self.wish = instructions
            return []
        self.wish = None
        self._active = ""
        self._awaited_since = now
        return [wire.create_response(ASK, instructions)]

    def owe(self, now: float) -> None:
        """The caller has finished."""
        self.is_owed, self._awaited_since = True, now

    def moved(self, now: float) -> None:
        """The model has given a sign of life."""
        self._awaited_since = now

    def settle(self) -> None:
        """The answer begins, or none is wanted."""
        self.is_owed = False

    def drop(self) -> None:
        """Neither what is owed nor what was to be asked for is wanted any more."""
        self.is_owed = False
        self.wish = None

    # -- one response ------------------------------------------------------------------------------------------------

    def is_active(self, response_id: str) -> bool:
        return self._active == response_id

    def created(self, response_id: str, now: float) -> bool:
        """The model has named its response; whether it is still wanted."""
        self._awaited_since = now
        self._active = response_id
        is_wanted, self._is_unwanted = not self._is_unwanted, False
        return is_wanted

    def cancel(self) -> str | None:
        """What is under way is not wanted any more: its name, empty if it has none yet; None where there is nothing."""
        if self._active == "":
            self._is_unwanted = True
        return self._active

    def done(self) -> None:
        """Nothing is under way, whatever became of it."""
        self._active = None

    def answered(self) -> None:
        """There is sound: what went wrong before is forgiven."""
        self.is_owed = False
        self._stalls = self._retries = 0

    # -- what goes wrong ---------------------------------------------------------------------------------------------

    def crowded(self) -> None:
        """The model was making a response by itself: ours must wait."""
        self.wish = self.wish or ""
        self._active = self._active or None

    def lost(self) -> None:
        """The session is gone, and what it was making is owed by the next one."""
        self.is_owed = self.is_awaited
        self._active = None

    def stalled(self) -> bool:
        """The model did not go on; whether another session is worth a try."""
        self._stalls += 1
        return self._stalls <= 1

    def failed(self) -> bool:
        """A response failed; whether to ask again."""
        self._retries += 1
        if self._retries <= _MOST_RETRIES:
            return True
        self.is_owed = False
        self._retries = 0
        return False
