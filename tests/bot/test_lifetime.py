"""When a call must be over, and for which one reason."""

import pytest

from bot.events import EndCall, EndReason
from bot.lifetime import Lifetime
from bot.policy import CallPolicy

POLICY = CallPolicy(start_timeout_s=10.0, max_call_s=900.0, goodbye_grace_s=5.0)


@pytest.fixture
def life() -> Lifetime:
    return Lifetime(POLICY, now=100.0)


def test_a_call_must_start_soon_and_then_has_its_whole_length(life: Lifetime):
    assert life.due_at == 110.0
    life.start(104.0)
    assert life.due_at == 1004.0


def test_the_first_reason_is_the_only_one(life: Lifetime):
    assert life.end(EndReason.CALLER_HUNG_UP) == [EndCall(EndReason.CALLER_HUNG_UP)]
    assert life.end(EndReason.SERVER_ERROR) == []
    assert life.end_reason is EndReason.CALLER_HUNG_UP


def test_who_hangs_up_during_the_last_words_changes_nothing_about_their_reason(life: Lifetime):
    life.say_farewell(EndReason.IDLE, 2000, now=200.0)
    assert life.is_ending
    assert not life.is_over
    assert life.end(EndReason.CALLER_HUNG_UP) == [EndCall(EndReason.IDLE)]


def test_the_last_words_may_take_their_length_and_a_moment(life: Lifetime):
    life.say_farewell(EndReason.IDLE, 2000, now=200.0)
    assert life.due_at == 207.0
