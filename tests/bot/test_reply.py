import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.reply import ReplyText


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


def test_a_sentence_without_sound_yet_is_said_but_not_heard():
    text = reply()
    text.begin("seven", "more")
    assert text.text == "one two three four five six seven"
    assert text.heard(1500) == "one two three four five six"


def test_a_reply_of_nothing_has_no_words():
    text = ReplyText("r1", "reply")
    text.lengthen(500)
    assert (text.text, text.heard(500)) == ("", "")


def test_an_answer_over_several_lines_is_heard_as_one():
    text = ReplyText("r1", "reply")
    text.begin("We open\n  at nine.\n")
    text.lengthen(1000)
    assert text.text == "We open at nine."
    assert text.heard(500) == "We open"


SENTENCES = st.lists(st.tuples(st.text(max_size=40), st.floats(0, 5000)), max_size=6)


@given(SENTENCES, st.floats(0, 30_000), st.floats(0, 30_000))
def test_what_was_heard_is_a_beginning_and_grows(sentences: list[tuple[str, float]], one_ms: float, other_ms: float):
    text = ReplyText("r1", "reply")
    for words, length_ms in sentences:
        text.begin(words)
        text.lengthen(length_ms)
    earlier, later = sorted([one_ms, other_ms])
    assert text.text.startswith(text.heard(later))
    assert text.heard(later).startswith(text.heard(earlier))
