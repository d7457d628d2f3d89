"""One task between the event loop and the database: takes records at once, saves them in batches, in order.

Everything that has gathered goes into one save, `BATCH_S` after the first of it at most. A save that fails is repeated,
at growing distances, for as long as it takes; meanwhile at most `MAX_WAITING` records are kept: beyond that, new
timeline events are dropped and counted, while turns, messages, recordings and ends always stay (a turn is a few hundred
bytes, every few seconds of a call). What saving means is the caller's affair: nothing here knows a database.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import structlog

from bot.calllog.records import Record, TimelineEvent
from bot.errors import StoreError

BATCH_S = 0.5
RETRY_MAX_S = 10.0
MAX_WAITING = 50_000

Numbered = tuple[int, Record]
log = structlog.get_logger()


class BatchWriter:
    """Writes records through `save`, which raises `StoreError` if all of a batch must be tried again.

    Each record gets a number, counted from `first_number`: the same one however often it is tried.
    """

    def __init__(
        self,
        save: Callable[[Sequence[Numbered]], Awaitable[None]],
        first_number: int = 0,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self.dropped_events = 0
        """How many timeline events were lost because saving failed for too long."""
        self._save = save
        self._max_waiting = max_waiting
        self._next_number = first_number
        self._saved_below = first_number
        self._waiting: list[Numbered] = []
        self._in_hand: list[Numbered] = []
        self._flushes: list[tuple[int, asyncio.Future[None]]] = []
        self._arrived = asyncio.Event()
        self._hurry = asyncio.Event()
        self._failing_since: float | None = None
        self._task = asyncio.create_task(self._keep_saving())

    @property
    def waiting(self) -> int:
        """How many records are not saved yet."""
        return len(self._in_hand) + len(self._waiting)

    def write(self, record: Record) -> None:
        if self.waiting >= self._max_waiting and type(record) is TimelineEvent:
            self._drop()
            return
        self._waiting.append((self._next_number, record))
        self._next_number += 1
        self._arrived.set()

    async def flush(self) -> None:
        """Return when everything written so far is saved; raise `StoreError` if the next attempt fails."""
        if self._saved_below >= self._next_number:
            return
        saved: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._flushes.append((self._next_number, saved))
        self._hurry.set()
        await saved

    async def stop(self) -> None:
        """Stop saving, whatever still waits."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def _drop(self) -> None:
        self.dropped_events += 1
        if self.dropped_events == 1:
            log.error("timeline_events_dropped", kept=self.waiting, advice="mend the database; turns and ends are kept")

    async def _keep_saving(self) -> None:
        while True:
            await self._arrived.wait()
            await self._pause(BATCH_S)
            self._arrived.clear()
            self._in_hand, self._waiting = self._waiting, []
            await self._save_until_done(self._in_hand)
            self._saved_below = self._in_hand[-1][0] + 1
            self._in_hand = []
            self._answer_flushes()

    async def _pause(self, seconds: float) -> None:
        """Wait, but not while somebody waits for us."""
        try:
            async with asyncio.timeout(seconds):
                await self._hurry.wait()
        except TimeoutError:
            return
        self._hurry.clear()

    async def _save_until_done(self, batch: Sequence[Numbered]) -> None:
        retry_s = BATCH_S
        while True:
            try:
                await self._save(batch)
            except StoreError as exc:
                self._fail(exc)
            else:
                self._recover()
                return
            await self._pause(retry_s)
            retry_s = min(retry_s * 2, RETRY_MAX_S)

    def _fail(self, exc: StoreError) -> None:
        if self._failing_since is None:
            self._failing_since = time.monotonic()
            log.error("call_log_unwritable", reason=str(exc), waiting=self.waiting, max_waiting=self._max_waiting)
        flushes, self._flushes = self._flushes, []
        for _, saved in flushes:
            if not saved.done():
                saved.set_exception(exc)

    def _recover(self) -> None:
        if self._failing_since is not None:
            failed_s = round(time.monotonic() - self._failing_since, 1)
            log.warning("call_log_writable_again", failed_s=failed_s, dropped_events=self.dropped_events)
            self._failing_since = None

    def _answer_flushes(self) -> None:
        open_ones = [(below, saved) for below, saved in self._flushes if not saved.done()]
        for below, saved in open_ones:
            if below <= self._saved_below:
                saved.set_result(None)
        self._flushes = [(below, saved) for below, saved in open_ones if not saved.done()]
        if self._flushes:
            self._hurry.set()  # the rest of what they wait for has gathered meanwhile
