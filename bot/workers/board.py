"""What the workers know of each other: a few numbers each, in memory that all of them share.

A worker writes its own row only. One more call is let in under a lock, since otherwise two workers could give the last
line away at once; the kernel lets go of that lock (flock(2)) when its holder dies, and it is held for microseconds.
The foreman clears the row of a worker that has died. Nothing here waits for another process to answer.
"""

import fcntl
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_COLUMNS = 3
_CELL_BYTES = 8


@dataclass(frozen=True, slots=True)
class Row:
    """One worker's calls. `lines` are its live calls and those answered or let in that are on their way."""

    is_open: bool = False
    """Whether it takes new calls: it listens, and does not drain."""
    live_calls: int = 0
    lines: int = 0


class Board:
    """The rows of workers 1 to `workers`, as one of them (or the foreman) reads and writes them."""

    def __init__(self, path: Path) -> None:
        """Open a board that `make` has made; raises `OSError`."""
        # Opened anew in each process: processes that share an open file would share its lock as well.
        self._file = path.open("r+b", buffering=0)
        self._memory = mmap.mmap(self._file.fileno(), 0)
        self._cells = memoryview(self._memory).cast("q")  # a cell is written at one stroke: no reader sees half of it
        self.workers = len(self._cells) // _COLUMNS

    @classmethod
    def make(cls, path: Path, workers: int) -> Self:
        path.write_bytes(bytes(workers * _COLUMNS * _CELL_BYTES))
        return cls(path)

    def close(self) -> None:
        self._cells.release()
        self._memory.close()
        self._file.close()

    def row(self, worker: int) -> Row:
        is_open, live_calls, lines = self._cells[self._place(worker)].tolist()
        return Row(bool(is_open), live_calls, lines)

    def rows(self) -> dict[int, Row]:
        return {worker: self.row(worker) for worker in range(1, self.workers + 1)}

    def write(self, worker: int, row: Row) -> None:
        first = self._place(worker).start
        self._cells[first], self._cells[first + 1], self._cells[first + 2] = row.is_open, row.live_calls, row.lines

    def take_line(self, worker: int, lines: int, max_calls: int) -> bool:
        """Let one more call in at a worker that has so many, unless that makes more than `max_calls` over all."""
        with self._locked():
            others = sum(row.lines for number, row in self.rows().items() if number != worker)
            if others + lines >= max_calls:
                return False
            self._cells[self._place(worker).start + 2] = lines + 1
            return True

    def _place(self, worker: int) -> slice:
        return slice((worker - 1) * _COLUMNS, worker * _COLUMNS)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)
