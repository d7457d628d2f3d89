"""Texts cut into what is spoken in one go."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.local.passages import LONGEST, passages


def test_sentences_are_spoken_one_by_one():
    assert list(passages("Good morning.  How can\nI help? ")) == ["Good morning.", "How can I help?"]


def test_paragraphs_and_list_items_end_a_sentence():
    assert list(passages("Prices\n\n- tea two dollars\n- coffee three")) == [
        "Prices",
        "- tea two dollars",
        "- coffee three",
    ]


def test_what_cannot_be_said_is_left_out():
    assert list(passages("… — !\n\n***")) == []


def test_a_sentence_without_end_is_cut_at_a_comma():
    parts = list(passages(("many words, " * 50).strip()))
    assert all(part.endswith("words,") for part in parts)


def test_a_word_without_end_is_cut_anywhere():
    assert [len(part) for part in passages("a" * 600)] == [LONGEST, LONGEST, 100]


@given(st.text(st.characters(codec="utf-8"), max_size=2000))
def test_nothing_that_can_be_said_is_lost_and_no_piece_is_long(text: str):
    parts = list(passages(text))
    assert all(len(part) <= LONGEST for part in parts)
    said = "".join("".join(part.split()) for part in parts)
    wanted = "".join(text.split())
    assert [letter for letter in said if letter.isalnum()] == [letter for letter in wanted if letter.isalnum()]


@pytest.mark.parametrize("text", ["", " ", "\n\n"])
def test_an_empty_text_has_no_pieces(text: str):
    assert list(passages(text)) == []
