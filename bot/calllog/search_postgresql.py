"""Calls found by PostgreSQL's GIN, which has no order: it finds all calls or none.

So a call's entry in the index also says when it began, in stretches of an hour, nine hours, three days, a month, half a
year, and these are asked for one after the other: what is common fills a page in the first of them, and what is rare is
found whole by the last. A stretch with more calls than need be read is asked for in its parts. What no call has costs
three walks through the lists of the index, without a look at any call. Phrases stand there too, as two and three
words side by side; only of a longer one each call that has all its parts must be looked at.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, cast, func, literal, literal_column, select
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.calllog import search_older
from bot.calllog.filters import CallFilter, row_conditions
from bot.calllog.neighbours import side_by_side
from bot.calllog.query import Term
from bot.calllog.schema import call_words, calls
from bot.calllog.search_wanted import Wanted, has_phrase

_LEVELS = (42, 45, 48, 51, 54)
"""How many bits of a place make no difference within a stretch; `call_entries` in the database knows the same."""
_MANY = 1000
_WIDE = _LEVELS[3]
_RARE_SHARE = 10
_RARE = 100
"""What fills no more of a page before wide stretches begin, or has fewer calls to count, is found whole in them."""
_NOTHING: ColumnElement[int] = literal_column("0")

Found = list[tuple[int, int]]  # place, row


@dataclass(frozen=True, slots=True)
class Stretch:
    """Of the list of calls: some neighbouring pieces of one width."""

    bits: int
    first: int
    last: int

    @property
    def entries(self) -> list[str]:
        return [f"_when{self.bits}_{piece}" for piece in range(self.first, self.last + 1)]

    def parts(self, top: int, bottom: int) -> Iterator["Stretch"]:
        """Its pieces, or those of the next narrower width that a single one is made of, the newest first."""
        if self.first != self.last:
            return self.pieces()
        bits = self.bits - 3
        first, last = max(self.first << 3, bottom >> bits), min((self.last << 3) + 7, (top - 1) >> bits)
        return Stretch(bits, first, last).pieces()

    def pieces(self) -> Iterator["Stretch"]:
        """Each for itself, the newest first."""
        return (Stretch(self.bits, piece, piece) for piece in range(self.last, self.first - 1, -1))


def stretches(top: int, bottom: int) -> Iterator[Stretch]:
    """All from below one place down to another, the newest and shortest first, each as far as a wider one begins."""
    last = top - 1
    for bits in _LEVELS[1:]:
        if last < bottom:
            return
        begin = bottom if bits == _LEVELS[-1] else max(bottom, last >> bits + 3 << bits + 3)
        yield Stretch(bits, begin >> bits, last >> bits)
        last = begin - 1


@dataclass(frozen=True, slots=True)
class _Search:
    connection: AsyncConnection
    wanted: Wanted
    filters: CallFilter
    top: int
    bottom: int

    async def newest(self, stretch: Stretch, limit: int) -> Found:
        query = self.query(stretch)
        if stretch.bits == _LEVELS[0] and stretch.first == stretch.last:
            return await self._rows(query.order_by(call_words.c.place.desc()).limit(limit))
        found = await self._rows(query.limit(_MANY))
        if len(found) < _MANY:
            return sorted(found, reverse=True)[:limit]
        found = []
        for part in stretch.parts(self.top, self.bottom):
            found += await self.newest(part, limit - len(found))
            if len(found) == limit:
                break
        return found

    async def few(self, all_left: Sequence[Stretch], limit: int) -> Found | None:
        """All in one piece; None where that is too much to read."""
        found = await self._rows(self.query(*all_left).limit(_MANY))
        return sorted(found, reverse=True)[:limit] if len(found) < _MANY else None

    async def count(self, limit: int, *stretches: Stretch) -> int:
        some = self.query(*stretches).limit(limit).subquery()
        counted: int = (await self.connection.execute(select(func.count()).select_from(some))).scalar_one()
        return counted

    async def _rows(self, query: Select[Any]) -> Found:
        return [(row.place, row.id) for row in await self.connection.execute(query)]

    def query(self, *stretches: Stretch) -> Select[Any]:
        place = call_words.c.place
        query = (
            select(place, call_words.c.call_row.label("id"))
            .select_from(call_words)
            .where(
                func.call_entries(call_words.c.terms, place).op("@@")(cast(literal(self._tsquery(stretches)), TSQUERY)),
                call_words.c.version == literal_column("2"),
                # Without the sums PostgreSQL might walk the calls themselves, and take each apart once more.
                place + _NOTHING < self.top,
                place + _NOTHING >= self.bottom,
            )
            .where(*(has_phrase(term) for term in self.wanted.terms if len(term.words) > 3))
        )
        if conditions := row_conditions(self.filters):
            query = query.join(calls, calls.c.id == call_words.c.call_row + _NOTHING).where(*conditions)
        return query

    def _tsquery(self, stretches: Sequence[Stretch]) -> str:
        """A query in PostgreSQL's language; words have neither quotes nor signs in them."""
        parts = [_of(term, self.wanted) for term in self.wanted.terms]
        began = [entry for stretch in stretches for entry in stretch.entries]
        parts += [_any_of(choices) for choices in (*self.wanted.facets, began)]
        return " & ".join(parts)


async def find(
    connection: AsyncConnection, wanted: Wanted, filters: CallFilter, limit: int, top: int, bottom: int | None
) -> Found:
    """As (place, row), newest first, below `top` and from `bottom` on."""
    found: Found = []
    search = _search(connection, wanted, filters, top, bottom)
    left = list(stretches(search.top, search.bottom))
    while left and len(found) < limit:
        if left[0].bits == _WIDE and len(found) <= limit // _RARE_SHARE:
            rest = await search.few(left, limit - len(found))
            if rest is not None:
                found += rest
                break
        found += await search.newest(left.pop(0), limit - len(found))
    if len(found) < limit and wanted.newest_older is not None:
        top = min(top, wanted.newest_older + 1)
        found += await search_older.find(connection, wanted, filters, limit - len(found), top, bottom)
    return found


async def count(
    connection: AsyncConnection, wanted: Wanted, filters: CallFilter, limit: int, top: int, bottom: int | None
) -> int:
    counted = 0
    search = _search(connection, wanted, filters, top, bottom)
    left = list(stretches(search.top, search.bottom))
    while left and counted < limit:
        if left[0].bits == _WIDE and counted < _RARE:
            counted += await search.count(limit - counted, *left)
            break
        # Of a wide one, all that is found is collected before any of it is counted.
        pieces, left = left[0].pieces() if left[0].bits >= _WIDE else iter(left[:1]), left[1:]
        for piece in pieces:
            counted += await search.count(limit - counted, piece)
            if counted == limit:
                return counted
    if counted < limit and wanted.newest_older is not None:
        top = min(top, wanted.newest_older + 1)
        counted += await search_older.count(connection, wanted, filters, limit - counted, top, bottom)
    return counted


def _search(connection: AsyncConnection, wanted: Wanted, filters: CallFilter, top: int, bottom: int | None) -> _Search:
    """Only where calls are, and where they stand in the index as they do today."""
    lowest = max(wanted.oldest or 0, bottom or 0, -1 if wanted.newest_older is None else wanted.newest_older + 1)
    return _Search(connection, wanted, filters, min(top, (wanted.newest or 0) + 1), lowest)


def _of(term: Term, wanted: Wanted) -> str:
    if term.is_prefix:
        words = wanted.endings.get(term.words[0])
        return f"'{term.words[0]}':*" if words is None else _any_of(words)
    return " & ".join(f"'{entry}'" for entry in side_by_side(term.words, 3))


def _any_of(choices: Iterable[str]) -> str:
    return "(" + " | ".join(f"'{choice}'" for choice in choices) + ")"
