"""Words' times fitted to the sound: silence is taken off their ends, and sound that nobody claims is added. Pure.

Whisper aligns tokens, and a pause belongs to one of the tokens beside it: a word after a second of silence begins a
second too early, and sometimes its first half is left to the pause. Loudness knows better, where it is told what a
consonant is: before a "t" or a "k" a word is silent for up to 0.15 s, so a sound that stands apart by no more belongs
to the word after it ("Lo-gin"). Of 88 people's readings in a row, 44 % had a word beginning within 0.2 s of their first
sound, and 60 % one ending so near their last; fitted, 99 % and 97 % (`benchmarks/recordings.py`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bot.local.transcription import Word

_STEP_S = 0.01
_WIDTH_S = 0.02
_QUIET_DB = 25.0  # so far below the loud places of the same words it is quiet,
_NOISE_DB = 6.0  # and so near to the noise of the recording,
_LOUD_DB = 15.0  # but nothing is that is less than this below the loud places
_NOISE_SHARE = 10  # the quietest tenth of a recording is its noise
_SILENT_DB = -70.0  # dBFS; nothing below is speech
_SHORTEST_S = 0.06
_PAUSE_S = 0.25  # no word has a longer one inside
_BREAK_S = 0.15  # as long may a "t" or a "k" hold a word back
_CLICK_S = 0.03  # what is shorter is no sound of speech
_BREATH_S = 0.03  # left on either side
_REACH_S = 0.6  # as far a word may grow

Loud = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Heard:
    """What the words were heard in: samples, -1 to 1, which begin at `start_s` on the words' clock."""

    samples: NDArray[np.float32]
    rate_hz: int
    start_s: float


def fitted(
    words: Sequence[Word], heard: Heard, after_s: float = -math.inf, before_s: float = math.inf
) -> tuple[Word, ...]:
    """Words of one segment, in order, none before or after the two times, where others are said."""
    if not words:
        return ()
    sound = _sound_around(words, heard, after_s, before_s)
    if sound is None:
        return tuple(words)
    tight = [_tightened(word, sound) for word in words]
    found: list[Word] = []
    for word, after in zip(tight, [*tight[1:], None], strict=True):
        earliest_s = found[-1].end_s if found else sound.origin_s
        found.append(_grown(word, sound, earliest_s, None if after is None else after.start_s))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Sound:
    """Where it is loud, in steps of a hundredth of a second from `origin_s`."""

    origin_s: float
    is_loud: Loud
    whole: Loud  # the same with the breaks inside words closed, and without clicks beside them

    def step(self, seconds: float) -> int:
        return min(len(self.is_loud), _step(seconds - self.origin_s))

    def seconds(self, step: int) -> float:
        return self.origin_s + step * _STEP_S


def _sound_around(words: Sequence[Word], heard: Heard, after_s: float, before_s: float) -> _Sound | None:
    """None where it is silent."""
    origin_s = max(heard.start_s, min(words[0].start_s, max(after_s, words[0].start_s - _REACH_S)))
    until_s = max(words[-1].end_s, min(before_s, words[-1].end_s + _REACH_S))
    begin, end = (round((at - heard.start_s) * heard.rate_hz) for at in (origin_s, until_s))
    level = _level_db(heard.samples[begin:end], heard.rate_hz)
    loudest = float(np.percentile(level, 95)) if len(level) else -math.inf
    if loudest < _SILENT_DB:
        return None
    noise = float(np.percentile(_level_db(heard.samples, heard.rate_hz), _NOISE_SHARE))
    is_loud: Loud = level > max(loudest - _QUIET_DB, min(noise + _NOISE_DB, loudest - _LOUD_DB))
    return _Sound(origin_s, is_loud, _whole(is_loud))


def _whole(is_loud: Loud) -> Loud:
    loud = np.flatnonzero(is_loud)
    sounds = [one for one in np.split(loud, np.flatnonzero(np.diff(loud) > 1) + 1) if len(one) >= _step(_CLICK_S)]
    whole = np.zeros_like(is_loud)
    for sound in sounds:
        whole[sound] = True
    for before, after in pairwise(sounds):
        if after[0] - before[-1] <= _step(_BREAK_S):
            whole[before[-1] : after[0]] = True
    return whole


def _tightened(word: Word, sound: _Sound) -> Word:
    begin, end = sound.step(word.start_s), sound.step(word.end_s)
    first, last = _longest(np.flatnonzero(sound.is_loud[begin:end]))
    start_s = max(word.start_s, sound.seconds(begin + first) - _BREATH_S)
    end_s = min(word.end_s, sound.seconds(begin + last) + _BREATH_S)
    if end_s - start_s < _SHORTEST_S:
        return word
    return replace(word, start_s=round(start_s, 3), end_s=round(end_s, 3))


def _longest(loud: NDArray[np.intp]) -> tuple[int, int]:
    """Where the longest stretch without a pause begins and ends; the others are a neighbour's."""
    if not len(loud):
        return 0, 0
    stretches = np.split(loud, np.flatnonzero(np.diff(loud) > _PAUSE_S / _STEP_S) + 1)
    longest = max(stretches, key=len)
    return int(longest[0]), int(longest[-1]) + 1


def _grown(word: Word, sound: _Sound, earliest_s: float, latest_s: float | None) -> Word:
    """As far as the sound goes on, but not into a neighbour; `latest_s` is None for the last word.

    A sound that stands apart belongs to the word after it, since only the last word has nobody after it.
    """
    begin = _back(sound.step(word.start_s), sound.step(max(earliest_s, word.start_s - _REACH_S)), sound)
    if latest_s is None:
        end = _on(sound.step(word.end_s), len(sound.whole), sound.whole)
    else:
        end = _on(sound.step(word.end_s), sound.step(latest_s), sound.is_loud)
    start_s = max(earliest_s, min(word.start_s, sound.seconds(begin)))
    return replace(word, start_s=round(start_s, 3), end_s=round(max(word.end_s, sound.seconds(end)), 3))


def _back(begin: int, first: int, sound: _Sound) -> int:
    """Where the sound begins that goes on into a word."""
    at = begin
    while at > first and sound.whole[at - 1]:
        at -= 1
    while at < begin and not sound.is_loud[at]:  # a break that the word before ends with
        at += 1
    return at


def _on(end: int, last: int, loud: Loud) -> int:
    """Where the sound ends that a word goes on into."""
    while end < last and loud[end]:
        end += 1
    return end


def _step(seconds: float) -> int:
    return max(0, round(seconds / _STEP_S))


def _level_db(samples: NDArray[np.float32], rate_hz: int) -> NDArray[np.float64]:
    """How loud it is around each hundredth of a second."""
    step, width = round(_STEP_S * rate_hz), round(_WIDTH_S * rate_hz)
    sums = np.concatenate([np.zeros(1), np.cumsum(np.square(samples.astype(np.float64)))])
    starts = np.arange(0, len(samples) - width + 1, step)
    power: NDArray[np.float64] = (sums[starts + width] - sums[starts]) / width
    return 10 * np.log10(power + 1e-10)
