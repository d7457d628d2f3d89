"""Which processes write this call log, and which of them are dead.

A call without an end was left behind only if its process is gone, and several may share one database. A process of
the same machine start and the same container is looked up exactly (pid and start time, so that a reused pid is not
mistaken for it); any other one is dead when its heartbeat has stopped. A process declared dead too early loses
nothing: what it writes later stands.
"""

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.calllog.schema import calls, runs

HEARTBEAT_S = 10.0
DEAD_AFTER_S = 35.0  # three heartbeats missed, and a moment more


@dataclass(frozen=True, slots=True)
class Process:
    """Who writes. `pid_space` names the machine start and the container whose pids these are; "" where unknown."""

    host: str
    pid: int
    pid_space: str
    process_start: str


def this_process() -> Process:
    pid = os.getpid()
    return Process(socket.gethostname(), pid, _pid_space(), _process_start(pid))


def is_dead(owner: Process, heartbeat_at: datetime, me: Process, now: datetime) -> bool:
    """Whether nobody will write for `owner` any more, as `me` sees it."""
    if owner.pid_space and owner.pid_space == me.pid_space:
        return _process_start(owner.pid) != owner.process_start
    return now - heartbeat_at > timedelta(seconds=DEAD_AFTER_S)


def _pid_space() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _process_start(pid: int) -> str:
    """The start of a process in clock ticks since boot (field 22 of /proc/PID/stat, see proc(5)); "" if it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    state, *fields = stat.rpartition(")")[2].split()  # the name before it, in brackets, may hold anything
    return "" if state in "ZX" else fields[18]  # a zombie writes no more


async def database_time(connection: AsyncConnection) -> datetime:
    """The clock that all processes sharing the database agree on."""
    if connection.dialect.name == "sqlite":
        return datetime.now(UTC)  # one machine, one clock
    now: datetime = (await connection.execute(select(func.clock_timestamp()))).scalar_one()
    return now


async def register(connection: AsyncConnection, me: Process) -> int:
    now = await database_time(connection)
    row = {
        "host": me.host,
        "pid": me.pid,
        "pid_space": me.pid_space,
        "process_start": me.process_start,
        "opened_at": now,
        "heartbeat_at": now,
    }
    run: int = (await connection.execute(insert(runs).values(row).returning(runs.c.id))).scalar_one()
    return run


async def beat(connection: AsyncConnection, run: int) -> None:
    now = await database_time(connection)
    await connection.execute(update(runs).where(runs.c.id == run).values(heartbeat_at=now))


async def sign_off(connection: AsyncConnection, run: int) -> None:
    now = await database_time(connection)
    await connection.execute(update(runs).where(runs.c.id == run).values(heartbeat_at=now, closed_at=now))


async def dead_runs(connection: AsyncConnection, me: Process, own_run: int) -> Sequence[int]:
    """The runs that still have calls without an end and nobody to end them."""
    now = await database_time(connection)
    has_open_calls = select(calls.c.run).where(calls.c.ended_at.is_(None))
    found = await connection.execute(select(runs).where(runs.c.id.in_(has_open_calls), runs.c.id != own_run))
    return [
        row.id
        for row in found
        if row.closed_at is not None
        or is_dead(Process(row.host, row.pid, row.pid_space, row.process_start), row.heartbeat_at, me, now)
    ]
