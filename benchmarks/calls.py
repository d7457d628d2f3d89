"""Many calls at once on this machine, with a voice of tones: gaps, alignment of recordings, delays, CPU and memory.

The service runs in a process of its own, with recordings and the call log on; the emulated callers share another.
Nothing here is a model, so what is measured is the path.

    python benchmarks/calls.py --calls 20 --seconds 60
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import wave
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import numpy as np

from bot.rehearsal.caller import HangUp, Interrupt, Say, ScriptedCaller, Step, Wait, WaitForReply
from bot.rehearsal.report import CallReport
from bot.rehearsal.sound import stretches
from bot.rehearsal.twilio import place_call

ACCOUNT, TOKEN = "AC" + "1" * 32, "benchmark"
CONFIG = """
[server]
port = 0
[log]
format = "json"
[storage]
database = "sqlite+aiosqlite:///{folder}/log.db"
recordings = "{folder}/recordings"
[carriers.twilio]
account_sid = "{account}"
auth_token = "{token}"
api_base = "http://127.0.0.1:9"
[[bots]]
name = "tones"
greeting = "A greeting of tones, a second long...."
chained = {{ transcriber = "tones", responder = "tones", speaker = "tones" }}
"""
_TICK_HZ = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    cpu_s: float
    rss_mb: float


def usage(pid: int) -> Usage:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return Usage((int(fields[11]) + int(fields[12])) / _TICK_HZ, pages * os.sysconf("SC_PAGE_SIZE") / 1e6)


def voiced(ms: int) -> bytes:
    """Harmonics of a voice, which endpointing takes for speech."""
    time_s = np.arange(ms * 8) / 8000
    voice = sum(np.sin(2 * np.pi * 120 * k * time_s) / k for k in range(1, 20))
    return (voice * (0.55 + 0.45 * np.sin(2 * np.pi * 4 * time_s)) * 5000).astype("<i2").tobytes()


def script(seconds: float, stagger_ms: int) -> list[Step]:
    """A question and its answer, a question and an interruption, over and over."""
    question, interruption = voiced(900), voiced(700)
    turns = max(1, int(seconds / 12))
    steps: list[Step] = [Wait(stagger_ms), WaitForReply()]
    for _ in range(turns):
        steps += [Say(question), WaitForReply(), Say(question), Interrupt(800, interruption), WaitForReply()]
    return [*steps, HangUp()]


async def measure(service: subprocess.Popen[str], folder: Path, calls: int, seconds: float) -> None:
    url = listening(service)
    threading.Thread(target=drain, args=(service,), daemon=True).start()
    before = usage(service.pid)
    memory: list[float] = []
    watcher = asyncio.create_task(watch(service.pid, memory))
    async with aiohttp.ClientSession() as http:
        reports = await asyncio.gather(
            *(
                place_call(
                    url,
                    ScriptedCaller(script(seconds, 50 * index)),
                    auth_token=TOKEN,
                    account_sid=ACCOUNT,
                    session=http,
                    max_s=seconds * 3,
                )
                for index in range(calls)
            )
        )
    watcher.cancel()
    after = usage(service.pid)
    await asyncio.sleep(1.0)  # the last recordings are written by their own thread
    report(reports, before, after, memory, folder / "recordings")


def main(calls: int, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as name:
        config = Path(name) / "offhook.toml"
        config.write_text(CONFIG.format(folder=name, account=ACCOUNT, token=TOKEN))
        command = [sys.executable, "-m", "bot", "serve", "--config", str(config)]
        service = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            asyncio.run(measure(service, Path(name), calls, seconds))
        finally:
            service.terminate()
            service.wait()


def listening(service: subprocess.Popen[str]) -> str:
    assert service.stderr is not None
    for line in service.stderr:
        if '"listening"' in line:
            return line.partition('"url": "')[2].partition('"')[0]
    raise SystemExit("the service did not start")


def drain(service: subprocess.Popen[str]) -> None:
    assert service.stderr is not None
    for _ in service.stderr:
        pass


async def watch(pid: int, memory: list[float]) -> None:
    while True:
        memory.append(usage(pid).rss_mb)
        await asyncio.sleep(1.0)


def report(reports: list[CallReport], before: Usage, after: Usage, memory: list[float], recordings: Path) -> None:
    call_s = sum(one.duration_ms for one in reports) / 1000
    delays = sorted(delay for one in reports for delay in one.reply_delays_ms)
    offsets = alignment(reports, recordings)
    third = max(1, len(memory) // 3)
    rows = [
        ("calls, answered", f"{sum(one.outcome == 'answered' for one in reports)} of {len(reports)}"),
        ("call-seconds", f"{call_s:.0f}"),
        ("CPU of the service, ms per call-second", f"{(after.cpu_s - before.cpu_s) * 1000 / call_s:.2f}"),
        ("gaps in replies, ms", f"{sum(one.gap_ms for one in reports):.0f}"),
        ("late audio after clears, ms", f"{sum(one.late_audio_ms for one in reports):.0f}"),
        ("reply delay, 500 ms hangover, p50 / p99 ms",
         f"{percentile(delays, 50):.0f} / {percentile(delays, 99):.0f}"),
        ("greeting in the ear, max ms", f"{max(one.greeting_ms or 0 for one in reports):.0f}"),
        ("recording against the ear, max ms (one frame is 20)", f"{max(offsets, default=float('nan')):.0f}"),
        ("memory of the service, MB: first third, last third", f"{statistics.mean(memory[:third]):.1f}, "
                                                               f"{statistics.mean(memory[-third:]):.1f}"),
        ("the callers' own lateness, p99 ms", f"{max(one.lateness.p99_ms for one in reports):.1f}"),
    ]  # fmt: skip
    for name, value in rows:
        print(f"{name:<54}{value:>20}")


def alignment(reports: list[CallReport], recordings: Path) -> list[float]:
    """How far the beginning of each reply in each recording is from where the ear had it."""
    offsets = []
    for path in recordings.glob("*.wav"):
        with wave.open(str(path)) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
        recorded = [stretch.start_ms for stretch in stretches(samples[:, 1].tobytes(), 400)]
        matches = [one for one in reports if len(one.stretches) == len(recorded)]
        if matches:
            offsets.append(
                min(max(abs(a - b.start_ms) for a, b in zip(recorded, one.stretches, strict=True)) for one in matches)
            )
    return offsets


def percentile(values: list[float], percent: float) -> float:
    return float(np.percentile(values, percent)) if values else float("nan")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=36.0)
    options = parser.parse_args()
    main(options.calls, options.seconds)
