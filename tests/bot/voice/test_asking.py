"""A model is asked for one response at a time, and owes an answer until it begins."""

import json
import math

import pytest

from bot.voice.asking import Asking


@pytest.fixture
def asking() -> Asking:
    return Asking(stall_s=5.0)


def test_a_model_that_is_free_is_asked_at_once(asking: Asking):
    [message] = asking.ask(10.0, "Say hello.", is_free=True)
    assert json.loads(message)["response"] == {"instructions": "Say hello."}
    assert asking.is_under_way
    assert asking.wish is None


def test_what_cannot_be_asked_now_stays_a_wish(asking: Asking):
    asking.ask(10.0, is_free=True)
    assert asking.ask(11.0, "And this.", is_free=True) == []
    assert asking.wish == "And this."


def test_a_model_that_shows_no_sign_of_life_has_stalled(asking: Asking):
    assert asking.stalled_at == math.inf
    asking.owe(10.0)
    assert asking.stalled_at == 15.0
    asking.moved(12.0)
    assert asking.stalled_at == 17.0
    asking.settle()
    assert asking.stalled_at == math.inf


def test_a_response_cancelled_before_it_had_a_name_is_unwanted_when_it_gets_one(asking: Asking):
    asking.ask(10.0, is_free=True)
    assert asking.cancel() == ""
    assert not asking.created("resp_1", 10.5)
    asking.done()
    assert asking.created("resp_2", 11.0)


def test_one_that_has_a_name_is_cancelled_by_it(asking: Asking):
    assert asking.cancel() is None
    asking.created("resp_1", 10.0)
    assert asking.cancel() == "resp_1"


def test_what_a_lost_session_was_making_is_owed_by_the_next(asking: Asking):
    asking.created("resp_1", 10.0)
    asking.lost()
    assert not asking.is_under_way
    assert asking.is_owed


def test_a_response_that_crosses_one_of_the_models_own_is_asked_for_later(asking: Asking):
    asking.ask(10.0, is_free=True)
    asking.crowded()
    assert asking.wish == ""
    assert not asking.is_under_way


def test_an_answer_forgives_what_went_wrong_before(asking: Asking):
    assert [asking.failed() for _ in range(3)] == [True, True, False]
    assert [asking.stalled() for _ in range(2)] == [True, False]
    asking.answered()
    assert asking.failed()
    assert asking.stalled()
