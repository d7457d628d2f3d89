"""Turns as they are read: what was heard of them, and when about a word sounded."""

import pytest

from bot.analysis.call_words import TurnWords, WordTime
from bot.review.call.said import heard_and_unheard, turns_said, with_words, word_end_ms, word_ms
from tests.support.calls import turn

OFFER = "Friday at ten, Friday at two, or Monday."


@pytest.mark.parametrize(
    ("changes", "heard", "unheard"),
    [
        ({"heard_text": OFFER, "ended_ms": 900}, OFFER, ""),
        ({"heard_text": "Friday at ten", "ended_ms": 900}, "Friday at ten", ", Friday at two, or Monday."),
        ({"heard_text": "", "ended_ms": 900}, "", OFFER),
        ({"heard_text": ""}, OFFER, ""),  # the bot is still speaking
        ({"heard_text": "friday  at ten", "ended_ms": 900}, "friday  at ten", " Friday at two, or Monday."),
        ({"heard_text": None, "role": "caller"}, OFFER, ""),
    ],
)
def test_what_was_generated_and_never_heard_stands_apart(changes, heard, unheard):
    assert heard_and_unheard(turn(text=OFFER, **changes)) == (heard, unheard)


def test_turns_come_in_the_order_in_which_they_began_and_silent_ones_are_left_out():
    said = turns_said([turn(index=1, started_ms=5000), turn(index=0, started_ms=900), turn(index=2, text="")], 9000)
    assert [each.index for each in said] == [0, 1]


@pytest.mark.parametrize(
    ("changes", "to_ms"),
    [
        ({"ended_ms": 2500}, 2500),
        ({"heard_ms": 700}, 1700),
        ({"text": "a" * 10}, 1650),  # nobody wrote down its end: as long as letters take
        ({"text": "a" * 1000}, 4000),  # but not beyond the call's
        ({"ended_ms": 400}, 1000),  # no turn ends before it begins
    ],
)
def test_a_turn_ends_where_that_is_known_and_else_about_where_its_words_do(changes, to_ms):
    [said] = turns_said([turn(started_ms=1000, **changes)], 4000)
    assert (said.from_ms, said.to_ms) == (1000, to_ms)


def test_a_words_time_is_its_share_of_the_turn():
    [said] = turns_said([turn(started_ms=1000, ended_ms=2000, text="aaaa bbbbb", heard_text="aaaa bbbbb")], 4000)
    assert [word_ms(said, at) for at in (0, 5, 10, 99)] == [1000, 1500, 2000, 2000]


def test_a_word_whose_time_was_found_has_that():
    said = turns_said([turn(index=4, started_ms=1000, ended_ms=2000, text="aaaa bbbbb", heard_text="aaaa bbbbb")], 4000)
    words = [WordTime(0, 4, 1100, 1200), WordTime(5, 5, 1800, 1900)]
    [found] = with_words(said, [TurnWords(4, words), TurnWords(9, [])])
    assert [word_ms(found, at) for at in (0, 3, 5, 9, 99)] == [1100, 1100, 1800, 1800, 1800]
    assert [word_end_ms(found, at) for at in (0, 4, 10)] == [1200, 1200, 1900]
    assert with_words([found], []) == said
