"""What became of the words around a place in a long recording, against what is heard in its pieces alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from tests.support.long_recording import Placed
from tests.support.words import normalised


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


def differences_around(
    at_s: float, placed: Sequence[Placed], alone: Mapping[str, str], words: Sequence[Mapping[str, Any]], span_s: float
) -> list[Difference]:
    """Between the pieces that lie within `span_s` of a place, and the words that begin where they lie.

    `alone` is what is heard in each piece by itself, by name; `words` are those of the whole, as in `verbose_json`.
    """
    near = [one for one in placed if one.end_s > at_s - span_s and one.begin_s < at_s + span_s]
    if not near:
        return []
    expected = normalised(" ".join(alone[one.piece.name] for one in near))
    begin_s, end_s = near[0].begin_s - 0.3, near[-1].end_s + 0.1
    got = normalised(" ".join(word["word"] for word in words if begin_s <= word["start"] <= end_s))
    blocks = SequenceMatcher(None, expected, got, autojunk=False).get_opcodes()
    return [Difference(tuple(expected[a:b]), tuple(got[c:d])) for kind, a, b, c, d in blocks if kind != "equal"]
