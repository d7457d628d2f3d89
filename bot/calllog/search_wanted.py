"""What the search index is asked for: words that were said, and facets (each time one of several)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, bindparam, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.calllog.facets import facets_wanted
from bot.calllog.filters import CallFilter
from bot.calllog.query import Term, parse
from bot.calllog.schema import call_words, said_words

MAX_ENDINGS = 1000
"""A beginning of more words than that is left to the database, which merges all their lists before it gives a call."""
_AFTER_ANY_WORD = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Wanted:
    """`endings` has the words that a beginning may mean; a beginning with too many of them is missing there.

    `newest_older` is the place of the newest call that stands in the index as an older Offhook has put it there, if
    there are such calls still: from there on downwards no words side by side are known.
    """

    terms: tuple[Term, ...]
    endings: Mapping[str, Sequence[str]]
    facets: tuple[Sequence[str], ...]
    newest_older: int | None


async def wanted_of(connection: AsyncConnection, filters: CallFilter) -> Wanted:
    terms = parse(filters.text or "")
    older = select(func.max(call_words.c.place)).where(call_words.c.version < text("2"))
    newest_older: int | None = (await connection.execute(older)).scalar_one()
    return Wanted(
        terms=terms,
        endings={
            term.words[0]: found for term in terms if term.is_prefix if (found := await _endings(connection, term))
        },
        facets=tuple(facets_wanted(filters, is_older=newest_older is not None)),
        newest_older=newest_older,
    )


async def _endings(connection: AsyncConnection, term: Term) -> Sequence[str] | None:
    """The words that begin so; the beginning itself, which nobody said, where there is none."""
    word, beginning = said_words.c.word, term.words[0]
    known = select(word).where(word >= beginning, word < beginning + _AFTER_ANY_WORD).limit(MAX_ENDINGS + 1)
    found = (await connection.execute(known)).scalars().all()
    return None if len(found) > MAX_ENDINGS else found or term.words


def has_phrase(term: Term) -> ColumnElement[bool]:
    """PostgreSQL: by looking at the words themselves. They stand there as they followed each other."""
    return func.strpos(call_words.c.terms, bindparam(None, f" {' '.join(term.words)} ")) > 0
