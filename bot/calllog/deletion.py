"""Deleting a call: its recordings, then every row of it; what stays is that it was deleted, when, by whom and why.

In three steps, so that a process may die between any two of them and the next one goes on: the call is hidden and
noted (`ask`), its files are removed, its rows are (`finish`). Whoever sees it hidden never sees it again.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import msgspec
from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.calllog import search_entries
from bot.calllog.recorded import words_beside
from bot.calllog.schema import calls, deletions, events, place_of, recordings
from bot.calllog.storable import storable_key

Transaction = Callable[[], AbstractAsyncContextManager[AsyncConnection]]

_EVENTS_AT_ONCE = 2000
_MAX_PENDING = 10_000


class Deletion(msgspec.Struct, frozen=True, kw_only=True):
    """A call that was deleted; `done_at` is None while its files and rows are still being removed."""

    call_id: str
    asked_at: datetime
    by: str
    why: str
    done_at: datetime | None


async def ask(
    connection: AsyncConnection, call_id: str, by: str, why: str, now: datetime
) -> Literal["hidden", "absent", "live"]:
    """Hide a call for good, unless there is none, or it is live: then it is still being written."""
    listed = calls.c.call_id == storable_key(call_id), calls.c.place.is_not(None)
    call = (await connection.execute(select(calls.c.id, calls.c.ended_at).where(*listed).with_for_update())).first()
    if call is None:
        return "absent"
    if call.ended_at is None:
        return "live"
    await hide(connection, {call.id: storable_key(call_id)}, by, why, now)
    return "hidden"


async def hide(connection: AsyncConnection, found: dict[int, str], by: str, why: str, now: datetime) -> None:
    """Take calls (their ids by their rows) out of the list and the search, and note that they are to go."""
    rows = list(found)
    await search_entries.forget(connection, rows)
    await connection.execute(update(calls).where(calls.c.id.in_(rows)).values(place=None))
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    note = dialect.insert(deletions)
    # Whoever brings a deleted call back, and deletes it once more, has deleted it now.
    changed = {column.name: note.excluded[column.name] for column in deletions.columns if column.name != "call_id"}
    noted = {"asked_at": now, "by": storable_key(by), "why": storable_key(why), "done_at": None}
    await connection.execute(
        note.on_conflict_do_update(index_elements=["call_id"], set_=changed),
        [{"call_id": call_id, "call_row": row, **noted} for row, call_id in found.items()],
    )


async def pending(connection: AsyncConnection, call_id: str | None = None) -> dict[int, str]:
    """Calls (or this one) that were hidden and are still there: ids by their rows, the longest hidden first."""
    waiting = select(deletions).where(deletions.c.done_at.is_(None)).order_by(deletions.c.asked_at).limit(_MAX_PENDING)
    if call_id is not None:
        waiting = waiting.where(deletions.c.call_id == storable_key(call_id))
    return {row.call_row: row.call_id for row in await connection.execute(waiting)}


async def expired(connection: AsyncConnection, bot: str, before: datetime, limit: int) -> dict[int, str]:
    """Calls of a bot that began before a time and are over, the oldest first: their ids by their rows."""
    is_old = calls.c.bot == storable_key(bot), calls.c.place < place_of(before), calls.c.ended_at.is_not(None)
    oldest = select(calls.c.id, calls.c.call_id).where(*is_old).order_by(calls.c.place).limit(limit)
    return {row.id: row.call_id for row in await connection.execute(oldest)}


async def remove_files(reading: Transaction, row: int) -> None:
    """Remove the recordings of a hidden call; what is gone already is no error. Raises `OSError` for the others."""
    async with reading() as connection:
        stored = await connection.execute(select(recordings.c.path).where(recordings.c.call_row == row))
        paths = [Path(path) for path in stored.scalars()]
    await asyncio.to_thread(_unlink, paths)


def _unlink(paths: Sequence[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
        words_beside(path).unlink(missing_ok=True)


async def finish(writing: Transaction, row: int, call_id: str, now: datetime) -> None:
    """Remove every row of a hidden call whose files are gone, in transactions so small that no live call waits."""
    some = select(events.c.id).where(events.c.call_row == row).limit(_EVENTS_AT_ONCE)
    is_hidden = calls.c.id == row, calls.c.call_id == call_id, calls.c.place.is_(None)
    is_done = False
    while not is_done:
        async with writing() as connection:
            if (await connection.execute(select(calls.c.id).where(*is_hidden))).first() is not None:
                removed = (await connection.execute(delete(events).where(events.c.id.in_(some)))).rowcount
                if removed == _EVENTS_AT_ONCE:
                    continue
                await connection.execute(delete(calls).where(*is_hidden))  # and with it, all that refers to it
            noted = deletions.c.call_id == call_id, deletions.c.done_at.is_(None)
            await connection.execute(update(deletions).where(*noted).values(done_at=now))
            is_done = True


async def find(connection: AsyncConnection, call_id: str) -> Deletion | None:
    """What is left of a call that was deleted."""
    row = (await connection.execute(select(deletions).where(deletions.c.call_id == storable_key(call_id)))).first()
    if row is None:
        return None
    return Deletion(call_id=row.call_id, asked_at=row.asked_at, by=row.by, why=row.why, done_at=row.done_at)
