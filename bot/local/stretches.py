"""Stretches of speech as pairs of seconds: put together into windows, and compared with what was heard. Pure."""

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


def missed(stretches: Sequence[Stretch], heard: Sequence[Stretch]) -> list[Stretch]:
    """Speech in which nothing was heard: whole stretches, and long parts of some."""
    pieces = [(stretch, piece) for stretch in stretches for piece in _without(stretch, sorted(heard))]
    found = [piece for stretch, piece in pieces if piece[1] - piece[0] >= (_SHORT_S if piece == stretch else _LONG_S)]
    return [(group[0][0], group[-1][1]) for group in windows(found)]


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
