"""The turns of a call as they are read: who spoke from when to when, and how much of it was heard.

Words have no times of their own in the call log. Where one is needed, a turn's time is spread evenly over its letters.
"""

from collections.abc import Sequence

import msgspec

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


def word_ms(said: Said, at: int) -> int:
    """When about the letter `at` of what was heard of a turn sounded."""
    return letter_ms(said.from_ms, said.to_ms, len(said.heard), at)
