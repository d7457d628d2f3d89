"""Which worker should answer the next call: the one with the fewest."""

from collections import deque
from collections.abc import Mapping

from bot.workers.board import Row

MEMORY_S = 0.5
"""How long it may take at most until a call handed to a worker stands in that worker's row."""


class Balance:
    """One worker's choices. It remembers its latest ones, so that calls that come all at once are spread as well."""

    def __init__(self, me: int) -> None:
        self._me = me
        self._chosen: deque[tuple[float, int]] = deque()

    def choose(self, rows: Mapping[int, Row], now: float) -> int:
        """The worker for one more call; ourselves rather than an equal, and where no worker takes calls."""
        while self._chosen and self._chosen[0][0] <= now - MEMORY_S:
            self._chosen.popleft()
        given = [worker for _, worker in self._chosen]
        open_ones = [worker for worker, row in rows.items() if row.is_open] or [self._me]
        best = min(open_ones, key=lambda worker: (rows[worker].lines + given.count(worker), worker != self._me))
        self._chosen.append((now, best))
        return best
