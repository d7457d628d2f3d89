"""Long work in steps on the threads that calls use too, so that a call waits for one step at most, and mostly not.

A step is a second or two of work. Between two steps of one piece of work others get their turn, and one thread of the
pool is always left to the calls.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Final, TypeVar

from bot.errors import VoiceError
from bot.local.pool import Pool, Urgency

T = TypeVar("T")

_END: Final = object()


class Background:
    """Belongs to one event loop."""

    def __init__(self, pool: Pool, max_pieces: int = 32) -> None:
        """`max_pieces` of work may be under way or waiting; one more is refused."""
        self._pool = pool
        self._turns = asyncio.Semaphore(max(1, pool.workers - 1))
        self._max_pieces = max_pieces
        self._pieces = 0

    async def steps(self, work: Iterator[T]) -> AsyncIterator[T]:
        """All that `work` yields, each `next` as a step on some thread, one after the other.

        Raises what a step raises, and `VoiceError` where too much is under way already or the pool is closed.
        """
        if self._pieces >= self._max_pieces:
            raise VoiceError(f"the local models are overloaded: {self._pieces} files are being worked on already")
        self._pieces += 1
        try:
            while (result := await self._step(work)) is not _END:
                yield result  # type: ignore[misc]
        finally:
            self._pieces -= 1

    async def _step(self, work: Iterator[T]) -> T | object:
        async with self._turns:
            return await self._pool.run(partial(_next, work), Urgency.UPLOAD)


def _next(work: Iterator[T]) -> T | object:
    return next(work, _END)
