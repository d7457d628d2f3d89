"""Calls found by SQLite's FTS5.

It walks the lists of all words side by side, downwards, and stops when the page is full: how many calls have a word
does not matter. A phrase is looked for as neighbours (`__open_on __on_saturday`): where two common words stand in each
call need not be gone through.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BigInteger, Select, column, func, select, table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.calllog.filters import CallFilter, row_conditions
from bot.calllog.neighbours import side_by_side
from bot.calllog.query import Term
from bot.calllog.schema import calls
from bot.calllog.search_wanted import Wanted

_fts = table("call_search", column("rowid", BigInteger), column("call_search"))


async def find(
    connection: AsyncConnection, wanted: Wanted, filters: CallFilter, limit: int, top: int, bottom: int | None
) -> list[tuple[int, int]]:
    """As (place, row), newest first, below `top` and from `bottom` on."""
    rows = await connection.execute(_query(wanted, filters, limit, top, bottom))
    return [(row.place, row.id) for row in rows]


async def count(
    connection: AsyncConnection, wanted: Wanted, filters: CallFilter, limit: int, top: int, bottom: int | None
) -> int:
    found = _query(wanted, filters, limit, top, bottom).subquery()
    counted: int = (await connection.execute(select(func.count()).select_from(found))).scalar_one()
    return counted


def _query(wanted: Wanted, filters: CallFilter, limit: int, top: int, bottom: int | None) -> Select[Any]:
    query = (
        select(_fts.c.rowid.label("place"), calls.c.id)
        # The sign keeps SQLite from going through the calls and asking the index about each.
        .join_from(_fts, calls, calls.c.place == text("+call_search.rowid"))
        .where(_fts.c.call_search.op("MATCH")(fts5(wanted)), _fts.c.rowid < top)
        .where(*row_conditions(filters))
        .order_by(_fts.c.rowid.desc())
        .limit(limit)
    )
    return query if bottom is None else query.where(_fts.c.rowid >= bottom)


def fts5(wanted: Wanted) -> str:
    """A query in FTS5's language; words have neither quotes nor signs in them."""
    parts = [_of(term, wanted) for term in wanted.terms]
    parts += [_any_of(choices) for choices in wanted.facets]
    return " AND ".join(parts)


def _of(term: Term, wanted: Wanted) -> str:
    if term.is_prefix:
        words = wanted.endings.get(term.words[0])
        return f'"{term.words[0]}"*' if words is None else _any_of(words)
    # Calls that an older Offhook has put there have words only, and these stand there as they followed each other.
    is_word = len(term.words) == 1 or wanted.newest_older is not None
    return '"' + " ".join(term.words if is_word else side_by_side(term.words, 2)) + '"'


def _any_of(words: Iterable[str]) -> str:
    return "(" + " OR ".join(f'"{word}"' for word in words) + ")"
