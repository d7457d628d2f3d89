from bot.workers.balance import MEMORY_S, Balance
from bot.workers.board import Row


def rows(*lines: int | None) -> dict[int, Row]:
    """Workers 1, 2, ... with so many lines in use; None for one that takes no calls."""
    return {worker: Row(is_open=count is not None, lines=count or 0) for worker, count in enumerate(lines, start=1)}


def test_a_call_goes_to_the_worker_with_the_fewest():
    assert Balance(me=1).choose(rows(3, 2, 1), now=0.0) == 3


def test_of_equals_we_take_it_ourselves():
    assert Balance(me=2).choose(rows(1, 1, 1), now=0.0) == 2


def test_calls_that_come_all_at_once_are_spread_before_their_workers_have_counted_them():
    balance = Balance(me=1)
    assert [balance.choose(rows(0, 0, 0), now=0.001 * count) for count in range(6)] == [1, 2, 3, 1, 2, 3]


def test_a_choice_is_forgotten_once_the_worker_must_have_counted_it():
    balance = Balance(me=1)
    assert balance.choose(rows(0, 0), now=0.0) == 1
    assert balance.choose(rows(0, 0), now=MEMORY_S) == 1


def test_a_worker_that_starts_or_drains_gets_no_calls():
    assert Balance(me=1).choose(rows(7, None, 8), now=0.0) == 1
    assert Balance(me=1).choose(rows(None, 5, None), now=0.0) == 2


def test_where_nobody_takes_calls_we_refuse_them_ourselves():
    assert Balance(me=2).choose(rows(None, None), now=0.0) == 2
