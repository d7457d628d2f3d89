"""Calls as they are read: a line of the list, and one call whole."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import RowMapping, Select, Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.calllog.excerpts import Excerpt
from bot.calllog.filters import newest
from bot.calllog.records import RecordingWritten, TimelineEvent, TurnRecord
from bot.calllog.schema import call_tags, calls, events, messages, recordings, reviews, turns


class CallSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A call as the list shows it. What only the end can tell is None until then."""

    row: int
    place: int  # in the list: a page goes on below it
    call_id: str
    carrier: str
    carrier_call_id: str
    bot: str
    direction: str
    from_number: str
    to_number: str
    started_at: datetime
    ended_at: datetime | None
    duration_ms: int | None
    end_reason: str | None
    turns: int | None
    interruptions: int | None
    reply_p50_ms: int | None
    reply_p95_ms: int | None
    cost_microdollars: int | None
    flags: list[str] | None  # of `summing_up.FLAGS`
    tools: list[str] | None
    verdict: str | None
    note: str | None
    messages: int
    unread_messages: int


class ListedCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call of the list, and where it says what was searched for."""

    call: CallSummary
    excerpts: list[Excerpt]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the list, newest first; `next` is where the next one begins (its `before`), None at the end."""

    calls: list[ListedCall]
    next: int | None


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody said of a call; `kind` and `value` as `reviews.py` writes them."""

    at: datetime
    by: str
    kind: str
    value: str


class StoredMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message that a caller left, and when somebody first marked it as read."""

    message_id: int
    turn_index: int
    at_ms: int
    duration_ms: int
    text: str
    from_number: str
    read_at: datetime | None


class CallDetail(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of one call; turns in their order, the rest by time."""

    call: CallSummary
    config: dict[str, Any]
    counters: dict[str, int]
    turns: list[TurnRecord]
    events: list[TimelineEvent]
    messages: list[StoredMessage]
    recordings: list[RecordingWritten]
    tags: list[str]
    reviews: list[Review]  # the oldest first


_of_this_call = select(func.count()).select_from(messages).where(messages.c.call_row == calls.c.id)
SUMMARY: Select[Any] = select(
    calls.c.id.label("row"),
    *(calls.c[name] for name in CallSummary.__struct_fields__ if name in calls.c),
    _of_this_call.scalar_subquery().label("messages"),
    _of_this_call.where(messages.c.read_at.is_(None)).scalar_subquery().label("unread_messages"),
)


async def load_summaries(connection: AsyncConnection, rows: Sequence[int]) -> list[CallSummary]:
    """The calls of these rows that are there, newest first."""
    if not rows:
        return []
    query = newest(SUMMARY.where(calls.c.id.in_(rows)), len(rows))
    return [CallSummary(**row) for row in (await connection.execute(query)).mappings()]


async def load_details(connection: AsyncConnection, page: Sequence[CallSummary]) -> list[CallDetail]:
    """The same calls whole, with one query a table."""
    rows = [call.row for call in page]
    heads = {
        head.id: head
        for head in await connection.execute(
            select(calls.c.id, calls.c.config, calls.c.counters).where(calls.c.id.in_(rows))
        )
    }
    said = await _children(connection, turns, rows, "turn_index")
    happened = await _children(connection, events, rows, "at_ms", "id")
    left = await _children(connection, messages, rows, "at_ms")
    recorded = await _children(connection, recordings, rows, "id")
    tagged = await _children(connection, call_tags, rows, "tag")
    reviewed = await _children(connection, reviews, rows, "id")
    return [
        CallDetail(
            call=call,
            config=heads[call.row].config,
            counters=heads[call.row].counters or {},
            turns=[_turn(call.call_id, row) for row in said[call.row]],
            events=[TimelineEvent(call.call_id, row["at_ms"], row["kind"], row["data"]) for row in happened[call.row]],
            messages=[StoredMessage(message_id=row["id"], **_without(row, "id")) for row in left[call.row]],
            recordings=[RecordingWritten(call_id=call.call_id, **_without(row, "id")) for row in recorded[call.row]],
            tags=[row["tag"] for row in tagged[call.row]],
            reviews=[Review(**_without(row, "id")) for row in reviewed[call.row]],
        )
        for call in page
        if call.row in heads
    ]


async def _children(
    connection: AsyncConnection, table: Table, rows: Iterable[int], *order: str
) -> Mapping[int, list[RowMapping]]:
    query = select(table).where(table.c.call_row.in_(rows)).order_by(*(table.c[name] for name in order))
    by_call: defaultdict[int, list[RowMapping]] = defaultdict(list)
    for row in (await connection.execute(query)).mappings():
        by_call[row["call_row"]].append(row)
    return by_call


def _turn(call_id: str, row: RowMapping) -> TurnRecord:
    return TurnRecord(call_id=call_id, index=row["turn_index"], **_without(row, "id", "turn_index"))


def _without(row: RowMapping, *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "call_row" and name not in names}
