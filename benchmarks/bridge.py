"""The bridge between calls and a realtime model, beside the least that a Python process can do (relay.py).

The service under test, the model (stand_in.py) and the callers each have a process; the services take turns. Offhook
runs with recordings and the call log on. How a figure is measured stands with its function.

    python benchmarks/bridge.py --calls 1 10 30 --seconds 36
    python benchmarks/bridge.py --calls 10 --services pcm pcmu --barge-ins 200 --delay 60 --jitter 20
"""

import argparse
import asyncio
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import numpy as np
from calls import percentile, usage, voiced
from stand_in import SILENCE_MS, SessionFacts, StandIn

from bot.rehearsal.buffer import Clear
from bot.rehearsal.caller import HangUp, Interrupt, Say, ScriptedCaller, Step, Wait, WaitForReply
from bot.rehearsal.line import Line
from bot.rehearsal.report import CallReport
from bot.rehearsal.sound import FRAME_MS, RATE_HZ
from bot.rehearsal.twilio import place_call

ACCOUNT, TOKEN = "AC" + "1" * 32, "benchmark"
SERVICES = ("relay", "pcmu", "pcm")
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
[openai]
base_url = "{model_url}"
api_key = "benchmark"
[[bots]]
name = "tones"
greeting = ""
voice = "realtime"
realtime = {{ speaker = "marin", audio = "{audio}", turn_detection = "server_vad", silence_ms = {silence_ms} }}
chained = {{ transcriber = "tones", responder = "tones", speaker = "tones" }}
"""
QUESTION = voiced(910)  # ends within a frame, so that a filter's tail is no frame of its own
INTERRUPTION = voiced(510)
ANSWER_MS, LONG_ANSWER_MS = 2000, 5000
_BELONGS_WITHIN_S = 2.0  # what comes later after a clear or a word is not about it


class TimedCaller(ScriptedCaller):
    """Notes when each frame was really sent, on the clock that the model notes its times on."""

    def __init__(self, steps: list[Step]) -> None:
        super().__init__(steps)
        self.began_at = 0.0
        self.sent_at: list[float] = []

    def frame(self, at_ms: int) -> bytes | None:
        if at_ms == 0:
            self.began_at = time.monotonic()
        return super().frame(at_ms)

    def hear(self, at_ms: int, payload: bytes) -> None:
        self.sent_at.append(time.monotonic())
        super().hear(at_ms, payload)

    def at(self, stream_ms: float) -> float:
        return self.began_at + stream_ms / 1000

    def first_loud_sent_at(self, start_ms: float) -> float:
        return self.sent_at[int(start_ms // FRAME_MS)]

    def last_loud_sent_at(self, end_ms: float) -> float:
        return self.sent_at[int(np.ceil(end_ms / FRAME_MS)) - 1]


@dataclass(frozen=True)
class Call:
    """One call, as its two ends saw it."""

    caller: TimedCaller
    report: CallReport
    model: SessionFacts | None  # None: no session's tone was heard


@dataclass(frozen=True)
class Run:
    calls: list[Call]
    cpu_s: float
    memory_mb: float  # more than before, per call

    @classmethod
    def joined(cls, runs: "list[Run]") -> "Run":
        calls = [call for run in runs for call in run.calls]
        return cls(calls, sum(run.cpu_s for run in runs), max(run.memory_mb for run in runs))

    @property
    def call_s(self) -> float:
        return sum(call.report.duration_ms for call in self.calls) / 1000

    @property
    def cpu_ms(self) -> float:
        """Per call-second."""
        return self.cpu_s * 1000 / self.call_s


# -- the calls -------------------------------------------------------------------------------------------------------


def conversation(seconds: float) -> list[Step]:
    """A question and its answer, a question and an interruption, over and over."""
    steps: list[Step] = [Wait(500)]
    for _ in range(max(1, round(seconds / 10))):
        steps += [Say(QUESTION), WaitForReply(), Say(QUESTION), Interrupt(800, INTERRUPTION), WaitForReply()]
    return [*steps, HangUp()]


def barge_ins(count: int, seed: int) -> list[Step]:
    """A question, and then one interruption after the other at any moment of the answers."""
    luck = random.Random(seed)
    steps: list[Step] = [Wait(500), Say(QUESTION)]
    steps += [Interrupt(luck.randint(300, LONG_ANSWER_MS - 800), INTERRUPTION) for _ in range(count)]
    return [*steps, WaitForReply(), HangUp()]


async def place_all(url: str, scripts: list[list[Step]], lines: list[Line]) -> list[tuple[TimedCaller, CallReport]]:
    async with aiohttp.ClientSession() as http:

        async def place(index: int) -> tuple[TimedCaller, CallReport]:
            await asyncio.sleep(0.037 * index)  # no two calls have their frames at the same moments
            caller = TimedCaller(scripts[index])
            account = {"auth_token": TOKEN, "account_sid": ACCOUNT}
            return caller, await place_call(url, caller, **account, session=http, line=lines[index], max_s=900)

        return await asyncio.gather(*(place(index) for index in range(len(scripts))))


@contextmanager
def serving(name: str, model_url: str) -> Iterator[tuple[int, str]]:
    """A service's process id and URL."""
    with tempfile.TemporaryDirectory() as folder:
        if name == "relay":
            command = [sys.executable, str(Path(__file__).with_name("relay.py")), model_url]
        else:
            config = Path(folder) / "offhook.toml"
            values = {"folder": folder, "account": ACCOUNT, "token": TOKEN, "silence_ms": SILENCE_MS}
            config.write_text(CONFIG.format(**values, model_url=model_url, audio=name))
            command = [sys.executable, "-m", "bot", "serve", "--config", str(config)]
        service = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            yield service.pid, listening(service)
        finally:
            service.terminate()
            service.wait()


def listening(service: subprocess.Popen[str]) -> str:
    """The URL that the service tells of; whatever it tells after that is read and dropped."""
    assert service.stdout is not None
    said = []
    for line in service.stdout:
        said.append(line)
        if "http://127.0.0.1:" in line and (line.startswith("http") or '"listening"' in line):
            threading.Thread(target=lambda: [None for _ in service.stdout or ()], daemon=True).start()
            return "http://127.0.0.1:" + line.partition("http://127.0.0.1:")[2].partition('"')[0].strip()
    raise SystemExit("the service did not start:\n" + "".join(said))


def cpu_s(pid: int) -> float:
    """Of all threads of a process, to the nanosecond (the clock's number as in Linux's posix-timers.h)."""
    return time.clock_gettime((~pid << 3) | 2)


async def watch(pid: int, memory_mb: list[float]) -> None:
    while True:
        memory_mb.append(usage(pid).rss_mb)
        await asyncio.sleep(0.5)


async def measure(name: str, stand_in: StandIn, scripts: list[list[Step]], lines: list[Line]) -> Run:
    with serving(name, stand_in.base_url) as (pid, url):
        await place_all(url, [conversation(1)], [Line()])  # what is done once only is done before
        stand_in.facts()
        memory_mb = [usage(pid).rss_mb]
        watcher = asyncio.create_task(watch(pid, memory_mb))
        before_s = cpu_s(pid)
        ended = await place_all(url, scripts, lines)
        await asyncio.sleep(0.5)  # what is written after a call belongs to it
        spent_s = cpu_s(pid) - before_s
        watcher.cancel()
    sessions = stand_in.facts()
    calls = [Call(caller, report, heard_session(report, sessions)) for caller, report in ended]
    return Run(calls, spent_s, (max(memory_mb) - memory_mb[0]) / len(calls))


def heard_session(report: CallReport, sessions: list[SessionFacts]) -> SessionFacts | None:
    """The session whose tone is in the caller's ear."""
    if not report.stretches or not sessions:
        return None
    start, end = (round(ms * RATE_HZ / 1000) for ms in report.stretches[0])
    samples = np.frombuffer(report.heard_pcm, "<i2")[start : min(end, start + RATE_HZ)]
    peak_hz = np.argmax(np.abs(np.fft.rfft(samples, RATE_HZ)))
    return min(sessions, key=lambda session: abs(session.hz - peak_hz))


# -- the figures -----------------------------------------------------------------------------------------------------


def reply_delays_ms(call: Call) -> list[tuple[float, float]]:
    """For each reply, what was added to the model's own time, until it had reached the carrier, and until it was heard.

    The model's time is from the arrival of the caller's last loud frame to the sending of the first sound. A frame's
    sound waits up to one frame in the carrier, whose frames have a rhythm of their own.
    """
    delays = []
    for utterance in call.report.utterances:
        said_at = call.caller.last_loud_sent_at(utterance.end_ms)
        reply = next((one for one in call.model.replies if 0 <= one.last_loud_at - said_at < 0.3), None)
        said_ms = (said_at - call.caller.began_at) * 1000
        arrived = next((run.arrived_ms for run in call.report.runs if run.arrived_ms > said_ms), None)
        heard = next((one.start_ms for one in call.report.stretches if one.start_ms > said_ms), None)
        if (
            reply is not None
            and arrived is not None
            and heard is not None
            and arrived - said_ms < _BELONGS_WITHIN_S * 1000
        ):
            own_ms = (reply.sounded_at - reply.last_loud_at) * 1000
            delays.append((arrived - said_ms - own_ms, heard - said_ms - own_ms))
    return delays


def cuts(call: Call) -> list[Clear]:
    """The clears that ended a reply."""
    return [clear for clear in call.report.clears if clear.played_ms > 0]


def times_to_clear_ms(call: Call) -> list[float]:
    """From the sending of the first loud frame to the clear's arrival at the carrier."""
    times = []
    for clear in cuts(call):
        begun = [one.start_ms for one in call.report.utterances if one.start_ms < clear.at_ms]
        times += [(call.caller.at(clear.at_ms) - call.caller.first_loud_sent_at(begun[-1])) * 1000] if begun else []
    return times


def truncation_errors_ms(call: Call) -> list[float | None]:
    """What the model was told less what had been played when the clear arrived; None where it was told nothing."""
    errors: list[float | None] = []
    told = list(call.model.truncations)
    for clear in cuts(call):
        cleared_at = call.caller.at(clear.at_ms)
        nearest = min(told, key=lambda cut: abs(cut.arrived_at - cleared_at), default=None)
        if nearest is None or abs(nearest.arrived_at - cleared_at) > _BELONGS_WITHIN_S:
            errors.append(None)
        else:
            told.remove(nearest)
            errors.append(nearest.audio_end_ms - clear.played_ms)
    return errors


def figures(run: Run, reference: Run | None) -> dict[str, str]:
    known = [call for call in run.calls if call.model is not None]
    delays = [delay for call in known for delay in reply_delays_ms(call)]
    clears = [ms for call in known for ms in times_to_clear_ms(call)]
    errors = [error for call in known for error in truncation_errors_ms(call)]
    sizes = [abs(error) for error in errors if error is not None]
    return {
        "calls to the end, of": f"{sum(call.report.ended_by == 'caller' for call in run.calls)} / {len(run.calls)}",
        "call-seconds": f"{run.call_s:.0f}",
        "CPU, ms per call-second": f"{run.cpu_ms:.2f}",
        "CPU, times the relay's": f"{run.cpu_ms / reference.cpu_ms:.2f}" if reference else "",
        "replies": f"{len(delays)}",
        "added reply delay, ms, p50 / p99": pair([delay for delay, _ in delays]),
        "  heard, with the carrier's frames, p50 / p99": pair([heard for _, heard in delays]),
        "barge-ins": f"{len(clears)}",
        "barge-in to clear, ms, p50 / p99": pair(clears),
        "truncations, none where one was due": f"{len(sizes)}, {len(errors) - len(sizes)}",
        "truncation error, ms, p50 / p99": pair(sizes),
        "  signed, least / most": f"{extreme(errors, min)} / {extreme(errors, max)}",
        "  share within 20 ms": f"{sum(size <= 20 for size in sizes) / len(sizes):.1%}" if sizes else "",
        "late audio, ms": f"{sum(call.report.late_audio_ms for call in run.calls):.0f}",
        "gaps, ms": f"{sum(call.report.gap_ms for call in run.calls):.0f}",
        "memory, MB per call": f"{run.memory_mb:.2f}",
        "callers' own lateness, ms, p50 / p99": callers_lateness(run),
        "errors": f"{sum(len(call.report.errors) for call in run.calls)}",
    }


def pair(values: list[float]) -> str:
    return f"{percentile(values, 50):.1f} / {percentile(values, 99):.1f}" if values else ""


def extreme(errors: list[float | None], of: type[min] | type[max]) -> str:  # type: ignore[valid-type]
    known = [error for error in errors if error is not None]
    return f"{of(known):+.0f}" if known else ""


def callers_lateness(run: Run) -> str:
    p50 = float(np.median([call.report.lateness.p50_ms for call in run.calls]))
    return f"{p50:.1f} / {max(call.report.lateness.p99_ms for call in run.calls):.1f}"


def print_table(title: str, runs: dict[str, Run]) -> None:
    print(f"\n{title:<50}" + "".join(f"{name:>16}" for name in runs))
    columns = [figures(run, runs.get("relay")) for run in runs.values()]
    for row in columns[0]:
        print(f"{row:<50}" + "".join(f"{column[row]:>16}" for column in columns), flush=True)


def main(options: argparse.Namespace) -> None:
    least_ms = max(0.0, options.delay - options.jitter)
    network = f", {options.delay:g} +- {options.jitter:g} ms" if options.delay else ""
    with StandIn(LONG_ANSWER_MS if options.barge_ins else ANSWER_MS) as stand_in:
        for calls in options.calls:
            lines = [Line(delay_ms=least_ms, jitter_ms=2 * options.jitter, seed=index) for index in range(calls)]
            runs: dict[str, list[Run]] = {name: [] for name in options.services}
            for name in options.services * options.rounds:
                scripts = [script(options, calls, index) for index in range(calls)]
                runs[name].append(asyncio.run(measure(name, stand_in, scripts, lines)))
            joined = {name: Run.joined(rounds) for name, rounds in runs.items()}
            print_table(f"{calls} calls at once{network}", joined)


def script(options: argparse.Namespace, calls: int, index: int) -> list[Step]:
    """What the caller with this number does."""
    return barge_ins(-(-options.barge_ins // calls), index) if options.barge_ins else conversation(options.seconds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, nargs="+", default=[1, 10, 30])
    parser.add_argument("--seconds", type=float, default=36.0, help="how long each call is, roughly")
    parser.add_argument("--services", nargs="+", choices=SERVICES, default=list(SERVICES))
    parser.add_argument(
        "--rounds", type=int, default=1, help="how often each service has its turn; a noisy machine needs more"
    )
    parser.add_argument("--barge-ins", type=int, default=0, help="interrupt only: so many times over all calls")
    parser.add_argument("--delay", type=float, default=0.0, help="of the network to the carrier, ms each way")
    parser.add_argument("--jitter", type=float, default=0.0, help="how much more or less than that, ms")
    main(parser.parse_args())
