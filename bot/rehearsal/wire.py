"""One direction of a line in real time: what goes in comes out later, in order. The arithmetic is in line.py."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from bot.rehearsal.line import Direction

T = TypeVar("T")


class Wire(Generic[T]):
    """Carries items to `deliver`. It holds what is under way (the line's delay), which nothing else bounds."""

    def __init__(self, direction: Direction, deliver: Callable[[T], Awaitable[None]]) -> None:
        self._direction = direction
        self._deliver = deliver
        self._under_way: asyncio.Queue[tuple[float, T]] = asyncio.Queue()

    def send(self, item: T) -> None:
        now = asyncio.get_running_loop().time()
        self._under_way.put_nowait((self._direction.arrival(now), item))

    async def run(self) -> None:
        """Deliver for ever, each item when it arrives; ends with what `deliver` raises, or by cancellation."""
        loop = asyncio.get_running_loop()
        while True:
            arrival, item = await self._under_way.get()
            if (wait_s := arrival - loop.time()) > 0:
                await asyncio.sleep(wait_s)
            await self._deliver(item)
            self._under_way.task_done()

    async def drain(self) -> None:
        """Wait until everything sent so far was delivered."""
        await self._under_way.join()
