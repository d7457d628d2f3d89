"""How long a silence of the caller may be, and how often they are asked."""

import pytest

from bot.patience import Patience
from bot.policy import CallPolicy

POLICY = CallPolicy(idle_prompt_s=10.0, idle_prompts=2, message_wait_s=8.0, transfer_timeout_s=20.0)


@pytest.mark.parametrize(
    ("is_transferring", "is_message_left", "ends_at"),
    [(False, False, 110.0), (False, True, 108.0), (True, False, 120.0), (True, True, 120.0)],
)
def test_what_is_waited_for_decides_how_long(is_transferring: bool, is_message_left: bool, ends_at: float):
    patience = Patience(POLICY, now=50.0)
    patience.begin(100.0)
    assert patience.ends_at(is_transferring=is_transferring, is_message_left=is_message_left) == ends_at


def test_a_caller_is_asked_so_often_and_anew_after_a_word_of_theirs():
    patience = Patience(POLICY, now=50.0)
    assert [patience.asks_again() for _ in range(3)] == [True, True, False]
    patience.spoken()
    assert patience.asks_again()
