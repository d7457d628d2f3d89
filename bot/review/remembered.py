"""What several people ask for at once: found once, and kept for a few seconds."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class Remembered(Generic[V]):
    """One per kind of thing. Keys name what is asked for; what could not be found is tried again at the next asking."""

    def __init__(self, keep_s: float) -> None:
        self._keep_s = keep_s
        self._found: dict[Hashable, tuple[float, asyncio.Task[V]]] = {}

    async def get(self, key: Hashable, find: Callable[[], Awaitable[V]], now: float) -> V:
        """What `find` gives, or gave at most `keep_s` before `now` (seconds, monotonic); raises what it raises."""
        self._found = {name: entry for name, entry in self._found.items() if not self._is_old(entry, now)}
        if key not in self._found:
            self._found[key] = now, asyncio.ensure_future(_awaited(find))
        # Shielded: who stops waiting must not take it from the others.
        return await asyncio.shield(self._found[key][1])

    def _is_old(self, entry: tuple[float, asyncio.Task[V]], now: float) -> bool:
        found_at, task = entry
        return task.done() and (now - found_at > self._keep_s or task.cancelled() or task.exception() is not None)


async def _awaited(find: Callable[[], Awaitable[V]]) -> V:
    return await find()
