"""The list of live calls: who may come in, and how the service stops. It knows no socket and no carrier."""

import asyncio
from collections.abc import Iterator
from typing import Protocol


class LiveCall(Protocol):
    call_id: str

    async def say_goodbye(self) -> None:
        """The service cannot wait any longer: tell the caller so and hang up."""


class Supervisor:
    def __init__(self, max_calls: int) -> None:
        self._max_calls = max_calls
        self._calls: dict[str, LiveCall] = {}
        self._is_empty = asyncio.Event()
        self._is_empty.set()
        self.is_draining = False

    def has_room(self, expected: int = 0) -> bool:
        """Whether one more call may come in, besides the live ones and those answered and on their way."""
        return not self.is_draining and len(self._calls) + expected < self._max_calls

    def enter(self, call: LiveCall) -> None:
        self._calls[call.call_id] = call
        self._is_empty.clear()

    def leave(self, call: LiveCall) -> None:
        self._calls.pop(call.call_id, None)
        if not self._calls:
            self._is_empty.set()

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[LiveCall]:
        return iter(tuple(self._calls.values()))

    async def empty(self) -> None:
        """Wait until no call is under way."""
        await self._is_empty.wait()

    async def drain(self, patience_s: float, goodbye_s: float) -> int:
        """Take no new calls and let the live ones finish; then tell those that are left goodbye.

        Returns how many calls had to be told.
        """
        self.is_draining = True
        if await self._emptied(patience_s):
            return 0
        told = list(self)
        for call in told:
            await call.say_goodbye()
        await self._emptied(goodbye_s)
        return len(told)

    async def _emptied(self, timeout_s: float) -> bool:
        try:
            await asyncio.wait_for(self._is_empty.wait(), timeout_s)
        except TimeoutError:
            return False
        return True
