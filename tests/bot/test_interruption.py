import pytest

from bot.events import ToolRequested
from bot.interruption import Interruption, Rest
from bot.reply import ReplyText
from media.playout import Cut, Position


def cut(heard_ms: int, reply_id: str = "r1") -> Cut:
    return Cut(reply_id, Position(1000, 1000, heard_ms), b"rest of " + reply_id.encode())


def reply(text: str = "We open at nine.", kind: str = "reply", reply_id: str = "r1") -> ReplyText:
    made = ReplyText(reply_id, kind)
    made.begin(text, "answer")
    made.lengthen(1000)
    return made


def interruption(heard_ms: int, made: ReplyText) -> Interruption:
    return Interruption((cut(heard_ms),), {"r1": made})


@pytest.mark.parametrize(
    ("words", "is_meant"),
    [("", False), ("Uh-huh.", False), ("Okay.", False), ("No.", True), ("Okay, and on Sundays?", True)],
)
def test_words_into_a_statement_are_meant_unless_they_only_say_go_on(words: str, is_meant: bool):
    assert interruption(500, reply()).is_meant(words) is is_meant


@pytest.mark.parametrize("words", ["Yes.", "Okay."])
def test_a_yes_into_a_question_is_an_answer(words: str):
    assert interruption(500, reply("Shall I take a message? ")).is_meant(words)


def test_a_noise_into_a_question_is_none():
    assert not interruption(500, reply("Shall I take a message?")).is_meant("")


def test_where_nothing_was_cut_every_word_is_meant():
    assert Interruption().is_meant("Okay.")
    assert not Interruption().is_meant("")


def test_the_rest_is_what_the_ear_never_had():
    assert list(interruption(500, reply()).rests()) == [Rest("r1", "at nine.", "answer", b"rest of r1")]


def test_the_rest_of_what_no_word_was_heard_of_is_all_of_it():
    assert [rest.text for rest in interruption(0, reply()).rests()] == ["We open at nine."]


def test_replies_in_a_queue_are_cut_together_each_with_its_own_rest():
    queued = reply("And on Sundays from ten.", reply_id="r2")
    left = Interruption((cut(750), cut(0, "r2")), {"r1": reply(), "r2": queued})
    assert [(rest.reply_id, rest.text) for rest in left.rests()] == [
        ("r1", "nine."),
        ("r2", "And on Sundays from ten."),
    ]


def test_sound_whose_words_are_unknown_has_no_rest():
    left = Interruption((cut(0),), {})
    assert list(left.rests()) == []
    assert not left.was_unheard


def test_only_an_answer_without_one_word_heard_leaves_its_question_waiting():
    assert interruption(0, reply()).was_unheard
    assert not interruption(500, reply()).was_unheard
    assert not interruption(0, reply(kind="greeting")).was_unheard


def test_what_was_to_be_done_after_the_words_is_kept_with_them():
    tool = ToolRequested("hang_up")
    assert Interruption((cut(500),), {"r1": reply()}, unfinished="r1", tool=tool).tool is tool
