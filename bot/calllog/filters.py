"""Which calls are meant, as an operator says it, and as the database is asked.

Pages are keyset pages: a cursor names the last call of the page above, so that the thousandth page costs what the first
does and calls that come in meanwhile shift nothing.
"""

from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Select, literal, or_, select, tuple_, union

from bot.calllog.schema import BigKey, UtcDateTime, calls, messages
from bot.calllog.storable import storable_key


class Cursor(NamedTuple):
    """Where a call stands in the list, newest first."""

    started_at: datetime
    row: int


class CallFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which calls are meant; what is None does not matter. All but `number_part` are quick, however many calls."""

    bot: str | None = None
    carrier: str | None = None
    end_reason: str | None = None
    number: str | None = None  # either party's, whole: +15550002222, sip:bob@example.com
    number_part: str | None = None  # in either party's number; reads past every call that has it not
    since: datetime | None = None
    until: datetime | None = None  # exclusive
    is_live: bool | None = None
    has_unread_message: bool | None = None


def page_of(query: Select[Any], filters: CallFilter, limit: int, before: Cursor | None) -> Select[Any]:
    """The first `limit` of the calls that are meant, newest first, from below `before` on; `query` reads `calls`."""
    if filters.number is None:
        return _newest(_below(_narrowed(query, filters), before), limit)
    # An index holds the calls of either party in the list's order, none holds those of both: take a page of each.
    number = storable_key(filters.number)
    ids = _below(_narrowed(select(calls.c.id), filters), before)
    parties = [_newest(ids.where(column == number), limit) for column in (calls.c.from_number, calls.c.to_number)]
    either = union(*(select(party.subquery().c.id) for party in parties))
    return _newest(query.where(calls.c.id.in_(either)), limit)


def _newest(query: Select[Any], limit: int) -> Select[Any]:
    return query.order_by(calls.c.started_at.desc(), calls.c.id.desc()).limit(limit)


def _below(query: Select[Any], cursor: Cursor | None) -> Select[Any]:
    if cursor is None:
        return query
    place = tuple_(literal(cursor.started_at, UtcDateTime), literal(cursor.row, BigKey))
    return query.where(tuple_(calls.c.started_at, calls.c.id) < place)


def _narrowed(query: Select[Any], filters: CallFilter) -> Select[Any]:
    for name in ("bot", "carrier", "end_reason"):
        if (wanted := getattr(filters, name)) is not None:
            query = query.where(calls.c[name] == storable_key(wanted))
    if filters.number_part is not None:
        part = storable_key(filters.number_part)
        parties = calls.c.from_number.contains(part, autoescape=True), calls.c.to_number.contains(part, autoescape=True)
        query = query.where(or_(*parties))
    if filters.since is not None:
        query = query.where(calls.c.started_at >= filters.since)
    if filters.until is not None:
        query = query.where(calls.c.started_at < filters.until)
    if filters.is_live is not None:
        query = query.where(calls.c.ended_at.is_(None) if filters.is_live else calls.c.ended_at.is_not(None))
    if filters.has_unread_message is not None:
        unread = select(messages.c.call_row).where(messages.c.read_at.is_(None))
        query = query.where(calls.c.id.in_(unread) if filters.has_unread_message else calls.c.id.not_in(unread))
    return query
