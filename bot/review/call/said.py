"""The turns of a call as they are read: who spoke from when to when, and how much of it was heard.

Words have no times of their own in the call log. Where they were found in the recording, a turn has them; else its time
is spread evenly over its letters.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

import msgspec

from bot.analysis.call_words import TurnWords, WordTime
from bot.calllog.estimates import end_ms, letter_ms
from bot.calllog.records import TurnRecord

SHOWN_CHARS = 6000
"""Of one turn on the page; downloads have it whole."""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A turn with words. `unheard` is what a reply would have gone on with; `to_ms` is never before `from_ms`."""

    index: int
    role: str
    kind: str
    from_ms: int
    to_ms: int
    heard: str
    unheard: str
    is_interrupted: bool
    is_under_way: bool
    words: list[WordTime] = []  # of `heard`, in order; empty where nobody knows when each was said


def turns_said(turns: Sequence[TurnRecord], length_ms: int) -> list[Said]:
    """The turns that have words, by when they began; `length_ms` is the call's."""
    return sorted((_said(turn, length_ms) for turn in turns if turn.text), key=lambda said: said.from_ms)


def _said(turn: TurnRecord, length_ms: int) -> Said:
    heard, unheard = heard_and_unheard(turn)
    return Said(
        index=turn.index,
        role=turn.role,
        kind=turn.kind,
        from_ms=turn.started_ms,
        to_ms=_end_ms(turn, length_ms),
        heard=heard,
        unheard=unheard,
        is_interrupted=turn.interrupted,
        is_under_way=turn.ended_ms is None,
    )


def heard_and_unheard(turn: TurnRecord) -> tuple[str, str]:
    """A turn's text in two: what reached an ear, and what the bot would have gone on with."""
    if turn.role == "caller" or turn.heard_text is None or (turn.ended_ms is None and not turn.heard_text):
        return turn.text, ""
    if turn.text.startswith(turn.heard_text):
        return turn.heard_text, turn.text[len(turn.heard_text) :]
    return turn.heard_text, _rest_after(turn.text, len(turn.heard_text.split()))


def _rest_after(text: str, words: int) -> str:
    """The text behind so many words: what was heard may be spaced and punctuated in another way."""
    rest = text.split(maxsplit=words)[words:]
    return f" {rest[0]}" if rest else ""


def _end_ms(turn: TurnRecord, length_ms: int) -> int:
    ends_ms = end_ms(turn.started_ms, turn.ended_ms, turn.heard_ms, len(turn.text))
    if turn.ended_ms is not None or turn.heard_ms:
        return ends_ms
    return min(ends_ms, max(length_ms, turn.started_ms))


def with_words(said: Sequence[Said], found: Iterable[TurnWords]) -> list[Said]:
    """The same turns, with the times of their words where those were found."""
    words = {turn.index: turn.words for turn in found}
    return [msgspec.structs.replace(turn, words=words.get(turn.index, [])) for turn in said]


def word_ms(said: Said, at: int) -> int:
    """When the word with the letter `at` of what was heard of a turn begins, or about when."""
    word = _word_with(said, at)
    return letter_ms(said.from_ms, said.to_ms, len(said.heard), at) if word is None else word.from_ms


def word_end_ms(said: Said, at: int) -> int:
    """When the word before the letter `at` of what was heard of a turn ends, or about when."""
    word = _word_with(said, at - 1)
    return letter_ms(said.from_ms, said.to_ms, len(said.heard), at) if word is None else word.to_ms


def _word_with(said: Said, at: int) -> WordTime | None:
    """The last one that begins there or before."""
    found = bisect_right(said.words, at, key=lambda word: word.letter)
    return said.words[max(0, found - 1)] if said.words else None
