"""What a responder gets to read of a conversation: what was heard, in its order, with the tools in their places."""

import pytest

from bot.speech.links import Role, Said, UseTool
from bot.voice.history import History

LOOK = UseTool("look", {}, "call_1", "{}")


@pytest.fixture
def history() -> History:
    return History()


def texts(history: History) -> list[str]:
    return [said.text for said in history.told()]


def test_planned_words_count_as_said_until_it_is_known_what_was_heard(history: History):
    history.plan("r1", "One moment please.")
    assert texts(history) == ["One moment please."]
    history.heard("r1", "One moment")
    assert texts(history) == ["One moment"]


def test_each_sentence_keeps_its_place_before_the_tool_that_followed_it(history: History):
    history.plan("r1", "One moment.")
    history.used("call_1", LOOK, "found")
    history.plan("r1", "It was sent.")
    history.heard("r1", "One moment. It was")
    assert texts(history) == ["One moment.", "found", "It was"]


def test_words_of_which_nothing_was_heard_are_left_out(history: History):
    history.plan("r1", "One moment.")
    history.heard("r1", "")
    assert texts(history) == []


def test_sentences_of_one_reply_are_told_together(history: History):
    history.plan("r1", "We open at nine.", "answer")
    history.plan("r1", "Anything else?", "anything_else")
    assert history.told() == (Said(Role.BOT, "We open at nine. Anything else?", "anything_else"),)


def test_the_rest_of_a_reply_that_goes_on_after_a_cough_is_not_said_twice(history: History):
    history.plan("r1", "One moment please.")
    history.heard("r1", "One")
    history.resume("r1", "r2")
    assert texts(history) == ["One", "moment please."]
    history.heard("r2", "moment please. It was sent.")
    assert texts(history) == ["One", "moment please. It was sent."]


def test_what_was_heard_is_corrected_when_it_is_known_exactly(history: History):
    history.heard("r0", "How can I help?", "greeting")
    history.plan("r1", "We open at nine.")
    history.heard("r1", "We open at")
    history.correct("r1", "We open")
    history.correct("r0", "How can")
    history.correct("r9", "never said")
    assert texts(history) == ["How can", "We open"]


def test_a_later_report_replaces_an_earlier_one_of_the_same_use(history: History):
    history.used("call_1", LOOK, "under way")
    history.caller_said("Hello?")
    history.used("call_1", LOOK, "found")
    assert texts(history) == ["found", "Hello?"]


def test_a_question_is_taken_back_only_if_nothing_was_done_for_it(history: History):
    history.caller_said("Where is my order?")
    history.plan("r1", "One moment.")
    history.heard("r1", "")
    assert history.take_back()
    assert texts(history) == []
    history.caller_said("Where is my order?")
    history.used("call_1", LOOK, "found")
    assert not history.take_back()
