"""Where the records of all calls pass: into the call log, and to whoever watches calls as they happen."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bot.calllog.records import Record
from bot.calllog.store import CallLog

Watcher = Callable[[Record], None]


class Feed:
    def __init__(self, calllog: CallLog) -> None:
        self._calllog = calllog
        self._watchers: list[Watcher] = []

    def write(self, record: Record) -> None:
        """Returns at once; the call log writes in batches."""
        self._calllog.write(record)
        for watcher in self._watchers:
            watcher(record)

    async def flush(self) -> None:
        """Wait until everything written so far is in the call log."""
        await self._calllog.flush()

    @contextmanager
    def watched_by(self, watcher: Watcher) -> Iterator[None]:
        """While the block lasts, `watcher` is called with every record, on the event loop: it must be quick."""
        self._watchers.append(watcher)
        try:
            yield
        finally:
            self._watchers.remove(watcher)
