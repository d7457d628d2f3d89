"""The one alarm clock of a call: set to the earliest moment that anybody waits for. It decides nothing.

It never goes off before its time. uvloop counts whole milliseconds and rounds: an alarm for a moment between two of
them would ring up to half a millisecond early, find nothing due, be set again for now, and so on until the clock moves.
"""

import asyncio
import math


class Alarm:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.at = math.inf
        """When it goes off (seconds on the loop's clock); infinity: it is not set."""
        self._timer: asyncio.TimerHandle | None = None
        self._rings: asyncio.Future[None] = loop.create_future()  # several times a second: cheaper than an Event

    def set(self, at: float) -> None:
        """Go off at this time, unless it is set to an earlier one: to ring for nothing now and then costs little."""
        if at < self.at:
            self.stop()
            self.at = at
            self._timer = self._loop.call_at(math.ceil(at * 1000) / 1000, self._ring)

    async def wait(self) -> None:
        """Until it goes off. It is not set any more then."""
        await self._rings
        self._rings = self._loop.create_future()
        self.stop()

    def stop(self) -> None:
        self.at = math.inf
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        if not self._rings.done():
            self._rings.set_result(None)
