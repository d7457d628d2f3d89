"""A message is what is said after the tone, or what a voice says that it was told."""

import pytest

from bot.events import CallerSaid, KeepMessage, ListenPatiently, ToolRequested
from bot.message import Message

SAID = CallerSaid("Please call me back.", 1000, 3000)


@pytest.fixture
def message() -> Message:
    return Message(hangover_ms=2000)


def test_pauses_may_be_longer_while_it_is_left(message: Message):
    assert message.begin() == [ListenPatiently(2000)]
    assert message.keep(SAID) == [KeepMessage("Please call me back.", 1000, 3000), ListenPatiently(None)]
    assert not message.is_being_left


def test_a_silence_is_no_message(message: Message):
    message.begin()
    assert message.keep(None) == [ListenPatiently(None)]


def test_who_speaks_when_none_is_left_leaves_none(message: Message):
    assert message.end() == []
    assert message.keep_late(SAID) == []


def test_words_that_come_when_the_caller_is_gone_are_kept(message: Message):
    message.begin()
    assert message.keep_late(SAID) == [KeepMessage("Please call me back.", 1000, 3000)]


def test_a_dictated_message_says_who_left_it_and_lies_where_the_caller_spoke(message: Message):
    message.utterance(500, 900)
    arguments = {"message": "Call me.", "caller_name": "Ann", "callback_number": "+15550001111"}
    kept = message.dictated(ToolRequested("take_message", arguments))
    assert kept == [KeepMessage("Call me. — Ann — +15550001111", 500, 900)]


@pytest.mark.parametrize("tool", [ToolRequested("take_message"), ToolRequested("hang_up", {"message": "Call me."})])
def test_what_brings_no_message_is_none(message: Message, tool: ToolRequested):
    assert message.dictated(tool) == []
