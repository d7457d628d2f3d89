"""What the search index is asked for: words that were said, and facets (each time one of several)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, bindparam, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.calllog.facets import facets_wanted
from bot.calllog.filters import CallFilter
from bot.calllog.query import Term, parse
from bot.calllog.schema import call_words, own_numbers, said_words
from bot.calllog.storable import storable_key

MAX_ENDINGS = 1000
"""A beginning of more words than that is left to the database, which merges all their lists before it gives a call."""
_AFTER_ANY_WORD = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Wanted:
    """`endings` has the words that a beginning may mean; a beginning with too many of them is missing there.

    `newest` and `oldest` are places of calls that stand in the index, if there are any. `newest_older` is that of the
    newest one that stands there as an older Offhook has put it there, if there are such calls still: from there on
    downwards no words side by side are known.
    """

    terms: tuple[Term, ...]
    endings: Mapping[str, Sequence[str]]
    facets: tuple[Sequence[str], ...]
    newest: int | None
    oldest: int | None
    newest_older: int | None


async def wanted_of(connection: AsyncConnection, filters: CallFilter) -> Wanted:
    terms = parse(filters.text or "")
    ends = (await connection.execute(_ENDS)).one()
    own = await _own_numbers(connection, filters.number_part) if filters.number_part else ()
    return Wanted(
        terms=terms,
        endings={
            term.words[0]: found for term in terms if term.is_prefix if (found := await _endings(connection, term))
        },
        facets=tuple(facets_wanted(filters, own, is_older=ends.newest_older is not None)),
        newest=ends.newest,
        oldest=ends.oldest,
        newest_older=ends.newest_older,
    )


_place = call_words.c.place
_ENDS = select(
    select(func.max(_place)).scalar_subquery().label("newest"),
    select(func.min(_place)).scalar_subquery().label("oldest"),
    select(func.max(_place)).where(call_words.c.version < text("2")).scalar_subquery().label("newest_older"),
)


async def _own_numbers(connection: AsyncConnection, part: str) -> Sequence[str]:
    number = own_numbers.c.number
    having = select(number).where(number.contains(storable_key(part), autoescape=True)).order_by(number)
    return (await connection.execute(having)).scalars().all()


async def _endings(connection: AsyncConnection, term: Term) -> Sequence[str] | None:
    """The words that begin so; the beginning itself, which nobody said, where there is none."""
    word, beginning = said_words.c.word, term.words[0]
    known = select(word).where(word >= beginning, word < beginning + _AFTER_ANY_WORD).limit(MAX_ENDINGS + 1)
    found = (await connection.execute(known)).scalars().all()
    return None if len(found) > MAX_ENDINGS else found or term.words


def has_phrase(term: Term) -> ColumnElement[bool]:
    """PostgreSQL: by looking at the words themselves. They stand there as they followed each other."""
    return func.strpos(call_words.c.terms, bindparam(None, f" {' '.join(term.words)} ")) > 0
