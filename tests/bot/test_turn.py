import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.events import Event, ReplyAudio, SpeechStarted, UtteranceEnded
from bot.turn import TRANSITIONS, Turn, is_backchannel


@pytest.mark.parametrize(
    "murmur",
    ["Okay.", "OK", "Uh-huh.", "mm-hmm", "Mhm.", "Yeah.", "Yeah, okay.", "Right, right.", "I see.", "Got it.", "Hmm."],
)
def test_a_murmur_is_one(murmur: str):
    assert is_backchannel(murmur)


@pytest.mark.parametrize(
    "words",
    [
        "",
        " ",
        "...",
        "no",
        "No.",
        "yes but when?",
        "Yes, but when?",
        "okay so what about Sunday?",
        "Right on Mill Lane?",
        "Yes, please.",
        "Okay, stop.",
        "Goodbye.",
        "Surely",
        "oh no",
        "I see a problem",
    ],
)
def test_what_asks_for_an_answer_is_no_murmur(words: str):
    assert not is_backchannel(words)


@pytest.mark.parametrize(
    ("before", "event", "after"),
    [
        (Turn.CALLER, UtteranceEnded, Turn.THINKING),
        (Turn.THINKING, SpeechStarted, Turn.CALLER),
        (Turn.THINKING, ReplyAudio, Turn.BOT),
        (Turn.BOT, SpeechStarted, Turn.CALLER),
    ],
)
def test_the_floor_goes(before: Turn, event: type[Event], after: Turn):
    assert TRANSITIONS[before, event] is after


def test_the_floor_goes_no_other_way():
    assert len(TRANSITIONS) == 4


@given(
    st.lists(st.sampled_from(["okay", "Yeah", "UH-HUH", "hmmm", "I see", "all right"]), min_size=1),
    st.sampled_from([" ", ", ", ". ", "! "]),
)
def test_murmurs_in_a_row_are_one(murmurs: list[str], between: str):
    assert is_backchannel(between.join(murmurs))


@given(st.lists(st.sampled_from(["okay", "yeah", "hm"])), st.sampled_from(["no", "wait", "Sunday", "when"]))
def test_one_word_that_means_something_makes_it_no_murmur(murmurs: list[str], word: str):
    assert not is_backchannel(" ".join([*murmurs, word]))
    assert not is_backchannel(" ".join([word, *murmurs]))
