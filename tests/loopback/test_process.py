"""The service as a process: what is left after kill -9, and what SIGTERM does."""

import asyncio
import json
import signal
import sqlite3
import sys
import tomllib
import wave
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.calllog.store import CallLog
from bot.rehearsal.caller import Say, ScriptedCaller, Wait, WaitForReply
from bot.rehearsal.twilio import place_call
from tests.support.tones import ACCOUNT, TOKEN, speech

CONFIG = """
[server]
port = 0
drain_s = 0.5

[log]
format = "json"

[storage]
database = "sqlite+aiosqlite:///{folder}/log.db"
recordings = "{folder}/recordings"

[carriers.twilio]
account_sid = "{account}"
auth_token = "env:TEST_TWILIO_TOKEN"
api_base = "http://127.0.0.1:9"

[[bots]]
name = "tones"
greeting = "A greeting of tones, a second long...."
chained = {{ transcriber = "tones", responder = "tones", speaker = "tones" }}
"""


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[tuple[Process, str]]:
    """`offhook serve` in a process of its own, listening."""
    config = folder / "offhook.toml"
    config.write_text(CONFIG.format(folder=folder, account=ACCOUNT))
    tomllib.loads(config.read_text())
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "serve", "--config", str(config),
        stderr=asyncio.subprocess.PIPE, env={"TEST_TWILIO_TOKEN": TOKEN, "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    try:
        yield process, await line_with(process, "listening", "url")
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def line_with(process: Process, event: str, key: str) -> str:
    """Read the log up to an event; the value of one of its keys."""
    assert process.stderr is not None
    seen = []
    async with asyncio.timeout(30):
        while line := await process.stderr.readline():
            seen.append(line.decode())
            if line.startswith(b"{") and json.loads(line)["event"] == event:
                return str(json.loads(line).get(key, ""))
    raise AssertionError("".join(seen))


async def test_after_kill_9_the_recording_plays_and_the_call_is_marked_interrupted(tmp_path: Path):
    async with serving(tmp_path) as (process, url):
        caller = ScriptedCaller([WaitForReply(), Say(speech(1000)), Wait(60_000)])
        call = asyncio.create_task(place_call(url, caller, auth_token=TOKEN, max_s=30))
        await line_with(process, "call_connected", "bot")
        await asyncio.wait({call}, timeout=4.0)
        assert not call.done()
        process.send_signal(signal.SIGKILL)
        await process.wait()
        report = await call
        assert report.ended_by == "network"
    [path] = (tmp_path / "recordings").glob("*.wav")
    with wave.open(str(path)) as file:
        assert file.getnchannels() == 2
        recorded_ms = file.getnframes() / 8
        assert any(file.readframes(file.getnframes()))
    assert report.duration_ms - recorded_ms <= 1000
    calllog = await CallLog.open(f"sqlite+aiosqlite:///{tmp_path}/log.db")
    try:
        assert calllog.interrupted == 1
        [summary] = await calllog.list_calls()
        call_detail = await calllog.get_call(summary.call_id)
    finally:
        await calllog.close()
    assert call_detail is not None
    assert call_detail.call.end_reason == "interrupted"
    assert [turn.kind for turn in call_detail.turns][:2] == ["greeting", "speech"]
    assert [recording.path for recording in call_detail.recordings] == [str(path)]


async def test_sigterm_lets_the_caller_hear_goodbye_and_writes_everything(tmp_path: Path):
    async with serving(tmp_path) as (process, url):
        call = asyncio.create_task(place_call(url, ScriptedCaller([Wait(60_000)]), auth_token=TOKEN, max_s=30))
        await line_with(process, "call_connected", "bot")
        process.send_signal(signal.SIGTERM)
        report = await call
        assert (report.ended_by, report.unheard_ms) == ("bot", 0)
        await line_with(process, "stopped", "event")
        assert await process.wait() == 0
    with sqlite3.connect(tmp_path / "log.db") as database:
        assert database.execute("select end_reason from calls").fetchall() == [("drained",)]


async def test_a_misspelt_setting_stops_the_start_with_a_sentence(tmp_path: Path):
    config = tmp_path / "offhook.toml"
    config.write_text("[server]\nprot = 80\n")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "serve", "--config", str(config), stderr=asyncio.subprocess.PIPE
    )
    _, printed = await asyncio.wait_for(process.communicate(), 30)
    text = " ".join(printed.decode().split())
    assert process.returncode == 1
    assert "line 2" in text
    assert "did you mean 'port'" in text
    assert "Traceback" not in text
