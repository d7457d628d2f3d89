"""Who gets a thread first, who is refused, and what a cancelled request leaves behind."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable

import pytest

from bot.errors import VoiceError
from bot.local.pool import Pool, Urgency


class Gate:
    """Work that holds its thread until it is opened."""

    def __init__(self) -> None:
        self._entered, self._opened = threading.Event(), threading.Event()

    def __call__(self) -> str:
        self._entered.set()
        assert self._opened.wait(10)
        return "through the gate"

    async def entered(self) -> None:
        assert await asyncio.to_thread(self._entered.wait, 10)

    def open(self) -> None:
        self._opened.set()


@pytest.fixture
async def gate() -> AsyncIterator[Gate]:
    gate = Gate()
    yield gate
    gate.open()


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    pool = Pool(workers=1, max_waiting=3)
    yield pool
    pool.close()


def noting(notes: list[str], what: str) -> Callable[[], str]:
    def note() -> str:
        notes.append(what)
        return what

    return note


async def holding(pool: Pool, gate: Gate) -> asyncio.Task[str]:
    """A pool whose only thread is taken."""
    task = asyncio.create_task(pool.run(gate))
    await gate.entered()
    return task


async def asked(pool: Pool, work: Callable[[], str], urgency: Urgency = Urgency.CALLER_WAITS) -> asyncio.Task[str]:
    task = asyncio.create_task(pool.run(work, urgency))
    await asyncio.sleep(0)  # the task has begun: its request waits
    return task


async def test_work_runs_on_another_thread_and_returns(pool: Pool) -> None:
    assert await pool.run(threading.get_ident) != threading.get_ident()


async def test_what_the_work_raises_reaches_who_asked(pool: Pool) -> None:
    def fail() -> str:
        raise VoiceError("the model broke")

    with pytest.raises(VoiceError, match="the model broke"):
        await pool.run(fail)
    assert await pool.run(lambda: "still working") == "still working"


async def test_a_guess_gives_way_to_a_caller_who_waits(pool: Pool, gate: Gate) -> None:
    done: list[str] = []
    held = await holding(pool, gate)
    tasks = [
        await asked(pool, noting(done, "later sound"), Urgency.SOON),
        await asked(pool, noting(done, "guess"), Urgency.GUESS),
        await asked(pool, noting(done, "final"), Urgency.CALLER_WAITS),
    ]
    gate.open()
    await asyncio.gather(held, *tasks)
    assert done == ["final", "guess", "later sound"]


async def test_a_guess_that_waited_for_its_hangover_gives_way_no_more(pool: Pool, gate: Gate) -> None:
    done: list[str] = []
    held = await holding(pool, gate)
    guess = await asked(pool, noting(done, "guess"), Urgency.GUESS)
    await asyncio.sleep(Urgency.GUESS.value / 1000 + 0.02)
    final = await asked(pool, noting(done, "final"))
    gate.open()
    await asyncio.gather(held, guess, final)
    assert done == ["guess", "final"]


async def test_a_cancelled_request_never_runs_and_frees_its_place(pool: Pool, gate: Gate) -> None:
    done: list[str] = []
    held = await holding(pool, gate)
    cancelled = await asked(pool, noting(done, "cancelled"))
    cancelled.cancel()
    await asyncio.wait([cancelled])
    assert pool.waiting == 0
    gate.open()
    await held
    assert await pool.run(lambda: "next") == "next"
    assert done == []


async def test_cancelled_work_that_runs_keeps_its_thread_until_it_is_done(pool: Pool, gate: Gate) -> None:
    held = await holding(pool, gate)
    held.cancel()
    with pytest.raises(asyncio.CancelledError):
        await held
    assert pool.running == 1
    behind = await asked(pool, lambda: "behind it")
    assert pool.waiting == 1
    gate.open()
    assert await behind == "behind it"
    assert (pool.running, pool.waiting) == (0, 0)


async def test_too_many_requests_are_refused(pool: Pool, gate: Gate) -> None:
    held = await holding(pool, gate)
    waiting = [await asked(pool, lambda: "served") for _ in range(3)]
    with pytest.raises(VoiceError, match="overloaded"):
        await pool.run(lambda: "one too many")
    gate.open()
    await held
    assert await asyncio.gather(*waiting) == ["served"] * 3


async def test_a_caller_who_waits_takes_the_place_of_a_guess_when_the_list_is_full(pool: Pool, gate: Gate) -> None:
    held = await holding(pool, gate)
    guesses = [await asked(pool, lambda: "guessed", Urgency.GUESS) for _ in range(3)]
    final = await asked(pool, lambda: "final")
    with pytest.raises(VoiceError, match="overloaded"):
        await guesses[-1]
    gate.open()
    assert await asyncio.gather(held, final, *guesses[:-1]) == ["through the gate", "final", "guessed", "guessed"]


async def test_several_threads_work_at_once() -> None:
    pool, gates = Pool(workers=2), [Gate(), Gate()]
    tasks = [asyncio.create_task(pool.run(gate)) for gate in gates]
    for gate in gates:
        await gate.entered()
    for gate in gates:
        gate.open()
    await asyncio.gather(*tasks)
    pool.close()


async def test_a_closed_pool_refuses_what_waits_and_what_comes(pool: Pool, gate: Gate) -> None:
    held = await holding(pool, gate)
    waiting = await asked(pool, lambda: "never")
    pool.close()
    gate.open()
    for refused in (waiting, pool.run(lambda: "never")):
        with pytest.raises(VoiceError, match="closed"):
            await refused
    assert await held == "through the gate"
