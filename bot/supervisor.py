"""The list of live calls: who may come in, and how the service stops. It knows no socket and no carrier.

A call that was let in has a line until it ends: answered it has a ticket, then it arrives, then it is live. `Lines`
counts them over all processes that answer calls together.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class LiveCall(Protocol):
    call_id: str

    async def say_goodbye(self) -> None:
        """The service cannot wait any longer: tell the caller so and hang up."""


class Lines(Protocol):
    def take(self, lines: int) -> bool:
        """Let one more call in where this process has so many; False when all lines of the service are busy."""

    def live_calls(self, own: int) -> int:
        """The live calls of the service, of which this process has `own`."""


class OwnLines:
    """The lines of a service that is one process."""

    def __init__(self, max_calls: int) -> None:
        self._max_calls = max_calls

    def take(self, lines: int) -> bool:
        return lines < self._max_calls

    def live_calls(self, own: int) -> int:
        return own


class Supervisor:
    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._calls: dict[str, LiveCall] = {}
        self._arriving: set[str] = set()
        self._is_empty = asyncio.Event()
        self._is_empty.set()
        self.is_draining = False
        self.changed = asyncio.Event()
        """Set whenever the counts below may be others than before; whoever waits for it clears it."""

    def has_room(self, expected: int = 0) -> bool:
        """Let one more call in, if it may come: besides the live ones, those arriving, and so many with a ticket."""
        return not self.is_draining and self._lines.take(self.lines(expected))

    def lines(self, expected: int) -> int:
        """The calls of this process that were let in and have not ended."""
        return len(self._calls) + len(self._arriving) + expected

    @contextmanager
    def arriving(self, call_id: str) -> Iterator[None]:
        """A call's socket is being opened: it has no ticket any more, and is not live until it enters."""
        self._arriving.add(call_id)
        try:
            yield
        finally:
            self._arriving.discard(call_id)
            self.changed.set()

    def enter(self, call: LiveCall) -> None:
        self._arriving.discard(call.call_id)
        self._calls[call.call_id] = call
        self._is_empty.clear()
        self.changed.set()

    def leave(self, call: LiveCall) -> None:
        self._calls.pop(call.call_id, None)
        self.changed.set()
        if not self._calls:
            self._is_empty.set()

    def live_calls(self) -> int:
        """The live calls of the whole service, in whichever process."""
        return self._lines.live_calls(len(self))

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
        self.changed.set()
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
