"""What a call is filtered by, as words of the search index: `_bot_reception`, `_flag_error`, `_secs0_83`.

Standing in the same index as the words that were said, any combination of filters and words is found by walking the
shortest of a few ordered lists. A word that was said never has a `_` in it, so the two cannot be confused.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Row

from bot.calllog.filters import MAX_MS, CallFilter
from bot.calllog.storable import storable_key

NONE = "none"
"""The verdict of a call that nobody has judged."""
NUMBER_PART_CHARS = 3
"""The shortest part of a number that the index knows."""
_TOKEN_CHARS = 200
_LEVELS = 11  # of lengths: each four times as wide as the one before; 2**31 ms is 2 of the widest
_PLAIN = re.compile(r"[a-y0-9]*")  # z begins the code of any other character


def facet(kind: str, value: str) -> str:
    """The index's word for a property; different values have different words."""
    return f"_{kind}_{value if _PLAIN.fullmatch(value) else _coded(value)}"


def _coded(value: str) -> str:
    coded = "".join(c if _PLAIN.fullmatch(c) else f"z{ord(c):x}z" for c in value)
    return coded if len(coded) <= _TOKEN_CHARS else "zz" + hashlib.blake2b(value.encode(), digest_size=20).hexdigest()


def facets_of(
    call: Row[Any], flags: Iterable[str], tools: Iterable[str], tags: Iterable[str], *, unread: bool
) -> Iterator[str]:
    """All facets of a call that is over; `call` is its row in `calls`."""
    for kind in ("bot", "carrier", "end_reason", "from_number", "to_number"):
        yield facet("number" if kind.endswith("number") else kind, getattr(call, kind) or "")
    yield from (facet("part", part) for part in sorted(_parts(other_number(call))))
    yield from _length((call.duration_ms or 0) // 1000)
    yield facet("verdict", call.verdict or NONE)
    yield from (facet("flag", flag) for flag in flags)
    yield from (facet("tool", tool) for tool in tools)
    yield from (facet("tag", tag) for tag in tags)
    yield facet("unread", "yes" if unread else "no")


def own_number(call: Row[Any]) -> str:
    """Ours of the two: the one that was called, unless we called."""
    return str(call.to_number if call.direction == "inbound" else call.from_number)


def other_number(call: Row[Any]) -> str:
    return str(call.from_number if call.direction == "inbound" else call.to_number)


def facets_wanted(
    filters: CallFilter, own_numbers: Sequence[str] = (), *, is_older: bool = False
) -> Iterator[Sequence[str]]:
    """What a call must have, each time one of several; lengths and parts of numbers must be looked at again.

    `own_numbers` are those of ours that have `filters.number_part`. `is_older` also finds calls that were summed up
    when the index knew lengths by doubling only.
    """
    for kind in ("bot", "carrier", "end_reason", "number", "verdict", "tool", "tag"):
        if (value := getattr(filters, kind)) is not None:
            yield [facet(kind, storable_key(value))]
    yield from ([facet("flag", flag)] for flag in filters.flags)
    if filters.has_unread_message is not None:
        yield [facet("unread", "yes" if filters.has_unread_message else "no")]
    if filters.number_part is not None:
        # Each call has one of a few numbers of ours, which have most of the parts of some number that nobody has. So
        # of them no parts are known: either the other number has all of these, or ours is one that has the whole.
        ours = [facet("number", number) for number in own_numbers]
        yield from ([facet("part", part), *ours] for part in sorted(_parts(storable_key(filters.number_part))))
    if filters.min_ms is not None or filters.max_ms is not None:
        shortest = max(0, min(filters.min_ms or 0, MAX_MS)) // 1000
        longest = (MAX_MS if filters.max_ms is None else min(filters.max_ms, MAX_MS)) // 1000
        doubled = range(shortest.bit_length(), longest.bit_length() + 1) if is_older and longest >= 0 else ()
        known = [*_lengths(shortest, longest), *(facet("secs", str(size)) for size in doubled)]
        # Where nothing is between the two, no call has what stands for none.
        yield known or [facet("secs", NONE)]


def _length(seconds: int) -> Iterator[str]:
    """A length in seconds, in 4 seconds, in 16, …: as long as there is anything to tell."""
    yield facet("secs0", str(seconds))
    for level in range(1, _LEVELS):
        if seconds >> 2 * level:
            yield facet(f"secs{level}", str(seconds >> 2 * level))


def _lengths(first: int, last: int) -> Iterator[str]:
    """The fewest of these that only lengths from `first` to `last` have, both included."""
    if first == 0 <= last:
        yield facet("secs0", "0")
        first = 1
    for level in range(_LEVELS):
        while first <= last and (first % 4 or level == _LEVELS - 1):
            yield facet(f"secs{level}", str(first))
            first += 1
        while first <= last and last % 4 != 3:
            yield facet(f"secs{level}", str(last))
            last -= 1
        if first > last:
            return
        first, last = first // 4, last // 4


def _parts(number: str) -> set[str]:
    return {number[at : at + NUMBER_PART_CHARS] for at in range(len(number) - NUMBER_PART_CHARS + 1)}
