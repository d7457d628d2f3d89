"""How long the rest of the machine kept a test's event loop from running.

What must happen soon happens later on a machine that has no processor for us. A test that measures real time adds what
was withheld to what it allows: on a quiet machine that is nothing. Time in which the loop itself computed is no excuse,
so that a call which blocks the loop gets no allowance for it.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

_TICK_S = 0.02
_SCHEDULED = Path("/proc/thread-self/schedstat")


class Starved:
    """What was withheld so far, in milliseconds."""

    def __init__(self) -> None:
        self.ms = 0.0

    async def watch(self) -> None:
        """For ever: sleep briefly, and see how much later than that it is, and who had the processor."""
        while True:
            slept_at, worked_s = time.monotonic(), time.thread_time()
            await asyncio.sleep(_TICK_S)
            passed_s, own_s = time.monotonic() - slept_at, time.thread_time() - worked_s
            self.ms += 1000 * max(0.0, passed_s - max(_TICK_S, own_s))


def queued_ms() -> float:
    """How long this thread has stood in line for a processor since it began; 0 where the system does not tell.

    Waiting for a lock that another thread of ours holds, such as the interpreter's, is not part of it.
    """
    try:
        return int(_SCHEDULED.read_text().split()[1]) / 1e6
    except OSError:
        return 0.0


@asynccontextmanager
async def starving() -> AsyncIterator[Starved]:
    """Watch this loop until the block is left."""
    starved = Starved()
    watching = asyncio.create_task(starved.watch())
    try:
        yield starved
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
