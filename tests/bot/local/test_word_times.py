"""Words' times beside pauses, on tones that stand for words."""

from itertools import pairwise

import numpy as np
import pytest

from bot.local.transcription import Word
from bot.local.word_times import Heard, fitted

RATE_HZ = 16_000


def sound(seconds: float, *loud: tuple[float, float]) -> np.ndarray:
    """Faint noise, and a tone in each of the stretches."""
    samples = np.random.default_rng(1).normal(0, 1e-4, round(seconds * RATE_HZ))
    for start, end in loud:
        place = np.arange(round(start * RATE_HZ), round(end * RATE_HZ))
        samples[place] += 0.3 * np.sin(2 * np.pi * 200 * place / RATE_HZ)
    return samples.astype(np.float32)


def times(words: tuple[Word, ...]) -> list[tuple[float, float]]:
    return [(word.start_s, word.end_s) for word in words]


def test_a_pause_before_a_word_is_not_its_own():
    words = [Word(" fellow", 0.1, 0.5, 1), Word(" ask", 0.5, 2.0, 1)]
    (_, ask) = times(fitted(words, Heard(sound(3, (0.1, 0.5), (1.6, 2.0)), RATE_HZ, 0)))
    assert ask == (pytest.approx(1.6, abs=0.05), pytest.approx(2.0, abs=0.02))


def test_a_pause_after_a_word_is_not_its_own():
    words = [Word(" not", 0.1, 1.5, 1), Word(" what", 1.5, 2.0, 1)]
    (not_, _) = times(fitted(words, Heard(sound(3, (0.1, 0.5), (1.5, 2.0)), RATE_HZ, 0)))
    assert not_ == (pytest.approx(0.1, abs=0.02), pytest.approx(0.5, abs=0.05))


def test_a_beginning_that_was_left_to_the_pause_is_added():
    (word,) = times(fitted([Word(" Press", 1.4, 1.6, 1)], Heard(sound(3, (1.0, 1.6)), RATE_HZ, 0)))
    assert word == (pytest.approx(1.0, abs=0.03), pytest.approx(1.6, abs=0.03))


def test_a_first_sound_before_the_silence_of_a_consonant_is_added():
    """As the "Pr" of "Press", or the "Log" of "Login"."""
    (word,) = times(fitted([Word(" Login", 1.3, 1.6, 1)], Heard(sound(3, (1.0, 1.2), (1.31, 1.6)), RATE_HZ, 0)))
    assert word == (pytest.approx(1.0, abs=0.03), pytest.approx(1.6, abs=0.03))


def test_a_last_sound_after_such_a_silence_is_added():
    (word,) = times(fitted([Word(" hat", 1.0, 1.3, 1)], Heard(sound(3, (1.0, 1.3), (1.4, 1.5)), RATE_HZ, 0)))
    assert word == (pytest.approx(1.0, abs=0.03), pytest.approx(1.5, abs=0.03))


def test_a_sound_a_quarter_of_a_second_away_is_no_part_of_a_word():
    (word,) = times(fitted([Word(" ask", 1.3, 1.6, 1)], Heard(sound(3, (0.9, 1.05), (1.3, 1.6)), RATE_HZ, 0)))
    assert word[0] == pytest.approx(1.3, abs=0.05)


def test_a_click_beside_a_word_is_no_part_of_it():
    (word,) = times(fitted([Word(" ask", 1.3, 1.6, 1)], Heard(sound(3, (1.2, 1.205), (1.3, 1.6)), RATE_HZ, 0)))
    assert word[0] == pytest.approx(1.3, abs=0.05)


def test_a_short_silence_between_two_words_is_neither_ones():
    words = [Word(" one", 0.5, 0.9, 1), Word(" two", 1.0, 1.4, 1)]
    one, two = times(fitted(words, Heard(sound(2, (0.5, 0.9), (1.0, 1.4)), RATE_HZ, 0)))
    assert one[1] == pytest.approx(0.9, abs=0.03)
    assert two[0] == pytest.approx(1.0, abs=0.03)


def test_the_words_of_another_segment_stay_their_own():
    heard = Heard(sound(3, (0.5, 2.5)), RATE_HZ, 0)
    (word,) = times(fitted([Word(" middle", 1.2, 1.6, 1)], heard, after_s=1.0, before_s=1.8))
    assert word == (pytest.approx(1.0, abs=0.03), pytest.approx(1.8, abs=0.03))


def test_words_never_overlap_however_loud_it_is():
    words = [Word(f" {number}", number / 5, number / 5 + 0.2, 1) for number in range(10)]
    found = times(fitted(words, Heard(sound(2, (0, 2)), RATE_HZ, 0)))
    assert all(before[1] <= after[0] for before, after in pairwise(found))


def test_in_silence_the_times_stay():
    words = (Word(" ghost", 0.5, 0.9, 1),)
    assert times(fitted(words, Heard(np.zeros(RATE_HZ, np.float32), RATE_HZ, 0))) == [(0.5, 0.9)]


def test_the_clock_may_have_begun_long_before_the_samples():
    (word,) = times(fitted([Word(" ask", 100.2, 101.9, 1)], Heard(sound(3, (1.5, 1.9)), RATE_HZ, 100.0)))
    assert word == (pytest.approx(101.5, abs=0.05), pytest.approx(101.9, abs=0.02))


def test_no_words_stay_no_words():
    assert fitted((), Heard(sound(1), RATE_HZ, 0)) == ()
