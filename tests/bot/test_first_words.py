"""A voice that greets by itself has only so long to begin."""

import math

from bot.events import CancelReply, Greet
from bot.first_words import FirstWords


def test_the_first_words_are_waited_for_until_somebody_speaks():
    first = FirstWords(patience_s=1.5)
    assert first.due_at == math.inf
    assert first.ask("r1", "Hello.", now=10.0) == Greet("r1", "Hello.")
    assert first.due_at == 11.5
    first.settle()
    assert first.due_at == math.inf


def test_given_up_they_are_not_wanted_any_more():
    first = FirstWords(patience_s=1.5)
    first.ask("r1", "Hello.", now=10.0)
    cancelled = first.give_up()
    assert isinstance(cancelled, CancelReply)
    assert cancelled.reply_id == "r1"
    assert first.due_at == math.inf
