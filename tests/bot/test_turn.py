import pytest

from bot.reply import ReplyText
from bot.turn import TRANSITIONS, Turn, is_backchannel


@pytest.mark.parametrize(
    "murmur",
    ["Okay.", "OK", "Uh-huh.", "mm-hmm", "Mhm.", "Yeah.", "Yeah, okay.", "Right, right.", "I see.", "Got it.", "Hmm."],
)
def test_a_murmur_is_one(murmur: str):
    assert is_backchannel(murmur)


@pytest.mark.parametrize(
    "words",
    ["", "No.", "Yes, but when?", "Okay, so what about Sunday?", "Right on Mill Lane?", "Goodbye."],
)
def test_what_asks_for_an_answer_is_no_murmur(words: str):
    assert not is_backchannel(words)


def test_the_bot_takes_the_floor_only_from_thinking_and_loses_it_to_speech():
    assert {before for (before, _), after in TRANSITIONS.items() if after is Turn.BOT} == {Turn.THINKING}
    assert all(TRANSITIONS[before, event] is not before for before, event in TRANSITIONS)


def reply() -> ReplyText:
    text = ReplyText("r1", "reply")
    text.begin("one two three four", "answer")
    text.lengthen(1000)
    text.begin("five six", "anything_else")
    text.lengthen(500)
    return text


@pytest.mark.parametrize(
    ("heard_ms", "words"),
    [
        (0, ""),
        (100, ""),
        (250, "one"),
        (500, "one two"),
        (1000, "one two three four"),
        (1250, "one two three four five"),
        (1500, "one two three four five six"),
        (9999, "one two three four five six"),
    ],
)
def test_words_are_heard_as_their_sound_is(heard_ms: int, words: str):
    assert reply().heard(heard_ms) == words


def test_a_reply_is_tagged_by_its_last_sentence():
    assert reply().tag == "anything_else"
    assert ReplyText("r2", "reply").tag == ""
