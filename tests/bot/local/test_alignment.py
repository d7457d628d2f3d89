"""The model's pieces of a text become words as they are written, each with its place and its time."""

import pytest

from bot.local.alignment import grouped
from bot.local.transcription import Word


def units(*texts):
    return [Word(text, at, at + 1.0, 0.9) for at, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ((" Hello", ",", " I", " am", " late", "."), [(0, "Hello,"), (7, "I"), (9, "am"), (12, "late.")]),
        ((" speech", "-", "to", "-", "text"), [(0, "speech-to-text")]),
        ((" a", " ", " b"), [(0, "a"), (3, "b")]),
        ((" ", "…", " so"), [(0, "…"), (2, "so")]),
        ((" tea", "\n", "pot"), [(0, "tea"), (4, "pot")]),
        ((" 🙂", " yes"), [(0, "🙂"), (2, "yes")]),
        ((), []),
    ],
)
def test_words_stand_between_spaces(texts, words):
    found = grouped(units(*texts), is_spaced=True)
    assert [(letter, "".join(unit.text for unit in group).strip()) for letter, group in found] == words


def test_where_no_spaces_are_written_each_piece_is_a_word_and_marks_belong_to_the_one_before():
    found = grouped(units(" 今日", "は", "。", "雨"), is_spaced=False)
    pieces = [(letter, "".join(unit.text for unit in group).strip()) for letter, group in found]
    assert pieces == [(0, "今日"), (2, "は。"), (4, "雨")]
