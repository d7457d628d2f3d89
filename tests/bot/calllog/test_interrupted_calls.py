"""A process that dies leaves calls without an end; the next one to start ends those, and no others."""

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from bot.calllog import runs, schema
from bot.calllog.records import TimelineEvent
from bot.calllog.store import CallLog
from tests.support.calls import NOON, ended, message, recording, started, turn

PROCESS_WITH_A_CALL = """
import asyncio, sys
from bot.calllog.records import TimelineEvent
from bot.calllog.store import CallLog
from tests.support.calls import ended, started, turn

async def main():
    log = await CallLog.open(sys.argv[1])
    for record in (started("over"), ended("over"), started("live"), turn("live", 0, role="caller", ended_ms=800)):
        log.write(record)
    log.write(turn("live", 1, started_ms=1500, heard_ms=600, interrupted=True, reply_ms=700))
    log.write(turn("live", 2, started_ms=4000, heard_ms=250, reply_ms=900))
    log.write(TimelineEvent("live", 4100, "mark"))
    await log.flush()
    print("written", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


PROJECT = Path(__file__).parents[3]


async def start_process(url):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROCESS_WITH_A_CALL, url, stdout=asyncio.subprocess.PIPE, cwd=PROJECT
    )
    assert await process.stdout.readline() == b"written\n"
    return process


async def test_a_killed_process_leaves_a_call_that_the_next_one_ends(url):
    process = await start_process(url)
    beside = await CallLog.open(url)
    assert beside.interrupted == 0  # it is alive
    assert await beside.beat() == 0

    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    log = await CallLog.open(url)
    assert log.interrupted == 1
    call = (await log.get_call("live")).call
    assert call.end_reason == "interrupted"
    assert (call.duration_ms, call.ended_at) == (4250, NOON + timedelta(milliseconds=4250))
    assert (call.turns, call.interruptions, call.reply_p50_ms, call.reply_p95_ms) == (3, 1, 700, 900)
    assert (await log.get_call("over")).call.end_reason == "caller_hung_up"
    assert await beside.beat() == 0  # done already
    await beside.close()
    await log.close()


async def test_a_dead_process_is_noticed_by_one_that_goes_on(url):
    log = await CallLog.open(url)
    process = await start_process(url)
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    assert await log.beat() == 1
    assert (await log.get_call("live")).call.end_reason == "interrupted"
    await log.close()


async def test_the_end_of_a_call_is_the_last_that_is_known_of_it(url):
    log = await CallLog.open(url)
    for call_id, record in {
        "event": TimelineEvent("event", 5000, "mark"),
        "message": message("message", at_ms=6000, duration_ms=1000),
        "recording": recording("recording", duration_ms=8000),
        "nothing": None,
    }.items():
        log.write(started(call_id))
        if record is not None:
            log.write(record)
    await log.close()
    log = await CallLog.open(url)
    lengths = {call.call_id: call.duration_ms async for call in log.iter_calls()}
    assert lengths == {"event": 5000, "message": 7000, "recording": 8000, "nothing": 0}
    await log.close()


async def elsewhere(log, heartbeat_age_s):
    """Make the log's process one on another machine, whose heart last beat so long ago."""
    heartbeat_at = datetime.now(UTC) - timedelta(seconds=heartbeat_age_s)
    async with log._writes.begin() as connection:
        await connection.execute(
            update(schema.runs)
            .where(schema.runs.c.id == log._run)
            .values(host="other", pid_space="another machine", heartbeat_at=heartbeat_at)
        )


@pytest.mark.parametrize(("heartbeat_age_s", "interrupted"), [(20, 0), (60, 1)])
async def test_a_process_elsewhere_is_dead_when_its_heart_has_stopped(url, heartbeat_age_s, interrupted):
    there = await CallLog.open(url)
    there.write(started())
    await there.flush()
    await elsewhere(there, heartbeat_age_s)
    here = await CallLog.open(url)
    assert here.interrupted == interrupted
    await here.close()
    await there.close()


async def test_a_process_declared_dead_too_early_still_ends_its_calls(url):
    there = await CallLog.open(url)
    there.write(started())
    await there.flush()
    await elsewhere(there, heartbeat_age_s=60)
    here = await CallLog.open(url)
    there.write(turn())
    there.write(ended())
    await there.close()
    assert (await here.get_call("call-1")).call.end_reason == "caller_hung_up"
    await here.close()


async def test_a_beat_keeps_a_process_alive_for_others(url):
    there = await CallLog.open(url)
    there.write(started())
    await there.flush()
    await elsewhere(there, heartbeat_age_s=60)
    await there.beat()
    here = await CallLog.open(url)
    assert here.interrupted == 0
    await here.close()
    await there.close()


NOW = datetime(2026, 11, 20, tzinfo=UTC)


def test_this_process_is_alive_however_old_its_heartbeat():
    me = runs.this_process()
    assert me.pid_space
    assert not runs.is_dead(me, NOW - timedelta(days=1), me, NOW)


def test_a_reused_pid_is_not_the_process_that_had_it_before():
    me = runs.this_process()
    former = runs.Process(me.host, me.pid, me.pid_space, "1")
    assert runs.is_dead(former, NOW, me, NOW)


def test_where_pids_mean_nothing_only_the_heartbeat_counts():
    me = runs.Process("mac", 1, "", "")
    assert not runs.is_dead(me, NOW - timedelta(seconds=30), me, NOW)
    assert runs.is_dead(me, NOW - timedelta(seconds=40), me, NOW)


async def test_a_process_of_this_machine_is_dead_once_it_has_ended():
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE)
    me = runs.this_process()
    child = runs.Process(me.host, process.pid, me.pid_space, runs._process_start(process.pid))
    assert not runs.is_dead(child, NOW, me, NOW)
    await process.communicate(b"\n")
    assert runs.is_dead(child, NOW, me, NOW)
