"""What somebody who watches a call can do to it, as the caller notices it."""

import pytest

from bot.events import (
    AnnounceReply,
    CancelReply,
    ClearPlayout,
    EndCall,
    EndReason,
    NoteReply,
    OperatorHungUp,
    OperatorSpoke,
    OperatorTransferred,
    PlayAudio,
    Respond,
    SpeechStarted,
    TransferCall,
    TransferFailed,
)
from bot.turn import Turn
from tests.support.conversation import Conversation, of_kind, sound

SENTENCE = OperatorSpoke("Please hold the line.", sound(1500), "ann")


@pytest.fixture
def talk() -> Conversation:
    conversation = Conversation()
    conversation.starts()
    return conversation


def test_a_sentence_of_the_operators_is_said_and_the_voice_learns_of_it(talk: Conversation):
    said = talk.happens(SENTENCE)
    assert of_kind(said, PlayAudio)
    assert [(one.kind, one.text) for one in of_kind(said, AnnounceReply)] == [("operator", "Please hold the line.")]
    heard = talk.passes(2.0)
    assert [(one.text, one.tag) for one in of_kind(heard, NoteReply)] == [("Please hold the line.", "operator")]
    assert talk.call.turn is Turn.CALLER


def test_what_the_bot_is_saying_gives_way_to_it(talk: Conversation):
    talk.caller_says("When do you open?")
    answer = talk.bot_answers()
    talk.passes(1.0)
    said = talk.happens(SENTENCE)
    assert [type(one) for one in said[:2]] == [ClearPlayout, CancelReply]
    assert of_kind(said, CancelReply)[0].reply_id == answer
    assert of_kind(said, PlayAudio)


def test_an_answer_that_is_being_made_is_not_heard_after_it(talk: Conversation):
    talk.caller_says("When do you open?")
    asked_for = talk.expected
    talk.happens(SENTENCE)
    played_ms = talk.played_ms
    talk.bot_answers()
    assert asked_for == "r2"
    talk.passes(3.0)
    assert talk.played_ms <= played_ms + 1500


def test_the_conversation_goes_on_afterwards(talk: Conversation):
    talk.happens(SENTENCE)
    talk.passes(2.0)
    assert of_kind(talk.caller_says("When do you open?"), Respond)


def test_the_operator_can_hang_up(talk: Conversation):
    assert talk.happens(OperatorHungUp("ann")) == [EndCall(EndReason.OPERATOR_HUNG_UP)]
    assert talk.end_reason is EndReason.OPERATOR_HUNG_UP


def test_the_caller_is_told_and_then_put_through(talk: Conversation):
    told = talk.happens(OperatorTransferred("sales", "ann"))
    assert [one.kind for one in of_kind(told, AnnounceReply)] == ["transfer"]
    assert of_kind(talk.passes(2.0), TransferCall) == [TransferCall("sales")]


def test_nobody_talks_an_operators_transfer_down(talk: Conversation):
    talk.happens(OperatorTransferred("sales", "ann"))
    talk.happens(SpeechStarted(0))
    assert of_kind(talk.passes(2.0), TransferCall) == [TransferCall("sales")]


def test_a_transfer_that_fails_gives_the_floor_back(talk: Conversation):
    talk.happens(OperatorTransferred("sales", "ann"))
    talk.passes(2.0)
    talk.happens(TransferFailed("nobody there"))
    assert talk.call.turn is Turn.CALLER
    assert of_kind(talk.caller_says("When do you open?"), Respond)


def test_a_call_that_is_over_or_ending_stays_so(talk: Conversation):
    talk.happens(OperatorHungUp("ann"))
    assert talk.happens(SENTENCE, OperatorTransferred("sales", "ann"), OperatorHungUp("ann")) == []


def test_before_the_stream_there_is_nobody_to_talk_to():
    talk = Conversation()
    assert talk.happens(SENTENCE, OperatorTransferred("sales", "ann")) == []
