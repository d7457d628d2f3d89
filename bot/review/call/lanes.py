"""What is drawn below a call's waveform, on the same axis: a lane for each kind of thing, with what was when.

A lane holds at most `MOST_MARKS`: what lies closer together than they can be drawn becomes one mark, which says how
many there are. The list of everything that happened has each of them.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import msgspec

from bot.review.call.happenings import Happening

MOST_MARKS = 400
LANES = ("caller", "bot", "cuts", "tools", "clears", "troubles", "keys", "operator")

_LANE_OF = {
    "said_by_caller": "caller",
    "said_by_bot": "bot",
    "reply_cut": "cuts",
    "tool_requested": "tools",
    "tool_began": "tools",
    "transfer_asked": "tools",
    "playout_cleared": "clears",
    "reply_truncated": "clears",
    "reply_dropped": "clears",
    "voice_failed": "troubles",
    "voice_warned": "troubles",
    "transfer_failed": "troubles",
    "no_words": "troubles",
    "words_unwritten": "troubles",
    "digit_pressed": "keys",
    "operator_spoke": "operator",
    "operator_hung_up": "operator",
    "operator_transferred": "operator",
}


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """Something in a lane: `to_ms` is `from_ms` where it takes no time; `n` is its place among all that happened."""

    n: int
    from_ms: int
    to_ms: int
    kind: str
    about: str = ""  # what tells it from others of its kind: a tool's name, a key, the first words
    count: int = 1


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    marks: list[Mark]


def lanes_of(happenings: Sequence[Happening], length_ms: int) -> list[Lane]:
    """The lanes that have something in them."""
    by_lane: defaultdict[str, list[Mark]] = defaultdict(list)
    for mark in _marks(happenings, length_ms):
        by_lane[_LANE_OF[mark.kind]].append(mark)
    return [Lane(name=name, marks=_sparse(by_lane[name], length_ms)) for name in LANES if by_lane[name]]


def _marks(happenings: Sequence[Happening], length_ms: int) -> Iterator[Mark]:
    ended = {_job(each): each.at_ms for each in happenings if each.kind == "tool_ended"}
    began = {str(each.facts.get("name")) for each in happenings if each.kind == "tool_began"}
    for each in happenings:
        if each.kind not in _LANE_OF or (each.kind == "tool_requested" and str(each.facts.get("name")) in began):
            continue  # a tool that was begun has a mark that says how long it took
        to_ms = ended.get(_job(each), length_ms) if each.kind == "tool_began" else each.to_ms
        yield Mark(n=each.n, from_ms=each.at_ms, to_ms=max(each.at_ms, to_ms), kind=each.kind, about=_about(each))


def _job(happening: Happening) -> object:
    return str(happening.facts.get("job"))


def _about(happening: Happening) -> str:
    facts = happening.facts
    for name in ("name", "digit", "text", "destination", "message"):
        if name in facts:
            return str(facts[name])
    return ""


def _sparse(marks: list[Mark], length_ms: int) -> list[Mark]:
    if len(marks) <= MOST_MARKS:
        return marks
    width_ms = max(1, -(-length_ms // MOST_MARKS))
    cells: dict[int, list[Mark]] = {}
    for mark in marks:
        cells.setdefault(min(mark.from_ms // width_ms, MOST_MARKS - 1), []).append(mark)
    return [_together(cell) for cell in cells.values()]


def _together(marks: Sequence[Mark]) -> Mark:
    """As long as the last of them lasts; what takes no time makes no stretch either."""
    if all(mark.to_ms == mark.from_ms for mark in marks):
        return msgspec.structs.replace(marks[0], count=len(marks))
    return msgspec.structs.replace(marks[0], to_ms=max(mark.to_ms for mark in marks), count=len(marks))
