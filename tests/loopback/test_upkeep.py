"""A running service removes calls that are older than their bot keeps them."""

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec

from bot.calllog.store import CallLog
from bot.serving import running
from tests.support.calls import ended, started
from tests.support.tones import tones_config


async def test_a_service_removes_old_calls_when_it_starts(tmp_path):
    config = tones_config(tmp_path)
    bots = tuple(msgspec.structs.replace(bot, keep_days=30.0) for bot in config.bots)
    now = datetime.now(UTC)
    log = await CallLog.open(config.storage.database)
    for call_id, age_days in (("old", 31), ("young", 29)):
        log.write(started(call_id, bot=bots[0].name, started_at=now - timedelta(days=age_days)))
        log.write(ended(call_id, ended_at=now))
    await log.close()

    async with running(msgspec.structs.replace(config, bots=bots)) as (service, _), asyncio.timeout(10):
        assert await until_one_is_left(service.site.calllog) == "young"


async def until_one_is_left(calllog):
    while True:
        calls = await calllog.list_calls()
        if len(calls) == 1:
            return calls[0].call_id
        await asyncio.sleep(0.02)  # nobody is told of it
