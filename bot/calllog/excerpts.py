"""Where a call that was found says what was looked for: pieces of its turns, with the hits told apart from the rest.

Text is given as text, in pieces of (text, is a hit): whoever shows it escapes it, and nothing in it is markup.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.calllog.estimates import end_ms, letter_ms
from bot.calllog.query import Term
from bot.calllog.schema import call_words, turns
from bot.calllog.words import spans_of

PER_CALL = 2
CHARS = 160
_READ_CHARS = 20_000  # of one turn; a caller speaks so much in half an hour
_TURN_BEGINS = re.compile(r"(?:^| )_ ")

Piece = tuple[str, bool]


class Excerpt(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a turn in which something was found; `…` stands for what was left out."""

    turn_index: int
    role: str
    started_ms: int
    at_ms: int  # when about the first hit was said
    letter: int  # of what was heard of the turn, at which the first hit begins
    pieces: list[Piece]


async def load_excerpts(
    connection: AsyncConnection, places: Mapping[int, int], terms: Sequence[Term]
) -> dict[int, list[Excerpt]]:
    """By the rows of calls (`places` has the place of each): at most `PER_CALL` turns that have one of the terms."""
    if not terms or not places:
        return {}
    known = select(call_words).where(call_words.c.place.in_(list(places.values())))
    wanted = {words.call_row: _turns_with(words, terms) for words in await connection.execute(known)}
    # More turns than are wanted, but each found by its index: SQLite has none for pairs.
    indices = {index for ours in wanted.values() for index in ours}
    said = select(turns).where(turns.c.call_row.in_(list(wanted)), turns.c.turn_index.in_(indices))
    found: dict[int, list[Excerpt]] = {}
    for turn in await connection.execute(said.order_by(turns.c.turn_index)):
        if turn.turn_index in wanted[turn.call_row]:
            found.setdefault(turn.call_row, []).append(_excerpt(turn, terms))
    return found


def _turns_with(words: Row[Any], terms: Sequence[Term]) -> list[int]:
    """The indices of the first turns that have one of the terms: first a turn for each term, then any."""
    said = _TURN_BEGINS.split(words.terms)[1:]
    if said:
        said[-1] = said[-1].partition(" _")[0]  # facets follow
    indices = list(map(int, words.turn_indices.split()))
    having = [[index for index, text in zip(indices, said, strict=True) if _has(text, term)] for term in terms]
    chosen = dict.fromkeys([*(hits[0] for hits in having if hits), *(index for hits in having for index in hits)])
    return sorted(list(chosen)[:PER_CALL])


def _has(text: str, term: Term) -> bool:
    return f" {' '.join(term.words)}{'' if term.is_prefix else ' '}" in f" {text} "


def _excerpt(turn: Row[Any], terms: Sequence[Term]) -> Excerpt:
    said = turn.text if turn.heard_text is None else turn.heard_text
    hits = _hits(said[:_READ_CHARS], terms)
    letter = hits[0][0] if hits else 0
    ends_ms = end_ms(turn.started_ms, turn.ended_ms, turn.heard_ms, len(said))
    return Excerpt(
        turn_index=turn.turn_index,
        role=turn.role,
        started_ms=turn.started_ms,
        at_ms=letter_ms(turn.started_ms, ends_ms, len(said), letter),
        letter=letter,
        pieces=_around(said[:_READ_CHARS], hits, CHARS),
    )


def marked(text: str, terms: Sequence[Term]) -> list[Piece]:
    """The whole text in pieces, one after the other."""
    return list(_pieces(text, _hits(text, terms), 0, len(text)))


def shortened(text: str, terms: Sequence[Term], chars: int = CHARS) -> list[Piece]:
    """The same of some `chars` around the first hit."""
    return _around(text, _hits(text, terms), chars)


def _around(text: str, hits: Sequence[tuple[int, int]], chars: int) -> list[Piece]:
    first = hits[0][0] if hits else 0
    start = _word_start(text, max(0, min(first - chars // 3, len(text) - chars)))
    end = min(len(text), start + chars)
    pieces = list(_pieces(text, hits, start, end))
    return [*([("… ", False)] if start else []), *pieces, *([(" …", False)] if end < len(text) else [])]


def _word_start(text: str, at: int) -> int:
    """The beginning of the next word, if one begins soon."""
    space = text.find(" ", at, at + 30) if at else -1
    return at if space < 0 else space + 1


def _hits(text: str, terms: Sequence[Term]) -> list[tuple[int, int]]:
    """From where to where the terms stand, in order, none over another."""
    spans = list(spans_of(text))
    words = [span.word for span in spans]
    found = sorted(
        (spans[at].start, spans[at + len(term.words) - 1].end)
        for at in range(len(spans))
        for term in terms
        if _is_at(words, at, term)
    )
    return list(_merged(found))


def _is_at(words: Sequence[str], at: int, term: Term) -> bool:
    if term.is_prefix:
        return words[at].startswith(term.words[0])
    return words[at] == term.words[0] and tuple(words[at : at + len(term.words)]) == term.words


def _merged(hits: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    last: tuple[int, int] | None = None
    for start, end in hits:
        if last is not None and start < last[1]:
            last = last[0], max(last[1], end)
            continue
        if last is not None:
            yield last
        last = start, end
    if last is not None:
        yield last


def _pieces(text: str, hits: Iterable[tuple[int, int]], start: int, end: int) -> Iterator[Piece]:
    at = start
    for hit_start, hit_end in hits:
        hit_start, hit_end = max(hit_start, at), min(hit_end, end)
        if hit_start >= hit_end:
            continue
        if at < hit_start:
            yield text[at:hit_start], False
        yield text[hit_start:hit_end], True
        at = hit_end
    if at < end:
        yield text[at:end], False
