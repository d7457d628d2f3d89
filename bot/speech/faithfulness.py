"""Whether a model that was given a text to read has read that text: it may answer it, add to it, or leave some out.

Compared are the words that the model says it spoke. Figures are written out by some models and not by others, so a
number agrees with any few words. No I/O, and nothing here keeps what was said.
"""

import re
import unicodedata
from collections import deque
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

MOST_MISSES: Final = 3
MEMORY: Final = 20
"""So many of the last sentences are remembered."""

# Scripts that put no spaces between words are compared sign by sign.
_WORD = re.compile(r"[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W_]+")
_APOSTROPHES = re.compile(r"['’]")
_ALIKE = 0.9
_WORDS_BESIDE_NUMBER = 3  # dollars and cents; o'clock in the morning


@dataclass(frozen=True, slots=True)
class Difference:
    given: int  # words in the text
    spoken: int
    wrong: int  # changed, added or left out
    is_slight: bool
    """Whether a listener was told the same thing."""


def difference(text: str, spoken: str) -> Difference:
    """Spelling and abbreviations make for a word or two; and what is one word to some is two to others."""
    given, got = _words(text), _words(spoken)
    wrong = _distance(given, got)
    is_slight = wrong <= 1 + len(given) // 5 or _likeness("".join(given), "".join(got)) >= _ALIKE
    return Difference(len(given), len(got), wrong, is_slight)


class Trust:
    """What is thought of a reader by its last sentences."""

    def __init__(self) -> None:
        self._misses: deque[bool] = deque(maxlen=MEMORY)
        self.is_lost = False
        """Whether what it reads must be looked at before anybody hears it; until it has read a good many rightly."""

    def note(self, *, is_right: bool) -> bool:
        """One more sentence; whether that has changed what is thought of the reader."""
        self._misses.append(not is_right)
        misses, before = sum(self._misses), self.is_lost
        self.is_lost = misses >= MOST_MISSES or (before and (misses > 0 or len(self._misses) < MEMORY))
        return self.is_lost != before


def _words(text: str) -> list[str]:
    return _WORD.findall(_APOSTROPHES.sub("", unicodedata.normalize("NFKC", text).casefold()))


def _likeness(one: str, other: str) -> float:
    """0 to 1, by the letters that both have in the same order."""
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def _distance(given: list[str], got: list[str]) -> int:
    """Levenshtein's, in words; a number stands for any few words on the other side."""
    rows = [list(range(len(got) + 1))]
    for i, word in enumerate(given, 1):
        row = [i]
        for j, other in enumerate(got, 1):
            row.append(min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (word != other)))
            if most := _longest(word):
                row[j] = min(row[j], *rows[-1][max(0, j - most) : j + 1])
            if most := _longest(other):
                row[j] = min(row[j], row[j - 1], *(earlier[j - 1] for earlier in rows[max(0, i - most) :]))
        rows.append(row)
    return rows[-1][-1]


def _longest(word: str) -> int:
    """How many words a number can be: each figure may be one, and a unit or two may follow. 0: it is none."""
    digits = sum(letter.isdigit() for letter in word)
    return digits + _WORDS_BESIDE_NUMBER if digits else 0
