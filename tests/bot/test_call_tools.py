"""A call whose voice uses tools in the middle of an answer: what the caller hears meanwhile, and after a cough."""

import pytest

from bot.call import Call
from bot.events import (
    AnnounceReply,
    CallerSaid,
    CancelReply,
    NoteReply,
    ReplyAudio,
    ReplyBegun,
    ReplyEnded,
    ReportTool,
    Respond,
    ResumeReply,
    SentenceBegun,
    SpeechStarted,
    ToolRequested,
    TransferCall,
    TransferFailed,
    UtteranceEnded,
    WorkBegan,
    WorkEnded,
)
from bot.policy import CallPolicy
from bot.turn import Turn
from tests.support.conversation import Conversation, of_kind, sound


@pytest.fixture
def talk() -> Conversation:
    talk = Conversation(CallPolicy(filler_after_s=1.2))
    talk.starts()
    return talk


def says_and_looks_up(talk: Conversation, ms: int = 1000) -> str:
    """The voice says that it will look, and looks; returns the name of what is to follow."""
    talk.caller_says("Where is my order?")
    reply_id = talk.expected
    talk.happens(SentenceBegun(reply_id, "Let me look.", ""), ReplyAudio(reply_id, sound(ms)), WorkBegan("call_1"))
    talk.happens(ReplyBegun(f"{reply_id}+"), ReplyEnded(reply_id))
    return f"{reply_id}+"


def announced(commands: list) -> list[str]:
    return [command.kind for command in of_kind(commands, AnnounceReply)]


def turn_of(talk: Conversation) -> Turn:
    call: Call = talk.call
    return call.turn


def test_a_slow_tool_is_bridged_by_one_moment_and_then_answered(talk: Conversation):
    rest = says_and_looks_up(talk)
    assert announced(talk.passes(3.5)) == ["filler"]
    talk.happens(WorkEnded("call_1", owes_answer=True))
    answer = talk.happens(SentenceBegun(rest, "It was sent."), ReplyAudio(rest, sound(1000)), ReplyEnded(rest))
    assert announced(answer + talk.passes(3.0)) == ["reply"]
    assert turn_of(talk) is Turn.CALLER
    assert [note.text for note in of_kind(talk.commands, NoteReply)][-3:] == [
        "Let me look.",
        "<filler>",
        "It was sent.",
    ]


def test_an_answer_that_goes_on_in_the_same_breath_after_a_tool_owes_nothing_more(talk: Conversation):
    talk.caller_says("Where is my order?")
    reply_id = talk.expected
    talk.happens(SentenceBegun(reply_id, "Let me look."), ReplyAudio(reply_id, sound(1000)), WorkBegan("call_1"))
    talk.happens(WorkEnded("call_1", owes_answer=True))
    talk.happens(SentenceBegun(reply_id, "It was sent."), ReplyAudio(reply_id, sound(1000)), ReplyEnded(reply_id))
    assert announced(talk.passes(9.0)) == []  # no filler, no pardon
    assert turn_of(talk) is Turn.CALLER


def test_a_tool_after_which_there_is_nothing_to_say_leaves_the_floor_to_the_caller(talk: Conversation):
    talk.caller_says("Where is my order?")
    reply_id = talk.expected
    talk.happens(SentenceBegun(reply_id, "I have told them."), ReplyAudio(reply_id, sound(1000)), WorkBegan("call_1"))
    talk.happens(WorkEnded("call_1", owes_answer=True), ReplyEnded(reply_id))
    assert announced(talk.passes(5.0)) == []
    assert turn_of(talk) is Turn.CALLER


def test_after_a_cough_what_the_tool_brings_is_still_said(talk: Conversation):
    rest = says_and_looks_up(talk, ms=3000)
    talk.passes(0.8)
    cut = talk.happens(SpeechStarted(0))
    assert [command.reply_id for command in of_kind(cut, CancelReply)] == [rest.rstrip("+"), rest]
    talk.happens(WorkEnded("call_1"))
    resumed = talk.happens(UtteranceEnded(0, 300, b""), CallerSaid("", 0, 300))
    [resume] = of_kind(resumed, ResumeReply)
    assert resume.cancelled_id == rest
    talk.happens(
        SentenceBegun(resume.reply_id, "It was sent."), ReplyAudio(resume.reply_id, sound(1000)),
        ReplyEnded(resume.reply_id),
    )  # fmt: skip
    talk.passes(6.0)
    assert [note.text for note in of_kind(talk.commands, NoteReply)][-1] == "It was sent."
    assert turn_of(talk) is Turn.CALLER


def test_a_reply_whose_sound_was_all_heard_when_it_was_cut_goes_on_after_a_cough(talk: Conversation):
    talk.caller_says("Where is my order?")
    reply_id = talk.expected
    talk.happens(SentenceBegun(reply_id, "Well."), ReplyAudio(reply_id, sound(500)))
    talk.passes(2.0)  # the voice takes its time
    talk.happens(SpeechStarted(0))
    [resume] = of_kind(talk.happens(UtteranceEnded(0, 300, b""), CallerSaid("", 0, 300)), ResumeReply)
    talk.happens(ReplyAudio(resume.reply_id, sound(1000)), ReplyEnded(resume.reply_id))
    assert turn_of(talk) is Turn.BOT


def test_words_while_a_tool_works_are_answered(talk: Conversation):
    rest = says_and_looks_up(talk)
    talk.passes(2.0)
    talk.happens(SpeechStarted(0))
    talk.happens(WorkEnded("call_1"))
    asked = talk.happens(UtteranceEnded(0, 900, b""), CallerSaid("Never mind.", 0, 900))
    [respond] = of_kind(asked, Respond)
    assert respond.reply_id != rest
    talk.happens(ReplyAudio(rest, sound(500)))  # late, and not wanted
    assert turn_of(talk) is Turn.THINKING


def test_a_model_whose_transfer_failed_is_asked_what_to_say(talk: Conversation):
    talk.caller_says("Sales, please.")
    reply_id = talk.bot_answers("I put you through.", ms=500)
    talk.happens(ToolRequested("transfer", {"destination": "sales"}, "call_9"))
    assert of_kind(talk.passes(2.0), TransferCall)
    [report] = of_kind(talk.happens(TransferFailed("busy")), ReportTool)
    assert (report.request_id, report.wants_reply) == ("call_9", True)
    talk.happens(SentenceBegun(report.reply_id, "I am sorry."), ReplyAudio(report.reply_id, sound(500)))
    assert turn_of(talk) is Turn.BOT
    assert report.reply_id != reply_id
