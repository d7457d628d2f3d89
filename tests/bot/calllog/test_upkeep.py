"""The call log's own housekeeping, as a service that starts and stops sees it."""

import asyncio
from pathlib import Path

import pytest

from bot.calllog.store import CallLog
from bot.calllog.upkeep import Upkeep


@pytest.mark.parametrize("turns_of_the_loop", range(0, 60, 3))
async def test_it_stops_at_any_moment_and_leaves_the_database_to_others(tmp_path: Path, turns_of_the_loop: int):
    calllog = await CallLog.open(f"sqlite+aiosqlite:///{tmp_path}/log.db")
    upkeep = Upkeep(calllog, {})
    upkeep.start()
    for _ in range(turns_of_the_loop):
        await asyncio.sleep(0.0005)  # into the middle of one of its transactions
    async with asyncio.timeout(4):  # a database that is left locked gives up after five seconds
        await upkeep.close()
        await calllog.close()
