import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.speech.thoughts import Thoughts


@pytest.mark.parametrize(
    ("written", "heard"),
    [
        ("We open at nine.", "We open at nine."),
        ("<think>They want hours.</think>We open at nine.", "We open at nine."),
        ("<think>\n\n</think>\n\nYes.", "\n\nYes."),
        ("Yes. <think>Hm.</think>No.", "Yes. No."),
        ("<think>It never ends", ""),
        ("3 < 4 and <thin ice", "3 < 4 and <thin ice"),
        ("It ends with <thi", "It ends with <thi"),
    ],
)
@given(size=st.integers(1, 30))
def test_a_caller_hears_what_is_said_and_not_what_is_thought(written: str, heard: str, size: int):
    thoughts = Thoughts()
    pieces = [thoughts.push(written[start : start + size]) for start in range(0, len(written), size)]
    assert "".join(pieces) + thoughts.flush() == heard


def test_text_is_not_held_back_without_need():
    assert Thoughts().push("We open at nine. ") == "We open at nine. "
