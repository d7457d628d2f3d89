"""What the call log does for itself beside calls: sums up calls of an older Offhook, removes what is to go.

Every process tries once an hour, one at a time does it (`leases.py`). All of it is done in small transactions with a
pause as long as each took, so that the records of live calls never wait long; and each step can be the last one before
the process dies: the next one finds where it was.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Literal

import structlog
from sqlalchemy import inspect, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.calllog import deletion, leases
from bot.calllog.schema import call_words, calls
from bot.calllog.search_entries import take_out_left
from bot.calllog.store import CallLog
from bot.calllog.summing_up import sum_up
from bot.errors import StoreError

EVERY_S = 3600.0
BATCH = 20
WHY_EXPIRED = "older than keep_days"
BY = "retention"
_JOB = "upkeep"

log = structlog.get_logger()


class Upkeep:
    def __init__(self, calllog: CallLog, kept: Mapping[str, timedelta]) -> None:
        """`kept` says, by a bot's name, how long after their beginning its calls are kept; others stay for good."""
        self._log = calllog
        self._kept = kept
        self._task: asyncio.Task[None] | None = None
        self._is_over = asyncio.Event()

    def start(self) -> None:
        """Begin now, and again each hour."""
        self._task = asyncio.create_task(self._keep_going())

    async def close(self) -> None:
        """Stop after the step that is under way: one cut off in its transaction would leave the database locked."""
        self._is_over.set()
        if self._task is not None:
            await self._task

    async def _keep_going(self) -> None:
        while not self._is_over.is_set():
            try:
                await self.once(datetime.now(UTC))
            except StoreError as exc:
                log.warning("upkeep_failed", reason=str(exc), advice="it is tried again in an hour")
            await self._pause(EVERY_S)

    async def _pause(self, seconds: float) -> None:
        """Wait, but not beyond the end."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._is_over.wait(), seconds)

    async def once(self, now: datetime) -> None:
        """All there is to do; nothing where another process is at it. Raises `StoreError`."""
        async with self._log.writing() as connection:
            if not await leases.take(connection, _JOB, self._log.run):
                return
        try:
            await self._in_batches(_sum_up_older)
            await self._in_batches(_renew_words)
            await self._in_batches(_remove_older_index)
            await self._in_batches(_take_out_left)
            for bot, kept in self._kept.items():
                await self._in_batches(partial(_hide_expired, bot=bot, before=now - kept, now=now))
            await self._finish_deletions(now)
        finally:
            async with self._log.writing() as connection:
                await leases.give_up(connection, _JOB, self._log.run)

    async def _in_batches(self, work: Callable[[AsyncConnection], Awaitable[int]]) -> None:
        """Repeat a piece of work until it finds nothing to do, or the lease is lost."""
        done = BATCH
        while done == BATCH and not self._is_over.is_set():
            begin = time.monotonic()
            async with self._log.writing() as connection:
                if not await leases.take(connection, _JOB, self._log.run):
                    return
                done = await work(connection)
            await self._pause(time.monotonic() - begin)

    async def _finish_deletions(self, now: datetime) -> None:
        async with self._log.writing() as connection:
            waiting = await deletion.pending(connection)
        for row, call_id in waiting.items():
            if self._is_over.is_set():
                return
            begin = time.monotonic()
            await delete_now(self._log, row, call_id, now)
            await self._pause(time.monotonic() - begin)
        if waiting:
            log.info("calls_deleted", calls=len(waiting))


async def delete_call(
    calllog: CallLog, call_id: str, by: str, why: str, now: datetime
) -> Literal["hidden", "absent", "live"]:
    """Delete one call at once; what of it cannot be removed now is hidden, and removed later."""
    async with calllog.writing() as connection:
        asked = await deletion.ask(connection, call_id, by, why, now)
        waiting = await deletion.pending(connection, call_id)
    for row, stored_id in waiting.items():
        await delete_now(calllog, row, stored_id, now)
    return asked


async def delete_now(calllog: CallLog, row: int, call_id: str, now: datetime) -> bool:
    """Remove a hidden call's files and rows; False, and it is tried again in an hour, where a file cannot be."""
    try:
        await deletion.remove_files(calllog.writing, row)
    except OSError as exc:
        log.error("recording_not_deleted", call_id=call_id, error=str(exc), advice="let Offhook delete in that folder")
        return False
    await deletion.finish(calllog.writing, row, call_id, now)
    return True


async def _sum_up_older(connection: AsyncConnection) -> int:
    """Some calls that an older Offhook has written, the newest first."""
    is_old = calls.c.index_version == text("0"), calls.c.ended_at.is_not(None), calls.c.place.is_not(None)
    found = select(calls.c.id).where(*is_old).order_by(calls.c.place.desc()).limit(BATCH)
    rows = (await connection.execute(found)).scalars().all()
    await sum_up(connection, rows)
    return len(rows)


async def _renew_words(connection: AsyncConnection) -> int:
    """Some calls that stand in the search index as an older Offhook has put them there, the newest first."""
    older = select(call_words.c.call_row).where(call_words.c.version < text("2"))
    rows = (await connection.execute(older.order_by(call_words.c.place.desc()).limit(BATCH))).scalars().all()
    await sum_up(connection, rows)
    return len(rows)


async def _remove_older_index(connection: AsyncConnection) -> int:
    """PostgreSQL: what only calls that are all brought to this version were found by."""
    if connection.dialect.name == "postgresql":
        is_older = call_words.c.version < text("2")
        columns = await connection.run_sync(lambda sync: inspect(sync).get_columns("call_words"))
        is_needed = (await connection.execute(select(call_words.c.place).where(is_older).limit(1))).first() is not None
        if not is_needed and any(column["name"] == "lexemes" for column in columns):
            await connection.execute(text("ALTER TABLE call_words DROP COLUMN lexemes"))
    return 0


async def _take_out_left(connection: AsyncConnection) -> int:
    """Of SQLite's search, calls that somebody has deleted from the tables by hand."""
    return await take_out_left(connection, BATCH) if connection.dialect.name == "sqlite" else 0


async def _hide_expired(connection: AsyncConnection, bot: str, before: datetime, now: datetime) -> int:
    found = await deletion.expired(connection, bot, before, BATCH)
    if found:
        await deletion.hide(connection, found, BY, WHY_EXPIRED, now)
    return len(found)
