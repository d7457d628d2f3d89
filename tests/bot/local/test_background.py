"""Long work in steps: who gets a turn in between, and what is refused."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator

import pytest

from bot.errors import VoiceError
from bot.local.background import Background
from bot.local.pool import Pool


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    pool = Pool(workers=2)
    yield pool
    pool.close()


class Gated:
    """An iterator whose every step waits for the gate, on whatever thread it runs."""

    def __init__(self) -> None:
        self.entered, self.gate = threading.Event(), threading.Event()

    def __iter__(self) -> Iterator[int]:
        for number in range(3):
            self.entered.set()
            assert self.gate.wait(10)
            yield number


async def test_all_steps_are_done_in_order(pool: Pool):
    assert [number async for number in Background(pool).steps(iter(range(5)))] == [0, 1, 2, 3, 4]


async def test_a_step_is_done_off_the_event_loop(pool: Pool):
    threads = (threading.current_thread() for _ in range(2))
    assert threading.main_thread() not in [thread async for thread in Background(pool).steps(threads)]


async def test_two_pieces_of_work_take_turns(pool: Pool):
    """With two threads one is left to the calls, so that only one step runs at a time."""
    background = Background(pool)
    first, second = background.steps(iter("aaa")), background.steps(iter("bbb"))
    order = [await anext(steps) for steps in (first, second) * 3]
    assert order == list("ababab")


async def test_a_thread_is_always_left_to_the_calls(pool: Pool):
    background = Background(pool)
    long = Gated()
    tasks = [asyncio.create_task(anext(background.steps(iter(long)))) for _ in range(3)]
    assert await asyncio.to_thread(long.entered.wait, 10)
    assert (pool.running, pool.waiting) == (1, 0)
    assert await pool.run(lambda: "the caller's answer") == "the caller's answer"
    long.gate.set()
    assert await asyncio.gather(*tasks) == [0, 0, 0]


async def test_steps_that_were_abandoned_while_they_ran_do_not_take_the_calls_thread(pool: Pool):
    background, abandoned, waiting = Background(pool), Gated(), Gated()
    first = asyncio.create_task(anext(background.steps(iter(abandoned))))
    assert await asyncio.to_thread(abandoned.entered.wait, 10)
    first.cancel()
    second = asyncio.create_task(anext(background.steps(iter(waiting))))
    assert await pool.run(lambda: "the caller's answer") == "the caller's answer"
    assert (pool.running, waiting.entered.is_set()) == (1, False)
    abandoned.gate.set()
    waiting.gate.set()
    assert await second == 0


async def test_a_step_that_is_abandoned_before_it_began_is_never_done(pool: Pool):
    background, long, never = Background(pool), Gated(), Gated()
    under_way = asyncio.create_task(anext(background.steps(iter(long))))
    assert await asyncio.to_thread(long.entered.wait, 10)
    waiting = asyncio.create_task(anext(background.steps(iter(never))))
    await asyncio.sleep(0)
    waiting.cancel()
    long.gate.set()
    assert await under_way == 0
    assert await anext(background.steps(iter("x"))) == "x"
    assert not never.entered.is_set()


async def test_more_than_can_be_worked_on_is_refused(pool: Pool):
    background = Background(pool, max_pieces=1)
    under_way = background.steps(iter(range(3)))
    await anext(under_way)
    with pytest.raises(VoiceError, match="overloaded: 1 files"):
        await anext(background.steps(iter(range(3))))
    assert [number async for number in under_way] == [1, 2]
    assert [number async for number in background.steps(iter(range(2)))] == [0, 1]


async def test_work_that_fails_gives_its_place_back(pool: Pool):
    def broken() -> Iterator[int]:
        yield 1
        raise VoiceError("the model fell over")

    background = Background(pool, max_pieces=1)
    with pytest.raises(VoiceError, match="fell over"):
        [number async for number in background.steps(broken())]
    assert [number async for number in background.steps(iter(range(2)))] == [0, 1]
