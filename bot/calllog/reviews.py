"""What reviewers say of calls: a verdict, a note, tags, and that a message was dealt with.

Each change is one more row of `reviews`, with who and when; what stands at present is kept beside the call, where the
list is filtered by it. Every function works inside its caller's transaction, and says whether there was such a call.
"""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.calllog.filters import Verdict
from bot.calllog.schema import call_tags, calls, messages, reviews
from bot.calllog.storable import storable, storable_key
from bot.calllog.summing_up import sum_up

MAX_TAGS = 50


async def set_verdict(
    connection: AsyncConnection, call_id: str, verdict: Verdict | None, by: str, now: datetime
) -> bool:
    """None takes the verdict back."""
    return await _set(connection, call_id, "verdict", verdict, by, now)


async def set_note(connection: AsyncConnection, call_id: str, note: str, by: str, now: datetime) -> bool:
    """One note a call; the ones before stay in its history."""
    return await _set(connection, call_id, "note", storable(note) or None, by, now)


async def _set(connection: AsyncConnection, call_id: str, name: str, value: str | None, by: str, now: datetime) -> bool:
    call = (await connection.execute(_call(call_id))).first()
    if call is None:
        return False
    if getattr(call, name) != value:
        await connection.execute(update(calls).where(calls.c.id == call.id).values({name: value}))
        await _remember(connection, call.id, name, value or "", by, now)
        await sum_up(connection, [call.id])
    return True


async def add_tag(
    connection: AsyncConnection, call_id: str, tag: str, by: str, now: datetime
) -> Literal["added", "absent", "full"]:
    """Unless there is no such call, or it has `MAX_TAGS` already."""
    call = (await connection.execute(_call(call_id))).first()
    if call is None:
        return "absent"
    tag = storable_key(tag)
    known = set((await connection.execute(select(call_tags.c.tag).where(call_tags.c.call_row == call.id))).scalars())
    if tag in known:
        return "added"
    if len(known) >= MAX_TAGS:
        return "full"
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    await connection.execute(dialect.insert(call_tags).values(call_row=call.id, tag=tag).on_conflict_do_nothing())
    await _remember(connection, call.id, "tag_added", tag, by, now)
    await sum_up(connection, [call.id])
    return "added"


async def remove_tag(connection: AsyncConnection, call_id: str, tag: str, by: str, now: datetime) -> bool:
    """A tag that the call has not is gone already."""
    call = (await connection.execute(_call(call_id))).first()
    if call is None:
        return False
    tag = storable_key(tag)
    this_one = call_tags.c.call_row == call.id, call_tags.c.tag == tag
    if (await connection.execute(delete(call_tags).where(*this_one))).rowcount:
        await _remember(connection, call.id, "tag_removed", tag, by, now)
        await sum_up(connection, [call.id])
    return True


async def mark_message(
    connection: AsyncConnection, message_id: int, by: str, now: datetime, *, is_read: bool = True
) -> bool:
    """Whether somebody has dealt with it; False if there is no such message. The first time it was read stands."""
    message = (
        await connection.execute(select(messages.c.call_row, messages.c.read_at).where(messages.c.id == message_id))
    ).first()
    if message is None:
        return False
    if (message.read_at is not None) != is_read:
        read_at = now if is_read else None
        await connection.execute(update(messages).where(messages.c.id == message_id).values(read_at=read_at))
        kind = "message_read" if is_read else "message_unread"
        await _remember(connection, message.call_row, kind, str(message_id), by, now)
        await sum_up(connection, [message.call_row])
    return True


async def used_tags(connection: AsyncConnection, limit: int = 200) -> list[str]:
    """The tags there are, in order."""
    return list((await connection.execute(select(call_tags.c.tag).distinct().order_by("tag").limit(limit))).scalars())


def _call(call_id: str) -> Any:
    listed = calls.c.call_id == storable_key(call_id), calls.c.place.is_not(None)
    return select(calls.c.id, calls.c.verdict, calls.c.note).where(*listed).with_for_update()


async def _remember(connection: AsyncConnection, row: int, kind: str, value: str, by: str, now: datetime) -> None:
    said = {"call_row": row, "at": now, "by": storable_key(by), "kind": kind, "value": value}
    await connection.execute(insert(reviews).values(said))
