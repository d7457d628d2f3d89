"""How long a caller waits on this machine with the local models, no account: whole calls, measured at the caller's ear.

From the caller's last sound to the reply's first one, hangover included; and from the stream's start to the greeting.
The table beside it says where the time goes, as the call log has it.

    python benchmarks/voice_to_voice.py --calls 4
"""

import argparse
import asyncio
import statistics
import tempfile
from collections import defaultdict

import numpy as np

from bot import logs
from bot.calllog.records import Record, TurnRecord
from bot.config import Config, LogConfig, StorageConfig
from bot.rehearsal.caller import HangUp, Say, ScriptedCaller, Step, WaitForReply
from bot.rehearsal.stage import stage
from bot.rehearsal.studio import CallerVoice
from bot.rehearsal.twilio import place_call

QUESTIONS = (
    "What are your opening hours?",
    "How much does a bike service cost?",
    "Do you have Trek bikes?",
    "Is there any parking near the shop?",
    "How long does a repair take?",
    "Can I pay with a credit card?",
    "Do you rent bikes by the day?",
)
PARTS = ("endpointing_ms", "transcription_ms", "response_ms", "synthesis_ms", "reply_ms")


async def measure(calls: int, at_once: int) -> None:
    logs.configure(LogConfig(level="error"))
    parts: dict[str, list[int]] = defaultdict(list)

    def watch(record: Record) -> None:
        if isinstance(record, TurnRecord) and record.reply_ms is not None and record.ended_ms is not None:
            for name in PARTS:
                if (value := getattr(record, name)) is not None:
                    parts[name].append(value)

    delays: list[float] = []
    greetings: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        storage = StorageConfig(database=f"sqlite+aiosqlite:///{folder}/log.db", recordings=f"{folder}/recordings")
        async with stage(Config(storage=storage)) as there:
            voice = CallerVoice(there.speaker)
            questions = [Say(await voice.say(text), text) for text in QUESTIONS]
            with there.service.feed.watched_by(watch):
                for batch in range(0, calls, at_once):
                    reports = await asyncio.gather(
                        *(
                            place_call(
                                there.url,
                                ScriptedCaller(script(questions, batch + index), noise_dbfs=-65.0),
                                auth_token=there.auth_token,
                                account_sid=there.account_sid,
                                api=there.api,
                            )
                            for index in range(min(at_once, calls - batch))
                        )
                    )
                    for report in reports:
                        delays += report.reply_delays_ms
                        greetings.append(report.greeting_ms or float("nan"))
                await there.service.supervisor.empty()
    print(f"{calls} calls, {at_once} at a time, {len(delays)} replies, at the caller's ear:")
    print(f"  caller's last sound to reply's first   p50 {pick(delays, 50):.0f} ms   p95 {pick(delays, 95):.0f} ms")
    print(f"  stream's start to greeting             p50 {pick(greetings, 50):.0f} ms   max {max(greetings):.0f} ms")
    print("as the call log has it, medians:")
    for name in PARTS:
        print(f"  {name:<20}{statistics.median(parts[name]):>8.0f}")


def script(questions: list[Say], offset: int) -> list[Step]:
    """Greeting, then every question, beginning with another one in each call."""
    steps: list[Step] = [WaitForReply()]
    for index in range(len(questions)):
        steps += [questions[(offset + index) % len(questions)], WaitForReply()]
    return [*steps, HangUp()]


def pick(values: list[float], percent: float) -> float:
    return float(np.percentile(values, percent))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=2)
    parser.add_argument("--at-once", type=int, default=1)
    options = parser.parse_args()
    asyncio.run(measure(options.calls, options.at_once))
