"""Ending the calls that a dead process left behind, with what is known of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.calllog.records import INTERRUPTED
from bot.calllog.schema import calls, events, messages, recordings, turns
from bot.calllog.summing_up import sum_up


async def mark_interrupted(connection: AsyncConnection, dead_runs: Sequence[int]) -> int:
    """Give every call of these runs that has no end the end it deserves; returns how many they were."""
    if not dead_runs:
        return 0
    unended = select(calls.c.id, calls.c.started_at).where(calls.c.run.in_(dead_runs), calls.c.ended_at.is_(None))
    marked = 0
    left_behind = (await connection.execute(unended)).all()
    for row, started_at in left_behind:
        marked += await _end(connection, row, started_at)
    await sum_up(connection, [row for row, _ in left_behind])
    return marked


async def _end(connection: AsyncConnection, row: int, started_at: datetime) -> int:
    written = (await connection.execute(select(turns).where(turns.c.call_row == row))).all()
    duration_ms = max(await _last_known_ms(connection, row), max((_turn_end_ms(turn) for turn in written), default=0))
    reply_ms = sorted(turn.reply_ms for turn in written if turn.reply_ms is not None)
    end = {
        "ended_at": started_at + timedelta(milliseconds=duration_ms),
        "duration_ms": duration_ms,
        "end_reason": INTERRUPTED,
        "turns": len(written),
        "interruptions": sum(turn.interrupted for turn in written),
        "reply_p50_ms": _percentile(reply_ms, 50),
        "reply_p95_ms": _percentile(reply_ms, 95),
        "counters": {},
    }
    # Another process may be at it too, and a call's own end is the better one.
    still_open = update(calls).where(calls.c.id == row, calls.c.ended_at.is_(None))
    return (await connection.execute(still_open.values(end))).rowcount


async def _last_known_ms(connection: AsyncConnection, row: int) -> int:
    latest = [
        select(func.max(events.c.at_ms)).where(events.c.call_row == row).scalar_subquery(),
        select(func.max(messages.c.at_ms + messages.c.duration_ms)).where(messages.c.call_row == row).scalar_subquery(),
        select(func.max(recordings.c.duration_ms)).where(recordings.c.call_row == row).scalar_subquery(),
    ]
    return max(ms or 0 for ms in (await connection.execute(select(*latest))).one())


def _turn_end_ms(turn: Row[Any]) -> int:
    end_ms: int = max(turn.started_ms + turn.heard_ms, turn.ended_ms or 0)
    return end_ms


def _percentile(values: Sequence[int], percent: int) -> int | None:
    """The nearest rank in sorted values; None of nothing."""
    return values[-(-len(values) * percent // 100) - 1] if values else None
