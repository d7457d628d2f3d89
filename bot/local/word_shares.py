"""Neighbouring words' shares of their sound, put right where a word got far too little of it. Pure.

Whisper's alignment now and then gives a word's time to the one beside it: "your" lasts 0.7 s, and the "temporary" after
it 0.1 s. Letters tell roughly how long a word takes, measured by the other words of the same segment. Only pairs of
which one is given less than half of its time, and the other more than its own, are looked at: everywhere else the
alignment knows better than the alphabet.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from bot.local.transcription import Word

_FEW = 3  # of so many words a pace can be told
_LETTERS_MORE = 1  # a word of one letter takes more than a tenth of one of ten
_TOO_SHORT = 0.5  # of the time its letters would take
_TOO_LONG = 1.0
_TOGETHER_S = 0.05  # words farther apart do not share a sound
_NEAR_S = 0.05  # of where the letters say


def shared(words: Sequence[Word]) -> tuple[Word, ...]:
    """The words of one segment, in order; only where two of them meet may move."""
    lengths = [_length(word) for word in words]
    paces = [_lasts(word) / length for word, length in zip(words, lengths, strict=True) if length]
    if len(paces) < _FEW or not (pace := median(paces)):
        return tuple(words)
    found = list(words)
    for number in range(len(found) - 1):
        first, second = found[number : number + 2]
        wanted_s = (pace * lengths[number], pace * lengths[number + 1])
        if not all(wanted_s) or second.start_s - first.end_s > _TOGETHER_S:
            continue
        if _is_out_of_balance(_lasts(first) / wanted_s[0], _lasts(second) / wanted_s[1]):
            meet_s = _meeting(first, second, wanted_s[0] / sum(wanted_s))
            found[number : number + 2] = replace(first, end_s=meet_s), replace(second, start_s=meet_s)
    return tuple(found)


def _is_out_of_balance(first: float, second: float) -> bool:
    """Of two words' times, in parts of what their letters would take."""
    return min(first, second) < _TOO_SHORT and max(first, second) > _TOO_LONG


def _meeting(first: Word, second: Word, share: float) -> float:
    """As near to where they met before as the letters allow."""
    expected_s = first.start_s + share * (second.end_s - first.start_s)
    return round(min(max(second.start_s, expected_s - _NEAR_S), expected_s + _NEAR_S), 3)


def _length(word: Word) -> int:
    """In letters; 0 for one with digits, which sound longer than they are written, and for one without any letter."""
    letters = re.findall(r"[^\W_]", word.text)
    return 0 if not letters or any(letter.isdigit() for letter in letters) else len(letters) + _LETTERS_MORE


def _lasts(word: Word) -> float:
    return word.end_s - word.start_s
