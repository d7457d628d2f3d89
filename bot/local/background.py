"""Long work in steps on the threads that calls use too, so that a call waits for one step at most, and mostly not.

A step is a second or two of work. Between two steps of one piece of work others get their turn, and one thread of the
pool is always left to the calls.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Final, Generic, TypeVar

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
        """Called off while it runs, it keeps its turn until its thread is free: else abandoned steps fill the pool."""
        await self._turns.acquire()
        step = _Step(work)
        running = asyncio.ensure_future(self._pool.run(step, Urgency.UPLOAD))
        running.add_done_callback(self._finish)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            if not step.has_begun:
                running.cancel()
            raise

    def _finish(self, step: "asyncio.Future[object]") -> None:
        self._turns.release()
        if not step.cancelled():
            step.exception()  # so that nobody is told of one that an abandoned step met


class _Step(Generic[T]):
    def __init__(self, work: Iterator[T]) -> None:
        self._work = work
        self.has_begun = False

    def __call__(self) -> T | object:
        self.has_begun = True
        return next(self._work, _END)
