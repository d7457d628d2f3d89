"""The service as a process: what is left after kill -9, and what SIGTERM does."""

import asyncio
import signal
import sqlite3
import sys
import wave
from pathlib import Path

from bot.calllog.store import CallLog
from bot.rehearsal.caller import Say, ScriptedCaller, Wait, WaitForReply
from bot.rehearsal.twilio import place_call
from tests.support.process import serving
from tests.support.tones import TOKEN, speech


async def test_after_kill_9_the_recording_plays_and_the_call_is_marked_interrupted(tmp_path: Path):
    async with serving(tmp_path) as service:
        caller = ScriptedCaller([WaitForReply(), Say(speech(1000)), Wait(60_000)])
        call = asyncio.create_task(place_call(service.url, caller, auth_token=TOKEN, max_s=30))
        await service.events("call_connected")
        await asyncio.wait({call}, timeout=4.0)
        assert not call.done()
        service.process.kill()
        await service.process.wait()
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
    async with serving(tmp_path) as service:
        call = asyncio.create_task(place_call(service.url, ScriptedCaller([Wait(60_000)]), auth_token=TOKEN, max_s=30))
        await service.events("call_connected")
        service.process.send_signal(signal.SIGTERM)
        report = await call
        assert (report.ended_by, report.unheard_ms) == ("bot", 0)
        await service.events("stopped")
        assert await service.process.wait() == 0
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
