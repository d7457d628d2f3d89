"""What became of the words around a place in a long recording, against what is heard in its pieces alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from tests.support.long_recording import Placed
from tests.support.words import normalised


@dataclass(frozen=True, slots=True)
class Said:
    word: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Difference:
    """Words of the pieces that are missing in the whole, and words of the whole that the pieces do not have."""

    missing: tuple[str, ...]
    added: tuple[str, ...]

    @property
    def lost(self) -> int:
        """How many more words are gone than came in their place: another word is a mistake, but none lost."""
        return max(0, len(self.missing) - len(self.added))

    @property
    def doubled(self) -> int:
        return max(0, len(self.added) - len(self.missing))


def said(words: Sequence[Mapping[str, object]], at_s: float = 0.0) -> list[Said]:
    """Words as in `verbose_json`, moved by `at_s`."""
    return [
        Said(one, at_s + float(str(word["start"])), at_s + float(str(word["end"])))
        for word in words
        for one in normalised(str(word["word"]))
    ]


def said_in_pieces(placed: Sequence[Placed], alone: Mapping[str, Sequence[Mapping[str, object]]]) -> list[Said]:
    """What is heard in each piece by itself, by the piece's name, where it lies in the whole."""
    return [word for one in placed for word in said(alone[one.piece.name], one.at_s)]


def is_inside_a_word(at_s: float, pieces: Sequence[Said]) -> bool:
    return any(word.start_s < at_s < word.end_s for word in pieces)


def differences_around(at_s: float, pieces: Sequence[Said], whole: Sequence[Said], span_s: float) -> list[Difference]:
    """Between what is said in the pieces and in the whole within `span_s` of a place.

    The first and the last word of either may lie just outside of the other's span, which is no difference.
    """
    expected, got = ([one.word for one in words if abs(one.start_s - at_s) < span_s] for words in (pieces, whole))
    blocks = SequenceMatcher(None, expected, got, autojunk=False).get_opcodes()
    inner = [
        (expected[a:b], got[c:d])
        for kind, a, b, c, d in blocks
        if kind != "equal" and not (kind != "replace" and _is_an_end(a, b, c, d, len(expected), len(got)))
    ]
    return [Difference(tuple(missing), tuple(added)) for missing, added in inner]


def _is_an_end(a: int, b: int, c: int, d: int, expected: int, got: int) -> bool:
    is_short = (b - a) + (d - c) == 1
    return is_short and ((a == 0 and c == 0) or (b == expected and d == got))
