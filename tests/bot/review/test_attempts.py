"""How attempts to sign in are counted: on SQLite and PostgreSQL, with the time as an argument."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.calllog.store import CallLog
from bot.review.attempts import LONGEST_LOCK_S, Attempts, lock_s
from bot.review.storage import Storage

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
async def attempts(url):
    await (await CallLog.open(url)).close()
    storage = Storage(url)
    yield Attempts(storage)
    await storage.close()


def test_each_failure_locks_twice_as_long_up_to_a_quarter_of_an_hour():
    assert [lock_s(count, 5) for count in range(12)] == [0, 0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900]
    assert lock_s(10**9, 5) == LONGEST_LOCK_S


async def waits(attempts, times, *, account="admin", address="198.51.100.7", at=NOON):
    return [(await attempts.begin(account, address, at)).wait_s for _ in range(times)]


async def test_after_five_failures_nobody_may_try_for_half_a_minute(attempts):
    assert await waits(attempts, 7) == [0, 0, 0, 0, 0, 30, 30]  # whoever must wait is not counted again
    assert await waits(attempts, 1, at=NOON + timedelta(seconds=29)) == [1]
    later = NOON + timedelta(seconds=31)
    assert await waits(attempts, 2, at=later) == [0, 60]  # once more, and it is twice as long


async def test_attempts_at_once_are_counted_each(attempts):
    begun = await asyncio.gather(*(attempts.begin("admin", "198.51.100.7", NOON) for _ in range(8)))
    assert sorted(attempt.wait_s for attempt in begun) == [0] * 5 + [30] * 3


async def test_a_lock_is_on_one_account(attempts):
    await waits(attempts, 6)
    assert await waits(attempts, 1, account="viewer", address="203.0.113.1") == [0]


async def test_success_frees_the_account_and_gives_the_address_one_attempt_back(attempts):
    await waits(attempts, 4)
    await attempts.succeeded(await attempts.begin("admin", "198.51.100.7", NOON))
    assert await waits(attempts, 5) == [0] * 5
    # Nine attempts count against the address so far; the twentieth locks it.
    others = [(await waits(attempts, 1, account=f"name-{number}"))[0] for number in range(12)]
    assert others == [0] * 11 + [30]


async def test_all_accounts_together_lock_an_address_and_its_neighbours_of_one_customer(attempts):
    for number in range(20):
        await waits(attempts, 1, account=f"name-{number}", address=f"2001:db8:1:2::{number:x}")
    assert await waits(attempts, 1, account="viewer", address="2001:db8:1:2:ffff::1") == [30]
    assert await waits(attempts, 1, account="viewer", address="2001:db8:1:3::1") == [0]


async def test_an_hour_later_all_is_forgotten(attempts):
    await waits(attempts, 6)
    assert await waits(attempts, 5, at=NOON + timedelta(hours=2)) == [0] * 5


@pytest.mark.parametrize("name", ["", "x" * 10_000, "\0\ud800", "'; DROP TABLE calls;--"])
async def test_any_name_can_be_counted(attempts, name):
    assert await waits(attempts, 6, account=name) == [0] * 5 + [30]
