"""The names of calls."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.call_ids import issuer_of_call, new_call_id

NOW = datetime(2026, 11, 21, 9, 5, 3, tzinfo=UTC)


def test_a_name_says_when_the_call_came_and_which_process_has_it():
    call_id = new_call_id(NOW, 3)
    assert call_id.startswith("20261121T090503-3-")
    assert issuer_of_call(call_id) == 3


def test_no_two_calls_have_one_name():
    assert len({new_call_id(NOW, 1) for _ in range(1000)}) == 1000


def test_names_sort_by_time():
    assert new_call_id(NOW, 9) < new_call_id(NOW + timedelta(seconds=1), 1)


@pytest.mark.parametrize("call_id", ["", "c1", "20261121T090503-1a2b3c4d", "20261121T090503-x-1a2b3c4d", "a-123456-b"])
def test_other_names_say_nothing_of_a_process(call_id: str):
    assert issuer_of_call(call_id) is None
