"""Stretches of speech as pairs of seconds: put together into windows, and compared with what was heard. Pure."""

import math
from collections.abc import Iterator, Sequence

Stretch = tuple[float, float]

WINDOW_S = 29.0  # what the model hears at once, and a little less
_PAUSE_S = 1.0
_SHORT_S = 0.6  # what is shorter may have been a breath
_LONG_S = 2.0  # no two segments of one speech are so far apart
_EDGE_S = 0.3  # speech goes on a little around the words that were found in it


def windows(stretches: Sequence[Stretch]) -> list[list[Stretch]]:
    """Neighbours with short pauses between them together, as far as a window holds them, in order.

    The model knows more of a word from its neighbours, and each window costs the same however full it is.
    """
    grouped: list[list[Stretch]] = []
    for start, end in stretches:
        if grouped and start - grouped[-1][-1][1] <= _PAUSE_S and end - grouped[-1][0][0] <= WINDOW_S:
            grouped[-1].append((start, end))
        else:
            grouped.append([(start, end)])
    return grouped


def widened(stretches: Sequence[Stretch], before_s: float, after_s: float) -> list[Stretch]:
    """Each with some of the silence around it, no two overlapping: detectors of speech are late now and then."""
    wide: list[Stretch] = []
    for number, (start, end) in enumerate(stretches):
        earliest = wide[-1][1] if wide else 0.0
        latest = stretches[number + 1][0] if number + 1 < len(stretches) else math.inf
        wide.append((max(earliest, start - before_s), min(latest, end + after_s)))
    return wide


def missed(stretches: Sequence[Stretch], heard: Sequence[Stretch]) -> list[Stretch]:
    """Speech in which nothing was heard: whole stretches, and long parts of some."""
    pieces = [(stretch, piece) for stretch in stretches for piece in _without(stretch, sorted(heard))]
    found = [piece for stretch, piece in pieces if piece[1] - piece[0] >= (_SHORT_S if piece == stretch else _LONG_S)]
    return [(group[0][0], group[-1][1]) for group in windows(found)]


def room(stretch: Stretch, heard: Sequence[Stretch]) -> tuple[float, float]:
    """How far a missed stretch may be widened: a little, and not into what was heard."""
    start, end = stretch
    before = [until for _, until in heard if until <= start]
    after = [begin for begin, _ in heard if begin >= end]
    return max([start - _EDGE_S, 0.0, *before]), min([end + _EDGE_S, *after])


def _without(stretch: Stretch, heard: Sequence[Stretch]) -> Iterator[Stretch]:
    at, end = stretch
    for begin, until in heard:
        if begin - _EDGE_S >= end:
            break
        if until + _EDGE_S <= at:
            continue
        if begin - _EDGE_S > at:
            yield (at, begin - _EDGE_S)
        at = until + _EDGE_S
    if at < end:
        yield (at, end)
