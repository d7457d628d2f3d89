"""A few threads for slow work, given to whoever a caller waits for.

Everything here but the work itself happens on the event loop, so there is no lock: a job waits in a bounded list,
the most urgent first (and among equals the oldest), until one of the threads is free. Cancelling the task that
awaits a job takes the job out of the list; a job that already runs is left to finish on its thread, which counts as
taken until then, and nobody gets its result. The threads yield the processor to the event loop (`nice`), since a frame
of audio that is 20 ms late is heard and a reply that is 2 ms late is not.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeVar

from bot.errors import VoiceError

T = TypeVar("T")

_NICENESS = 5


class Urgency(IntEnum):
    """Who goes first. A caller in silence, then sound that will be needed soon, then guesses."""

    CALLER_WAITS = 0
    SOON = 1
    GUESS = 2


@dataclass(slots=True, eq=False)
class Job:
    """Work that was asked for; its urgency may be raised while it waits."""

    work: Callable[[], Any]
    urgency: Urgency
    result: asyncio.Future[Any]


class Pool:
    """At most `workers` jobs run and `max_waiting` wait; one more raises `VoiceError`, or drops a waiting guess."""

    def __init__(self, workers: int = 2, max_waiting: int = 32) -> None:
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix="offhook-model", initializer=_step_back)
        self._workers = workers
        self._max_waiting = max_waiting
        self._running = 0
        self._waiting: list[Job] = []

    @property
    def running(self) -> int:
        return self._running

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    async def run(self, work: Callable[[], T], urgency: Urgency = Urgency.CALLER_WAITS) -> T:
        """What `work` returns or raises, from a thread; `VoiceError` when too much is waiting."""
        return await self.wait(self.submit(work, urgency))

    def submit(self, work: Callable[[], Any], urgency: Urgency) -> Job:
        """A job in the list; whoever submits must `wait` for it, or it stays there until its turn."""
        self._make_room(urgency)
        job = Job(work, urgency, asyncio.get_running_loop().create_future())
        self._waiting.append(job)
        self._start_waiting()
        return job

    async def wait(self, job: Job) -> Any:
        try:
            return await job.result
        finally:
            if job in self._waiting:  # cancelled before its turn
                self._waiting.remove(job)

    def close(self) -> None:
        """Drop what waits and let the threads end; what runs is not interrupted."""
        for job in self._waiting:
            job.result.cancel()
        self._waiting.clear()
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _make_room(self, urgency: Urgency) -> None:
        if len(self._waiting) < self._max_waiting:
            return
        least = max(self._waiting, key=lambda job: job.urgency)
        if least.urgency <= urgency:
            raise VoiceError(f"the local models are overloaded: {len(self._waiting)} requests are already waiting")
        self._waiting.remove(least)
        least.result.set_exception(VoiceError("dropped for a caller who is waiting: the local models are overloaded"))

    def _start_waiting(self) -> None:
        while self._waiting and self._running < self._workers:
            job = min(self._waiting, key=lambda job: job.urgency)  # the first of equals, which is the oldest
            self._waiting.remove(job)
            self._running += 1
            done = asyncio.get_running_loop().run_in_executor(self._executor, job.work)
            done.add_done_callback(lambda done, job=job: self._settle(job, done))  # type: ignore[misc]

    def _settle(self, job: Job, done: asyncio.Future[Any]) -> None:
        self._running -= 1
        error = done.exception()
        if not job.result.done():  # else its task was cancelled while it ran
            if error is None:
                job.result.set_result(done.result())
            else:
                job.result.set_exception(error)
        self._start_waiting()


def _step_back() -> None:
    if sys.platform == "linux":  # elsewhere this would slow down the whole process
        os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)
