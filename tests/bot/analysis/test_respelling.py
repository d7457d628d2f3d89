"""A correction may change how words are spelt, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.analysis.respelling import respelt

SAID = "Welcome to Milbrook bysicles, how can I help you with your zinc tricks today?"


def test_names_are_taken_in_their_right_spelling():
    found = respelt(SAID, "Welcome to Millbrook Bicycles, how can I help you with your ZyntriQix today?")
    assert found.text == "Welcome to Millbrook Bicycles, how can I help you with your ZyntriQix today?"
    assert [(edit.before, edit.after) for edit in found.taken] == [
        ("Milbrook", "Millbrook"),
        ("bysicles,", "Bicycles,"),
        ("zinc tricks", "ZyntriQix"),
    ]
    assert not found.refused


@pytest.mark.parametrize(
    "proposed",
    [
        SAID + " We are open from nine.",  # an answer
        SAID.replace("Welcome to ", ""),  # something left out
        SAID.replace("how can I help you", "how can I really help you"),
        SAID.replace("help", "charge"),  # another word
        SAID.replace("zinc tricks", "vacuum cleaner"),
        "The caller asks for bicycles.",  # a summary
        "",
    ],
)
def test_what_is_no_spelling_is_not_taken(proposed: str):
    found = respelt(SAID, proposed)
    assert found.text == SAID
    assert found.refused


def test_little_words_beside_a_name_are_not_swallowed():
    assert respelt("Your zinc tricks is ready.", "Your ZyntriQix ready.").text == "Your ZyntriQix is ready."


def test_the_good_is_taken_beside_the_bad():
    found = respelt(SAID, SAID.replace("Milbrook", "Millbrook") + " Goodbye.")
    assert found.text == SAID.replace("Milbrook", "Millbrook")
    assert [edit.after for edit in found.refused] == ["Goodbye."]


def test_a_text_that_was_written_anew_is_not_taken_at_all():
    """Each word is much like its own, but all together are no correction."""
    original = "we sell byke parts and byke tyres and byke locks and byke bells"
    assert respelt(original, "he sells bike part or bike tyre or bike lock or bike bell").text == original


def test_capitals_and_punctuation_may_change_as_they_like():
    shouted = "is that offhook or off hook i wonder"
    assert respelt(shouted, "Is that Offhook, or Offhook? I wonder.").text == "Is that Offhook, or Offhook? I wonder."


def test_the_spaces_around_a_segment_stay():
    assert respelt(" At Milbrook. ", "At Millbrook.").text == " At Millbrook. "


words = st.lists(st.text("abcdeé'", min_size=1, max_size=8), max_size=12).map(" ".join)


@given(words, words)
def test_a_text_never_gets_much_longer_or_shorter(original: str, proposed: str):
    found = respelt(original, proposed)
    assert abs(len(found.text.split()) - len(original.split())) <= 0.3 * len(original.split()) + 3


@given(words)
def test_a_text_that_stays_has_no_edits(original: str):
    assert respelt(original, original).text == original
    assert not respelt(original, original).taken
