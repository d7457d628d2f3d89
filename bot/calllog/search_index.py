"""Calls found through the search index: by words that were said, by facets, by any of them together, newest first.

SQLite's FTS5 walks the lists of all words side by side, downwards, and stops when the page is full: how many calls have
a word does not matter. PostgreSQL's GIN has no order, it finds all calls or none. So the newest calls are walked first,
and if a page does not fill there, what is looked for is rare enough to be found whole and sorted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, bindparam, cast, column, func, literal, select, table, text
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.calllog.facets import facets_wanted
from bot.calllog.filters import CallFilter, places, row_conditions
from bot.calllog.query import Term, parse
from bot.calllog.schema import TOP, call_words, calls, said_words

MAX_ENDINGS = 1000
"""A beginning of more words than that is left to FTS5, which then takes its time."""
_WALKED = 4_000
_WALKED_FURTHER = 40_000
_AFTER_ANY_WORD = "\U0010ffff"

Found = list[tuple[int, int]]  # place, row

_fts = table("call_search", column("rowid", BigInteger), column("call_search"))
_lexemes = column("lexemes", TSVECTOR, _selectable=call_words)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the search index is asked for: words that were said, and facets (each time one of several)."""

    terms: tuple[Term, ...]
    facets: tuple[Sequence[str], ...]

    @classmethod
    def of(cls, filters: CallFilter) -> "Wanted":
        return cls(parse(filters.text or ""), tuple(facets_wanted(filters)))


async def find(connection: AsyncConnection, filters: CallFilter, limit: int, before: int = TOP) -> Found:
    """At most `limit` calls that are over, as (place, row), newest first, from below a place on."""
    wanted = Wanted.of(filters)
    if connection.dialect.name == "sqlite":
        return await _rows(connection, await _sqlite_query(connection, wanted, filters, limit, before))
    return await _find_in_postgresql(connection, wanted, filters, limit, before)


async def count(connection: AsyncConnection, filters: CallFilter, limit: int) -> int:
    """How many calls that are over there are, counted up to `limit`."""
    wanted = Wanted.of(filters)
    if connection.dialect.name == "sqlite":
        found = await _sqlite_query(connection, wanted, filters, limit, TOP)
    else:
        found = _postgresql_query(wanted, filters, *places(filters)).limit(limit)
    counted: int = (await connection.execute(select(func.count()).select_from(found.subquery()))).scalar_one()
    return counted


async def _rows(connection: AsyncConnection, query: Select[Any]) -> Found:
    return [(row.place, row.id) for row in await connection.execute(query)]


# -- SQLite -----------------------------------------------------------------------------------------------------------


async def _sqlite_query(
    connection: AsyncConnection, wanted: Wanted, filters: CallFilter, limit: int, before: int
) -> Select[Any]:
    top, bottom = places(filters, before)
    endings = {term: await _endings(connection, term.words[0]) for term in wanted.terms if term.is_prefix}
    query = (
        select(_fts.c.rowid.label("place"), calls.c.id)
        # The sign keeps SQLite from going through the calls and asking the index about each.
        .join_from(_fts, calls, calls.c.place == text("+call_search.rowid"))
        .where(_fts.c.call_search.op("MATCH")(_fts5(wanted, endings)), _fts.c.rowid < top)
        .where(*row_conditions(filters))
        .order_by(_fts.c.rowid.desc())
        .limit(limit)
    )
    return query if bottom is None else query.where(_fts.c.rowid >= bottom)


async def _endings(connection: AsyncConnection, beginning: str) -> Sequence[str]:
    """The words that begin so: FTS5 itself would merge their lists whole before it gives the first call."""
    word = said_words.c.word
    known = select(word).where(word >= beginning, word < beginning + _AFTER_ANY_WORD).limit(MAX_ENDINGS + 1)
    return (await connection.execute(known)).scalars().all()


def _fts5(wanted: Wanted, endings: dict[Term, Sequence[str]]) -> str:
    """A query in FTS5's language; words have neither quotes nor signs in them."""
    parts = ['"' + " ".join(term.words) + '"' for term in wanted.terms if not term.is_prefix]
    for term, words in endings.items():
        is_many = len(words) > MAX_ENDINGS
        parts.append(f'"{term.words[0]}"*' if is_many else _any_of(words or term.words))
    parts += [_any_of(choices) for choices in wanted.facets]
    return " AND ".join(parts)


def _any_of(words: Iterable[str]) -> str:
    return "(" + " OR ".join(f'"{word}"' for word in words) + ")"


# -- PostgreSQL -------------------------------------------------------------------------------------------------------


async def _find_in_postgresql(
    connection: AsyncConnection, wanted: Wanted, filters: CallFilter, limit: int, before: int
) -> Found:
    top, bottom = places(filters, before)
    found: Found = []
    for walked in (_WALKED, _WALKED_FURTHER):
        lowest = await _place_below(connection, top, walked)
        if lowest is None or (bottom is not None and lowest <= bottom):
            return found + await _walk(connection, wanted, filters, limit - len(found), top, bottom)
        found += await _walk(connection, wanted, filters, limit - len(found), top, lowest)
        top = lowest
        if len(found) == limit:
            return found
        if len(found) * (_WALKED_FURTHER // _WALKED) < limit:
            break
    await connection.execute(_ONLY_BITMAPS)
    whole = _postgresql_query(wanted, filters, top, bottom).cte("found").prefix_with("MATERIALIZED")
    rest = select(whole.c.place, whole.c.id).order_by(whole.c.place.desc()).limit(limit - len(found))
    return found + await _rows(connection, rest)


_ONLY_BITMAPS = select(func.set_config("enable_indexscan", "off", True))
"""PostgreSQL takes words it has no figures of for frequent, and would walk all calls to find none."""


async def _place_below(connection: AsyncConnection, top: int, calls_above: int) -> int | None:
    place = call_words.c.place
    query = select(place).where(place < top).order_by(place.desc()).offset(calls_above).limit(1)
    return (await connection.execute(query)).scalar_one_or_none()


async def _walk(
    connection: AsyncConnection, wanted: Wanted, filters: CallFilter, limit: int, top: int, bottom: int | None
) -> Found:
    query = _postgresql_query(wanted, filters, top, bottom)
    return await _rows(connection, query.order_by(call_words.c.place.desc()).limit(limit))


def _postgresql_query(wanted: Wanted, filters: CallFilter, top: int, bottom: int | None) -> Select[Any]:
    query = (
        select(call_words.c.place, call_words.c.call_row.label("id"))
        .where(_lexemes.op("@@")(cast(literal(_tsquery(wanted)), TSQUERY)), call_words.c.place < top)
        .where(*(_has_phrase(term) for term in wanted.terms if len(term.words) > 1))
    )
    if bottom is not None:
        query = query.where(call_words.c.place >= bottom)
    if conditions := row_conditions(filters):
        query = query.join(calls, calls.c.id == call_words.c.call_row).where(*conditions)
    return query


def _has_phrase(term: Term) -> ColumnElement[bool]:
    """The lexemes keep no positions: they would end at 16,383 words, and at 256 times the same word."""
    return func.strpos(call_words.c.terms, bindparam(None, f" {' '.join(term.words)} ")) > 0


def _tsquery(wanted: Wanted) -> str:
    """A query in PostgreSQL's language; words have neither quotes nor signs in them."""
    parts = [f"'{word}':*" if term.is_prefix else f"'{word}'" for term in wanted.terms for word in term.words]
    parts += ["(" + " | ".join(f"'{choice}'" for choice in choices) + ")" for choices in wanted.facets]
    return " & ".join(parts)
