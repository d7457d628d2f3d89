"""Which calls are meant, as people say it, and as the table of calls is asked.

Pages are keyset pages: they continue below a call's place in the list, so that the thousandth page costs what the first
does and calls that come in meanwhile shift nothing. What the table's own indices cannot answer quickly is found through
the search index (`listing.py`).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from sqlalchemy import Column, ColumnElement, Select, and_, exists, false, func, or_, select, text, union
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from bot.calllog.schema import TOP as TOP
from bot.calllog.schema import call_tags, calls, messages, place_of
from bot.calllog.storable import storable_key

MAX_MS = (1 << 31) - 1
_MOMENT = timedelta(milliseconds=1)

_COLUMNS = ("bot", "carrier", "end_reason")
_Columns = Mapping[str, ColumnElement[Any]] | ReadOnlyColumnCollection[str, Column[Any]]

Verdict = Literal["good", "bad", "unsure"]


class CallFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which calls are meant; what is None does not matter."""

    text: str | None = None  # what was said, as `query.py` reads it; calls are found by it once they are over
    bot: str | None = None
    carrier: str | None = None
    end_reason: str | None = None
    number: str | None = None  # either party's, whole: +15550002222, sip:bob@example.com
    number_part: str | None = None  # in either party's number; with less than three characters every call is read
    since: datetime | None = None
    until: datetime | None = None  # exclusive
    min_ms: int | None = None  # how long the call lasted; what has no end has no length
    max_ms: int | None = None
    flags: tuple[str, ...] = ()  # all of them
    tool: str | None = None
    verdict: str | None = None  # or "none"
    tag: str | None = None
    is_live: bool | None = None
    has_unread_message: bool | None = None


def page_of(query: Select[Any], filters: CallFilter, limit: int, before: int = TOP) -> Select[Any]:
    """The first `limit` of the calls that are meant, newest first, from below a place on; `query` reads `calls`.

    `filters.text` is left out of account.
    """
    if filters.number is None:
        return newest(narrowed(query, filters, before), limit)
    # An index holds the calls of either party in the list's order, none holds those of both: take a page of each.
    number = storable_key(filters.number)
    ids = narrowed(select(calls.c.id), filters, before, with_number=False)
    parties = [newest(ids.where(column == number), limit) for column in (calls.c.from_number, calls.c.to_number)]
    either = union(*(select(party.subquery().c.id) for party in parties))
    return newest(query.where(calls.c.id.in_(either)), limit)


def newest(query: Select[Any], limit: int) -> Select[Any]:
    return query.order_by(calls.c.place.desc()).limit(limit)


def narrowed(query: Select[Any], filters: CallFilter, before: int = TOP, *, with_number: bool = True) -> Select[Any]:
    """Only the calls that are meant, from below a place on; which hides those that have none."""
    query = _between(query, filters, before).where(*_of_columns(filters, calls.c), *row_conditions(filters))
    return query.where(*_number(filters.number, calls.c)) if with_number else query


def narrowed_unindexed(query: Select[Any], filters: CallFilter, before: int = TOP) -> Select[Any]:
    """The same of the calls that are not in the search index; they have an index of their own, which is to be used."""
    columns = {name: func.coalesce(calls.c[name], "") for name in (*_COLUMNS, "from_number", "to_number")}
    query = _between(query, filters, before).where(calls.c.index_version == text("0"))
    return query.where(
        *_of_columns(filters, columns),
        *_number(filters.number, columns),
        *row_conditions(filters),
        *_reviewed(filters),
    )


def _between(query: Select[Any], filters: CallFilter, before: int) -> Select[Any]:
    top, bottom = places(filters, before)
    query = query.where(calls.c.place < top)
    return query if bottom is None else query.where(calls.c.place >= bottom)


def places(filters: CallFilter, before: int = TOP) -> tuple[int, int | None]:
    """Between which places in the list the calls stand: below the first, at or above the second."""
    top = before if filters.until is None else min(before, place_of(filters.until + _MOMENT))
    return top, None if filters.since is None else place_of(filters.since)


def _of_columns(filters: CallFilter, columns: _Columns) -> list[ColumnElement[bool]]:
    wanted = {name: getattr(filters, name) for name in _COLUMNS}
    return [columns[name] == storable_key(value) for name, value in wanted.items() if value is not None]


def _number(wanted: str | None, columns: _Columns) -> list[ColumnElement[bool]]:
    if wanted is None:
        return []
    number = storable_key(wanted)
    return [or_(columns["from_number"] == number, columns["to_number"] == number)]


def row_conditions(filters: CallFilter) -> list[ColumnElement[bool]]:
    """What must be looked at in the call's own row, also where the search index has found it."""
    conditions: list[ColumnElement[bool]] = []
    if filters.number_part is not None:
        part = storable_key(filters.number_part)
        conditions.append(or_(*(_has(number, part) for number in (calls.c.from_number, calls.c.to_number))))
    if filters.since is not None:
        conditions.append(calls.c.started_at >= filters.since)
    if filters.until is not None:
        conditions.append(calls.c.started_at < filters.until)
    if filters.min_ms is not None:
        conditions.append(calls.c.duration_ms >= min(filters.min_ms, MAX_MS))
    if filters.max_ms is not None:
        conditions.append(calls.c.duration_ms <= min(filters.max_ms, MAX_MS))
    if filters.is_live is not None:
        conditions.append(calls.c.ended_at.is_(None) if filters.is_live else calls.c.ended_at.is_not(None))
    return conditions


def _has(number: ColumnElement[str], part: str) -> ColumnElement[bool]:
    return number.contains(part, autoescape=True)


def _reviewed(filters: CallFilter) -> list[ColumnElement[bool]]:
    """What a call that is not in the search index may have: nothing that only summing up finds."""
    conditions: list[ColumnElement[bool]] = []
    if filters.has_unread_message is not None:
        unread = exists().where(and_(messages.c.call_row == calls.c.id, messages.c.read_at.is_(None)))
        conditions.append(unread if filters.has_unread_message else ~unread)
    if filters.verdict is not None:
        is_unjudged = calls.c.verdict.is_(None)
        conditions.append(is_unjudged if filters.verdict == "none" else calls.c.verdict == filters.verdict)
    if filters.tag is not None:
        tagged = select(call_tags.c.call_row).where(call_tags.c.tag == storable_key(filters.tag))
        conditions.append(calls.c.id.in_(tagged))
    if filters.flags or filters.tool is not None:
        conditions.append(false())
    return conditions
