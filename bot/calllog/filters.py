"""Which calls are meant, as an operator says it, and as the database is asked.

Pages are keyset pages: a cursor names the last call of the page above, so that the thousandth page costs what the first
does and calls that come in meanwhile shift nothing.
"""

from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Select, and_, literal, or_, select, tuple_

from bot.calllog.schema import BigKey, UtcDateTime, calls, messages
from bot.calllog.storable import storable_key


class Cursor(NamedTuple):
    """Where a call stands in the list, newest first."""

    started_at: datetime
    row: int


class CallFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which calls are meant; what is None does not matter."""

    bot: str | None = None
    carrier: str | None = None
    end_reason: str | None = None
    number: str | None = None
    """Either party: how a number begins, "+" or "sip:" included, or else some digits from anywhere in it."""
    since: datetime | None = None
    until: datetime | None = None  # exclusive
    is_live: bool | None = None
    has_unread_message: bool | None = None


def narrowed(query: Select[Any], filters: CallFilter) -> Select[Any]:
    """The query on `calls`, with only those that are meant."""
    for name in ("bot", "carrier", "end_reason"):
        if (wanted := getattr(filters, name)) is not None:
            query = query.where(calls.c[name] == storable_key(wanted))
    if filters.number is not None:
        number = storable_key(filters.number)
        either = _is_like(calls.c.from_number, number), _is_like(calls.c.to_number, number)
        query = query.where(or_(*either))
    if filters.since is not None:
        query = query.where(calls.c.started_at >= filters.since)
    if filters.until is not None:
        query = query.where(calls.c.started_at < filters.until)
    if filters.is_live is not None:
        query = query.where(calls.c.ended_at.is_(None) if filters.is_live else calls.c.ended_at.is_not(None))
    if filters.has_unread_message is not None:
        query = query.where(_HAS_UNREAD if filters.has_unread_message else ~_HAS_UNREAD)
    return query


def paged(query: Select[Any], limit: int, before: Cursor | None) -> Select[Any]:
    """The first `limit` of them, newest first, from below `before` on."""
    if before is not None:
        place = tuple_(literal(before.started_at, UtcDateTime), literal(before.row, BigKey))
        query = query.where(tuple_(calls.c.started_at, calls.c.id) < place)
    return query.order_by(calls.c.started_at.desc(), calls.c.id.desc()).limit(limit)


_HAS_UNREAD = select(messages.c.id).where(messages.c.call_row == calls.c.id, messages.c.read_at.is_(None)).exists()


def _is_like(column: ColumnElement[str], wanted: str) -> ColumnElement[bool]:
    if wanted.startswith(("+", "sip:", "sips:")):
        # A range, where LIKE would not use the index: SQLite's ignores case, PostgreSQL's depends on the collation.
        return and_(column >= wanted, column < wanted + "\U0010ffff")
    return column.contains(wanted, autoescape=True)
