"""A few threads for slow work, given to whoever has to have it first.

Everything here but the work itself happens on the event loop, so there is no lock. A job waits in a bounded list until
one of the threads is free; the one that is wanted soonest goes first. A guess is wanted when the pause that started
it has become a turn, so it gives way to every request of a caller who already waits, and no longer does once its own
caller waits too. Cancelling the task that awaits a job takes the job out of the list; a job that already runs is left
to finish on its thread, which counts as taken until then, and nobody gets its result.

The threads yield the processor to the event loop (`nice`): a frame of audio that is 20 ms late is heard, a reply that
is 2 ms late is not. `benchmarks/local_models.py` compares how late the loop gets beside threads and beside processes.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, TypeVar

from bot.errors import VoiceError

T = TypeVar("T")

_NICENESS = 5


class Urgency(Enum):
    """How many milliseconds after it was asked for something is wanted."""

    CALLER_WAITS = 0
    GUESS = 300  # the hangover (500 ms) less the pause (200 ms) that starts a guess
    SOON = 500  # sound for when the sentence that now plays is over
    UPLOAD = 3000  # a file, for which nobody holds a telephone


@dataclass(slots=True, eq=False)
class _Job:
    work: Callable[[], Any]
    wanted_at: float  # on the event loop's clock, seconds
    result: asyncio.Future[Any]


class Pool:
    """At most `workers` jobs run and `max_waiting` wait. One more is refused, or replaces a less urgent one."""

    def __init__(self, workers: int | None = None, max_waiting: int = 32) -> None:
        """Two to eight workers, by the number of processors, unless told otherwise."""
        workers = workers or min(8, max(2, os.cpu_count() or 1))
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix="offhook-model", initializer=_step_back)
        self.workers = workers
        self._max_waiting = max_waiting
        self._running = 0
        self._waiting: list[_Job] = []
        self._is_closed = False

    @property
    def running(self) -> int:
        return self._running

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    async def run(self, work: Callable[[], T], urgency: Urgency = Urgency.CALLER_WAITS) -> T:
        """What `work` returns or raises, from a thread; `VoiceError` when too much is waiting or the pool is closed."""
        if self._is_closed:
            raise VoiceError("the local models are closed")
        loop = asyncio.get_running_loop()
        result: asyncio.Future[T] = loop.create_future()
        job = _Job(work, loop.time() + urgency.value / 1000, result)
        self._enqueue(job)
        self._start_waiting()
        try:
            return await result
        finally:
            if job in self._waiting:  # its task was cancelled
                self._waiting.remove(job)

    def close(self) -> None:
        """Refuse what waits and let the threads end; what runs is not interrupted."""
        self._is_closed = True
        while self._waiting:
            self._refuse(self._waiting.pop(), "the local models are closed")
        self._executor.shutdown(wait=False)

    def _enqueue(self, job: _Job) -> None:
        self._waiting.append(job)
        if self._running >= self.workers and len(self._waiting) > self._max_waiting:
            last = max(self._waiting, key=lambda job: job.wanted_at)
            self._waiting.remove(last)
            self._refuse(last, f"the local models are overloaded: {self._max_waiting} requests are waiting already")

    def _start_waiting(self) -> None:
        while self._waiting and self._running < self.workers:
            job = min(self._waiting, key=lambda job: job.wanted_at)  # the first of equals, which is the oldest
            self._waiting.remove(job)
            self._running += 1
            done = asyncio.get_running_loop().run_in_executor(self._executor, job.work)
            done.add_done_callback(partial(self._settle, job))

    def _settle(self, job: _Job, done: asyncio.Future[Any]) -> None:
        self._running -= 1
        error = done.exception()
        if not job.result.done():  # else its task was cancelled while it ran
            if error is None:
                job.result.set_result(done.result())
            else:
                job.result.set_exception(error)
        if not self._is_closed:
            self._start_waiting()

    def _refuse(self, job: _Job, why: str) -> None:
        if not job.result.done():
            job.result.set_exception(VoiceError(why))


def _step_back() -> None:
    if sys.platform == "linux":  # where niceness is a thread's; elsewhere the whole process would slow down
        os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)
