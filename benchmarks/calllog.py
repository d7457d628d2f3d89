"""What the call log costs: while calls go on, and for records as fast as they come.

30 calls with 10 timeline events a second each, and a turn written again every half second. The reference does the least
that Python can: the same rows by `aiosqlite.executemany` with SQL written by hand, as often. "Loop" is the CPU time of
the event loop's own thread, which frames wait for; "process" includes the database's thread. An idle loop is taken off.
Last, what the end of a call costs, when it is summed up and put into the search index: calls of eight turns that end a
few at a time.

    python benchmarks/calllog.py                                     # SQLite
    python benchmarks/calllog.py postgresql+asyncpg://user@host/db   # an empty PostgreSQL database beside it
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

import aiosqlite

from bot.calllog.records import CallEnded, CallStarted, Record, TimelineEvent, TurnRecord
from bot.calllog.store import CallLog
from bot.calllog.writer import BATCH_S

CALLS = 30
TICK_S = 0.1  # each call has an event a tick
SECONDS = 8
BURST = 40_000
ENDED = 200
ENDED_AT_ONCE = 5
SAID = "I would like to know number {} whether you are open on the morning of the Saturday after next week"


class Log(Protocol):
    def write(self, record: Record) -> None: ...

    async def flush(self) -> None: ...

    async def close(self) -> None: ...


class RawSqlite:
    """The reference: no validation, no keys looked up, no migration, no retry."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        self._waiting: list[Record] = []
        self._number = 0
        self._task = asyncio.create_task(self._keep_writing())

    @classmethod
    async def open(cls, path: str) -> "RawSqlite":
        connection = await aiosqlite.connect(path, isolation_level=None)
        await connection.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
            "CREATE TABLE events (id INTEGER PRIMARY KEY, call_id TEXT, at_ms INTEGER, kind TEXT, data TEXT);"
            "CREATE INDEX events_call ON events (call_id, at_ms);"
            "CREATE TABLE turns (call_id TEXT, turn INTEGER, started_ms INTEGER, text TEXT, heard TEXT,"
            " PRIMARY KEY (call_id, turn));"
        )
        return cls(connection)

    def write(self, record: Record) -> None:
        self._waiting.append(record)

    async def flush(self) -> None:
        batch, self._waiting = self._waiting, []
        events = [
            (self._number + at, record.call_id, record.at_ms, record.kind, json.dumps(record.data))
            for at, record in enumerate(batch)
            if type(record) is TimelineEvent
        ]
        turns = [
            (record.call_id, record.index, record.started_ms, record.text, record.heard_text)
            for record in batch
            if type(record) is TurnRecord
        ]
        self._number += len(batch)
        await self._connection.execute("BEGIN IMMEDIATE")
        await self._connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?)", events)
        await self._connection.executemany("INSERT OR REPLACE INTO turns VALUES (?, ?, ?, ?, ?)", turns)
        await self._connection.execute("COMMIT")

    async def close(self) -> None:
        self._task.cancel()
        await self.flush()
        await self._connection.close()

    async def _keep_writing(self) -> None:
        while True:
            await asyncio.sleep(BATCH_S)
            await self.flush()


class Nothing:
    """An idle loop that makes the same records."""

    def write(self, record: Record) -> None:
        pass

    async def flush(self) -> None:
        pass

    async def close(self) -> None:
        pass


def event(call: int, at_ms: int) -> TimelineEvent:
    return TimelineEvent(f"call-{call}", at_ms, "mark_returned", {"name": f"reply-{at_ms}", "heard_ms": at_ms})


def turn(call: int, at_ms: int) -> TurnRecord:
    index, heard = divmod(at_ms, 5000)
    return TurnRecord(
        call_id=f"call-{call}", index=index, role="bot", kind="reply", started_ms=index * 5000,
        text="We are open from nine to six, Monday to Saturday.", heard_text="We are open", heard_ms=heard,
    )  # fmt: skip


async def live_calls(log: Log) -> tuple[float, float]:
    """CPU ms of the loop's thread and of the process for each second of each call."""
    loop_s, process_s = time.thread_time(), time.process_time()
    begin = time.monotonic()
    for tick in range(round(SECONDS / TICK_S)):
        for call in range(CALLS):
            log.write(event(call, round(tick * TICK_S * 1000)))
            if (tick + call) % 5 == 0:
                log.write(turn(call, round(tick * TICK_S * 1000)))
        await asyncio.sleep(max(0.0, begin + (tick + 1) * TICK_S - time.monotonic()))
    await log.flush()
    call_seconds = CALLS * SECONDS / 1000
    return (time.thread_time() - loop_s) / call_seconds, (time.process_time() - process_s) / call_seconds


async def burst(log: Log) -> float:
    """Records a second when they all come at once."""
    records = [event(number % CALLS, number) for number in range(BURST)]
    begin = time.perf_counter()
    for record in records:
        log.write(record)
    await log.flush()
    return BURST / (time.perf_counter() - begin)


async def ends(log: Log) -> tuple[float, float]:
    """CPU ms of the loop's thread and of the process for the end of a call."""
    for call in range(ENDED):
        log.write(start(f"ended-{call}"))
        for index in range(8):
            log.write(
                TurnRecord(
                    call_id=f"ended-{call}", index=index, role="caller", kind="speech", started_ms=index * 5000,
                    text=SAID.format(call * 8 + index),
                )
            )  # fmt: skip
    await log.flush()
    loop_s, process_s = time.thread_time(), time.process_time()
    for call in range(ENDED):
        log.write(
            CallEnded(
                call_id=f"ended-{call}", ended_at=datetime.now(UTC), duration_ms=40_000, end_reason="caller_hung_up",
                turns=8, interruptions=0, reply_p50_ms=None, reply_p95_ms=None,
            )
        )  # fmt: skip
        if call % ENDED_AT_ONCE == 0:
            await log.flush()
    await log.flush()
    return (time.thread_time() - loop_s) * 1000 / ENDED, (time.process_time() - process_s) * 1000 / ENDED


async def call_log(url: str) -> Log:
    log = await CallLog.open(url)
    for call in range(CALLS):
        log.write(start(f"call-{call}"))
    await log.flush()
    return log


def start(call_id: str) -> CallStarted:
    return CallStarted(
        call_id=call_id,
        carrier="twilio",
        carrier_call_id=f"CA{call_id}",
        bot="reception",
        from_number="+15550001111",
        to_number="+15550002222",
        started_at=datetime.now(UTC),
    )


async def nothing() -> Log:
    return Nothing()


async def measure(opened: Callable[[], Awaitable[Log]]) -> tuple[float, float, float, tuple[float, float]]:
    log = await opened()
    loop_ms, process_ms = await live_calls(log)
    rate = await burst(log)
    end_ms = await ends(log) if isinstance(log, CallLog) else (0.0, 0.0)
    await log.close()
    return loop_ms, process_ms, rate, end_ms


async def main(arguments: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        idle_loop, idle_process, _, _ = await measure(nothing)
        kinds: dict[str, Callable[[], Awaitable[Log]]] = {
            "aiosqlite, by hand": lambda: RawSqlite.open(f"{folder}/raw.db"),
            "call log, SQLite": lambda: call_log(f"sqlite:///{folder}/calls.db"),
        }
        if arguments:
            kinds["call log, PostgreSQL"] = lambda: call_log(arguments[0])
        print(
            f"{CALLS} calls, {1 / TICK_S:.0f} events and 2 turns a second each, for {SECONDS} s; then {BURST:,} events"
        )
        print(
            f"{'':22}{'loop ms/call-s':>16}{'process ms/call-s':>20}{'records/s':>12}{'ms/end: loop':>14}{'process':>9}"
        )
        for name, opened in kinds.items():
            loop_ms, process_ms, rate, (loop_end_ms, process_end_ms) = await measure(opened)
            print(
                f"{name:22}{loop_ms - idle_loop:16.3f}{process_ms - idle_process:20.3f}{rate:12,.0f}"
                f"{loop_end_ms:14.2f}{process_end_ms:9.2f}"
            )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
