"""Several processes behind one port, as callers, carriers and operators notice them. Real processes, real sockets."""

import asyncio
import os
import re
import signal
import sqlite3
from collections import Counter
from pathlib import Path

import aiohttp

from bot.rehearsal.caller import HangUp, Say, ScriptedCaller, Step, Wait, WaitForReply
from bot.rehearsal.report import CallReport
from bot.rehearsal.twilio import place_call
from tests.support.process import Serving, serving
from tests.support.tones import TOKEN, speech

TALK: list[Step] = [WaitForReply(), Say(speech(600)), WaitForReply(), HangUp()]


def begin_call(service: Serving, *script: Step) -> asyncio.Task[CallReport]:
    return asyncio.create_task(place_call(service.url, ScriptedCaller(script), auth_token=TOKEN, max_s=40))


async def begin_one_on_each(service: Serving, *script: Step, workers: int = 3) -> dict[int, asyncio.Task[CallReport]]:
    """One call after the other, so that each worker gets one; by worker."""
    calls = {}
    for count in range(1, workers + 1):
        call = begin_call(service, *script)
        calls[(await service.events("call_connected", count))[-1]["worker"]] = call
    assert set(calls) == set(range(1, workers + 1))
    await all_workers_say(service, live_calls=workers)
    return calls


async def fetched(service: Serving, path: str) -> str:
    """On a connection of its own, so that any worker may be the one that answers."""
    async with aiohttp.ClientSession() as http, http.get(service.url + path) as response:
        return await response.text()


async def metric(service: Serving, name: str) -> float:
    """The sum over a metric's labels."""
    values = re.findall(rf"^{name}(?:{{.*}})? (\S+)$", await fetched(service, "/metrics"), re.MULTILINE)
    return sum(map(float, values))


async def all_workers_say(service: Serving, *, live_calls: int) -> None:
    """Ask until all answers agree, whoever gives them; a worker writes its count down just after it has changed."""
    async with asyncio.timeout(10):
        while {await fetched(service, "/readyz") for _ in range(6)} != {
            f'{{"status": "ready", "live_calls": {live_calls}}}'
        }:
            pass


def end_reasons(folder: Path) -> list[str | None]:
    """Of all calls in the call log, in alphabetical order; None for those going on."""
    with sqlite3.connect(folder / "log.db") as database:
        return [reason for (reason,) in database.execute("select end_reason from calls order by end_reason")]


def version_of_log(folder: Path, version: str) -> str:
    """Change what the call log says of its own version; returns what it said before."""
    with sqlite3.connect(folder / "log.db") as database:
        [(before,)] = database.execute("select version_num from alembic_version").fetchall()
        database.execute("update alembic_version set version_num = ?", (version,))
    return str(before)


async def until_written(folder: Path, reasons: list[str | None]) -> None:
    async with asyncio.timeout(10):
        while await asyncio.to_thread(end_reasons, folder) != reasons:
            pass


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_twelve_calls_over_three_workers_are_whole_and_counted_once(tmp_path: Path):
    async with serving(tmp_path, "--workers", "3") as service:
        calls = [begin_call(service, *TALK) for _ in range(12)]
        await service.events("call_connected", 12)
        await all_workers_say(service, live_calls=12)
        assert await metric(service, "offhook_live_calls") == 12
        reports = await asyncio.gather(*calls)
        assert [(report.outcome, report.ended_by, report.errors) for report in reports] == [
            ("answered", "caller", ())
        ] * 12
        assert all(len(report.reply_delays_ms) == 1 for report in reports)
        await service.events("call_ended", 12)
        await all_workers_say(service, live_calls=0)
        assert await metric(service, "offhook_live_calls") == 0
        assert await metric(service, "offhook_calls_total") == 12
        assert await metric(service, "offhook_reply_delay_seconds_count") == 12
        assert await metric(service, "offhook_frames_in_total") == sum(report.sent["media"] for report in reports)
        assert await metric(service, "offhook_processes") == 3
    workers_of_call = Counter(
        (line["call_id"], line["worker"])
        for event in ("call_answered", "call_connected", "call_ended")
        for line in service.logged(event)
    )
    assert list(workers_of_call.values()) == [3] * 12
    assert {worker for _, worker in workers_of_call} == {1, 2, 3}
    assert end_reasons(tmp_path) == ["caller_hung_up"] * 12


async def test_no_more_calls_come_in_than_lines_however_they_are_spread(tmp_path: Path):
    async with serving(tmp_path, "--workers", "3", OFFHOOK_SERVER_MAX_CALLS="4") as service:
        reports = await asyncio.gather(*(begin_call(service, Wait(1500), HangUp()) for _ in range(12)))
        assert Counter(report.outcome for report in reports) == {"answered": 4, "refused": 8}
        await service.events("call_ended", 4)
        assert (await begin_call(service, Wait(200), HangUp())).outcome == "answered"  # the lines are free again
        assert await metric(service, "offhook_webhooks_total") == 13


async def test_a_killed_worker_is_replaced_and_the_others_calls_go_on(tmp_path: Path):
    async with serving(tmp_path, "--workers", "3") as service:
        pids = {line["worker"]: line["pid"] for line in service.logged("worker_started")}
        await begin_call(service, Wait(200), HangUp())
        [ended] = await service.events("call_ended")
        service.lines.clear()
        calls = await begin_one_on_each(service, *TALK)
        await until_written(tmp_path, [None, None, None, "caller_hung_up"])
        os.kill(pids[ended["worker"]], signal.SIGKILL)
        [died] = await service.events("worker_died")
        assert (died["worker"], died["code"]) == (ended["worker"], -signal.SIGKILL)
        await service.events("worker_started")
        reports = {worker: await call for worker, call in calls.items()}
        lost = reports.pop(died["worker"])
        assert lost.ended_by == "network"
        assert [(report.ended_by, len(report.reply_delays_ms)) for report in reports.values()] == [("caller", 1)] * 2
        await service.events("call_ended", 2)
        await all_workers_say(service, live_calls=0)
        assert await metric(service, "offhook_calls_total") == 3  # what the dead one had counted is not forgotten
        assert await metric(service, "offhook_processes") == 3
        service.lines.clear()
        calls = await begin_one_on_each(service, Wait(1500), HangUp())
        await asyncio.gather(*calls.values())
    assert end_reasons(tmp_path) == ["caller_hung_up"] * 6 + ["interrupted"]


async def test_a_worker_that_cannot_be_replaced_is_tried_again_until_it_can(tmp_path: Path):
    async with serving(tmp_path, "--workers", "2") as service:
        [first, _] = service.logged("worker_started")
        right = version_of_log(tmp_path, "from the future")
        os.kill(first["pid"], signal.SIGTERM)
        [stopped] = await service.events("worker_stopped")
        assert stopped["worker"] == first["worker"]
        [refused] = await service.events("worker_not_started")
        assert "newer Offhook" in refused["error"]
        version_of_log(tmp_path, right)
        await service.events("worker_started", 3)
        assert len(await begin_one_on_each(service, Wait(500), HangUp(), workers=2)) == 2


async def test_sigterm_drains_all_workers_also_when_each_process_gets_it(tmp_path: Path):
    async with serving(tmp_path, "--workers", "3") as service:
        calls = await begin_one_on_each(service, Wait(60_000))
        for pid in [service.process.pid, *(line["pid"] for line in service.logged("worker_started"))]:
            os.kill(pid, signal.SIGTERM)  # as systemd does
        for call in calls.values():
            report = await call
            assert (report.ended_by, report.unheard_ms) == ("bot", 0)
        assert await service.process.wait() == 0
    assert service.logged("draining")[0]["live_calls"] == 3
    assert not service.logged("worker_died")
    assert end_reasons(tmp_path) == ["drained"] * 3


async def test_a_second_signal_does_not_wait_for_live_calls(tmp_path: Path):
    async with serving(tmp_path, "--workers", "2", OFFHOOK_SERVER_DRAIN_S="600") as service:
        calls = await begin_one_on_each(service, Wait(60_000), workers=2)
        service.process.send_signal(signal.SIGTERM)
        await service.events("draining")
        service.process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(service.process.wait(), 10)
        assert not any(is_running(line["pid"]) for line in service.logged("worker_started"))
        assert {(await call).ended_by for call in calls.values()} == {"network"}


async def test_workers_whose_foreman_was_killed_finish_their_calls_and_stop(tmp_path: Path):
    async with serving(tmp_path, "--workers", "2") as service:
        calls = await begin_one_on_each(service, Wait(60_000), workers=2)
        service.process.kill()
        assert {(await call).ended_by for call in calls.values()} == {"bot"}
        await service.reading  # until the last process has let go of the log
    assert len(service.logged("foreman_died")) == 2
    assert end_reasons(tmp_path) == ["drained"] * 2


async def test_what_is_wrong_with_the_configuration_is_said_once(tmp_path: Path):
    async with serving(tmp_path, "--workers", "3", speaker="local:nowhere.onnx", listens=False) as service:
        assert await asyncio.wait_for(service.process.wait(), 30) == 1
        await service.reading
    assert service.printed.count("nowhere.onnx") == 1
    assert "Traceback" not in service.printed
