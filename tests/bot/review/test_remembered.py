"""What several ask for at once is found once."""

import asyncio

import pytest

from bot.errors import StoreError
from bot.review.remembered import Remembered


class Finder:
    """Finds its own number of findings, when it is let."""

    def __init__(self):
        self.times = 0
        self.may = asyncio.Event()
        self.fails = False

    async def __call__(self):
        self.times += 1
        await self.may.wait()
        if self.fails:
            raise StoreError("the database is away")
        return self.times


async def test_those_who_ask_meanwhile_wait_for_the_same():
    find, remembered = Finder(), Remembered(5)
    asked = [asyncio.ensure_future(remembered.get("key", find, now)) for now in (0.0, 1.0, 60.0)]
    await asyncio.sleep(0)
    find.may.set()
    assert await asyncio.gather(*asked) == [1, 1, 1]


async def test_it_is_kept_for_a_while_and_by_its_key():
    find, remembered = Finder(), Remembered(5)
    find.may.set()
    assert [await remembered.get("key", find, now) for now in (0.0, 5.0, 5.1)] == [1, 1, 2]
    assert await remembered.get("other key", find, 5.1) == 3


async def test_who_gives_up_waiting_does_not_take_it_from_the_others():
    find, remembered = Finder(), Remembered(5)
    first = asyncio.ensure_future(remembered.get("key", find, 0.0))
    second = asyncio.ensure_future(remembered.get("key", find, 0.0))
    await asyncio.sleep(0)
    first.cancel()
    find.may.set()
    assert await second == 1
    assert first.cancelled()


async def test_a_failure_is_told_and_tried_again():
    find, remembered = Finder(), Remembered(5)
    find.may.set()
    find.fails = True
    with pytest.raises(StoreError):
        await remembered.get("key", find, 0.0)
    find.fails = False
    assert await remembered.get("key", find, 0.1) == 2
