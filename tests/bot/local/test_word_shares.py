"""Where two words meet, when one of them was given the other's time."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.local.transcription import Word
from bot.local.word_shares import shared

SENTENCE = ("Press", "one", "to", "record", "your", "temporary", "greeting")


def said(words: tuple[str, ...], *ends_s: float) -> list[Word]:
    """One after another, without a pause, from the beginning on."""
    starts_s = (0.0, *ends_s[:-1])
    return [Word(f" {word}", start, end, 1) for word, start, end in zip(words, starts_s, ends_s, strict=True)]


def times(words: tuple[Word, ...] | list[Word]) -> list[tuple[float, float]]:
    return [(word.start_s, word.end_s) for word in words]


def test_a_long_word_gets_back_what_the_short_one_before_it_took():
    words = said(SENTENCE, 0.4, 0.6, 0.75, 1.2, 2.0, 2.1, 2.6)
    found = times(shared(words))
    assert found[4][1] == found[5][0] == pytest.approx(1.5, abs=0.1)
    assert found[:4] + found[6:] == times(words)[:4] + times(words)[6:]


def test_a_long_word_gets_back_what_the_short_one_after_it_took():
    words = said(("Of", "availability", "we", "have", "none"), 0.2, 0.4, 1.2, 1.5, 1.8)
    assert times(shared(words))[1][1] == pytest.approx(1.0, abs=0.1)


def test_a_word_that_was_given_nothing_is_somewhere():
    words = said(("particular", "case", "Tom", "apologized"), 0.8, 1.6, 1.6, 2.4)
    start_s, end_s = times(shared(words))[2]
    assert end_s - start_s > 0.2


def test_words_said_fast_and_slowly_stay_as_they_were_aligned():
    words = said(SENTENCE, 0.5, 0.8, 0.95, 1.3, 1.5, 2.1, 2.5)
    assert times(shared(words)) == times(words)


def test_words_with_a_pause_between_them_stay():
    words = said(SENTENCE, 0.4, 0.6, 0.75, 1.2, 2.0, 2.1, 2.6)
    words[5] = Word(" temporary", 2.06, 2.1, 1)
    assert times(shared(words)) == times(words)


def test_a_number_is_longer_than_it_is_written():
    words = said(("It", "costs", "$20,000", "each", "year"), 0.25, 0.65, 1.85, 1.95, 2.25)
    assert times(shared(words)) == times(words)


def test_of_two_words_no_pace_can_be_told():
    words = said(("your", "temporary"), 0.9, 1.0)
    assert times(shared(words)) == times(words)


def test_no_words_stay_no_words():
    assert shared(()) == ()


@given(
    st.lists(st.tuples(st.text("abc1,'", max_size=8), st.integers(0, 90), st.integers(0, 20)), max_size=12),
)
def test_words_stay_in_order_and_keep_the_ends_of_their_sentence(said_words: list[tuple[str, int, int]]):
    words, at = [], 0
    for text, lasts, pause in said_words:
        words.append(Word(text, at / 100, (at + lasts) / 100, 1))
        at += lasts + pause
    found = shared(words)
    assert [word.text for word in found] == [word.text for word in words]
    assert all(word.start_s <= word.end_s for word in found)
    assert all(before.end_s <= after.start_s for before, after in pairwise(found))
    assert [(found[0].start_s, found[-1].end_s)] == [(words[0].start_s, words[-1].end_s)] if words else not found
