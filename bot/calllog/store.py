"""The call log as the rest of the bot sees it: written on the event loop without waiting, read with await.

Several processes may share one database: each has a row in `runs` and keeps its heartbeat there, so that a process
that starts ends the calls of dead ones and of no other. Nothing here decides about a call.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Self
from weakref import WeakKeyDictionary

import structlog
from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.calllog import database, runs
from bot.calllog.interrupted import mark_interrupted
from bot.calllog.reader import CallReader
from bot.calllog.records import CallEnded, Record
from bot.calllog.reviews import mark_message
from bot.calllog.writer import BatchWriter, Numbered
from bot.calllog.writing import write_batch
from bot.errors import StoreError

CLOSE_S = 5.0
_NUMBERS_PER_RUN = 1 << 36  # a run's own range: records for decades, in 134 million runs

log = structlog.get_logger()

_turns_by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


def _turns() -> asyncio.Lock:
    return _turns_by_loop.setdefault(asyncio.get_running_loop(), asyncio.Lock())


class CallLog(CallReader):
    """One process's access to the call log. Open it with `CallLog.open`, and close it."""

    @classmethod
    async def open(cls, url: str) -> Self:
        """Make or upgrade the database, end the calls of dead processes, and be ready to write.

        Raises `StoreError` with what to do where the database is unreachable, unwritable or from a newer Offhook.
        """
        address = database.parse_url(url)
        if database.is_sqlite(address):
            await asyncio.to_thread(database.make_file, address)
        engine = database.create_engine(address)
        try:
            with database.explained(address, "open"):
                return await cls._open(address, engine)
        except BaseException:
            await engine.dispose()
            raise

    @classmethod
    async def _open(cls, address: URL, engine: AsyncEngine) -> Self:
        me = runs.this_process()
        # Alembic keeps the migration it is at in a global: logs that are opened at once in one process take turns.
        async with _turns(), database.for_writing(engine).begin() as connection:
            await connection.run_sync(database.migrate)
            run = await runs.register(connection, me)
            interrupted = await mark_interrupted(connection, await runs.dead_runs(connection, me, run))
        _tell(interrupted)
        return cls(address, engine, me, run, interrupted)

    def __init__(self, address: URL, engine: AsyncEngine, me: runs.Process, run: int, interrupted: int) -> None:
        super().__init__(address, engine)
        self.interrupted = interrupted
        """How many calls of dead processes were ended when this log was opened."""
        self._me = me
        self._run = run
        self._writes = database.for_writing(engine)
        self._rows: dict[str, int] = {}  # of the calls going on, so that they need no looking up
        self._writer = BatchWriter(self._save, first_number=run * _NUMBERS_PER_RUN)
        self._heart = asyncio.create_task(self._keep_beating())
        self._is_closed = False

    @property
    def dropped_events(self) -> int:
        """How many timeline events were lost because the database failed for too long."""
        return self._writer.dropped_events

    def write(self, record: Record) -> None:
        """Take a record; it is in the database a fraction of a second later. Never waits, never fails for I/O."""
        if self._is_closed:
            raise StoreError("the call log is closed: a call must end before its log does")
        self._writer.write(record)

    async def flush(self) -> None:
        """Return when everything written so far is in the database; raise `StoreError` if the next attempt fails."""
        await self._writer.flush()

    async def close(self) -> None:
        """Write what waits, sign off and let go of the database; raise `StoreError` if anything was lost."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._writer.flush()
                await self._sign_off()
        except (StoreError, TimeoutError) as exc:
            reason = str(exc) or f"the database did not answer within {CLOSE_S:.0f} s"
            raise StoreError(f"the call log closed with {self._writer.waiting} records unwritten: {reason}") from exc
        finally:
            self._heart.cancel()
            await asyncio.gather(self._heart, self._writer.stop(), return_exceptions=True)
            await self._engine.dispose()

    @property
    def run(self) -> int:
        """This process's number among all that have written here."""
        return self._run

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """One transaction, kept unless the block raises; for what is no record of a call. Raises `StoreError`."""
        with database.explained(self._address, "write"):
            async with self._writes.begin() as connection:
                yield connection

    async def mark_message_read(self, message_id: int, by: str = "") -> bool:
        """Note that somebody has dealt with a message; False if there is none of this id. The first time stands."""
        async with self.writing() as connection:
            return await mark_message(connection, message_id, by, datetime.now(UTC))

    async def _save(self, batch: Sequence[Numbered]) -> None:
        """Write a batch. What the database will never take is dropped; what may work later raises `StoreError`."""
        try:
            async with self._writes.begin() as connection:
                rows = await write_batch(connection, batch, self._run, self._rows)
        except (SQLAlchemyError, OSError, OverflowError) as exc:
            if not _is_refusal(exc):
                raise StoreError(database.explain(self._address, "write", exc)) from exc
            await self._save_without_refused(batch, exc)
        else:
            self._remember(batch, rows)

    async def _save_without_refused(self, batch: Sequence[Numbered], exc: Exception) -> None:
        if len(batch) == 1:
            record = batch[0][1]
            log.error("record_refused", kind=type(record).__name__, call_id=record.call_id, reason=type(exc).__name__)
            return
        middle = len(batch) // 2
        await self._save(batch[:middle])
        await self._save(batch[middle:])

    def _remember(self, batch: Sequence[Numbered], rows: dict[str, int]) -> None:
        call_ids = {record.call_id for _, record in batch}
        ended = {record.call_id for _, record in batch if type(record) is CallEnded}
        self._rows |= rows
        for call_id in ended:
            self._rows.pop(call_id, None)
        if strangers := call_ids - rows.keys():
            log.error("records_of_unknown_calls_dropped", call_ids=sorted(strangers), advice="write CallStarted first")

    async def beat(self, *, judge_others: bool = True) -> int:
        """Show that we live, and end the calls of those that do not; returns how many calls that were."""
        interrupted = 0
        with database.explained(self._address, "write"):
            async with self._writes.begin() as connection:
                await runs.beat(connection, self._run)
                if judge_others:
                    dead = await runs.dead_runs(connection, self._me, self._run)
                    interrupted = await mark_interrupted(connection, dead)
        _tell(interrupted)
        return interrupted

    async def _keep_beating(self) -> None:
        judge_others = True
        while True:
            await asyncio.sleep(runs.HEARTBEAT_S)
            try:
                await self.beat(judge_others=judge_others)
                judge_others = True
            except StoreError as exc:
                judge_others = False  # after an outage nobody has beaten lately: let the others show themselves first
                log.warning("heartbeat_failed", reason=str(exc))

    async def _sign_off(self) -> None:
        with database.explained(self._address, "close"):
            async with self._writes.begin() as connection:
                await runs.sign_off(connection, self._run)


def _tell(interrupted: int) -> None:
    if interrupted:
        log.warning("interrupted_calls_found", calls=interrupted)


def _is_refusal(exc: Exception) -> bool:
    """Whether the same record would be refused again, by the database (SQLSTATE 22, 23) or on the way to it."""
    if isinstance(exc, DBAPIError):
        return isinstance(exc, IntegrityError) or str(getattr(exc.orig, "sqlstate", "")).startswith(("22", "23"))
    return isinstance(exc, StatementError | OverflowError)
