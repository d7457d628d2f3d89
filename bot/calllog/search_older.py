"""Calls that stand in PostgreSQL's index as an Offhook before words side by side has put them there.

Found by the column and the index that it made, until upkeep has brought all of them to this version and removes both.
The newest calls are walked first, and if a page does not fill there, what is looked for is found whole and sorted.
"""

from typing import Any

from sqlalchemy import Select, cast, column, func, literal, select
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.calllog.filters import CallFilter, row_conditions
from bot.calllog.schema import call_words, calls
from bot.calllog.search_wanted import Wanted, has_phrase

_WALKED = 4_000

_lexemes = column("lexemes", TSVECTOR, _selectable=call_words)
_ONLY_BITMAPS = select(func.set_config("enable_indexscan", "off", True))
"""PostgreSQL takes words it has no figures of for frequent, and would walk all calls to find none."""


async def find(
    connection: AsyncConnection, wanted: Wanted, filters: CallFilter, limit: int, top: int, bottom: int | None
) -> list[tuple[int, int]]:
    """As (place, row), newest first, below `top` and from `bottom` on."""
    place = call_words.c.place
    below = select(place).where(place < top).order_by(place.desc()).offset(_WALKED).limit(1)
    lowest = (await connection.execute(below)).scalar_one_or_none()
    query = _query(wanted, filters, top, bottom if lowest is None else max(lowest, bottom or 0))
    found = await _rows(connection, query.order_by(place.desc()).limit(limit))
    if len(found) == limit or lowest is None or lowest <= (bottom or 0):
        return found
    await connection.execute(_ONLY_BITMAPS)
    whole = _query(wanted, filters, lowest, bottom).cte("found").prefix_with("MATERIALIZED")
    rest = select(whole.c.place, whole.c.id).order_by(whole.c.place.desc()).limit(limit - len(found))
    return found + await _rows(connection, rest)


async def count(
    connection: AsyncConnection, wanted: Wanted, filters: CallFilter, limit: int, top: int, bottom: int | None
) -> int:
    some = _query(wanted, filters, top, bottom).limit(limit).subquery()
    counted: int = (await connection.execute(select(func.count()).select_from(some))).scalar_one()
    return counted


async def _rows(connection: AsyncConnection, query: Select[Any]) -> list[tuple[int, int]]:
    return [(row.place, row.id) for row in await connection.execute(query)]


def _query(wanted: Wanted, filters: CallFilter, top: int, bottom: int | None) -> Select[Any]:
    query = (
        select(call_words.c.place, call_words.c.call_row.label("id"))
        .select_from(call_words)
        .where(_lexemes.op("@@")(cast(literal(_tsquery(wanted)), TSQUERY)), call_words.c.place < top)
        .where(*(has_phrase(term) for term in wanted.terms if len(term.words) > 1))
    )
    if bottom is not None:
        query = query.where(call_words.c.place >= bottom)
    if conditions := row_conditions(filters):
        query = query.join(calls, calls.c.id == call_words.c.call_row).where(*conditions)
    return query


def _tsquery(wanted: Wanted) -> str:
    parts = [f"'{word}':*" if term.is_prefix else f"'{word}'" for term in wanted.terms for word in term.words]
    parts += ["(" + " | ".join(f"'{choice}'" for choice in choices) + ")" for choices in wanted.facets]
    return " & ".join(parts)
