"""Some weeks of plausible calls: three bots, busy mornings, quiet Sundays, a bad day, messages that nobody has read."""

import random
from datetime import UTC, datetime, timedelta

from bot.calllog.records import TimelineEvent
from bot.calllog.store import CallLog
from tests.support import calls

BOTS = (("reception", 60), ("bookings", 28), ("night desk", 12))
ENDS = (("caller_hung_up", 70), ("bot_hung_up", 16), ("transferred", 9), ("idle", 4), ("voice_failed", 1))
BUSY = (1, 1, 1, 1, 1, 2, 4, 9, 18, 22, 20, 16, 13, 16, 18, 15, 13, 10, 7, 5, 4, 3, 2, 1)
HOURS = tuple(enumerate(BUSY))
_BAD_DAY = 4
"""So many days ago replies were slow and an engine failed more often."""


async def write_weeks(database: str, days: int = 60, *, until: datetime | None = None) -> int:
    """Write the calls of the last `days` before `until` (now); how many there are."""
    log = await CallLog.open(database)
    now = (until or datetime.now(UTC)).replace(microsecond=0)
    chance = random.Random(7)
    written = 0
    try:
        for day in range(days):
            midnight = (now - timedelta(days=day)).replace(hour=0, minute=0, second=0)
            for _ in range(_calls_on(midnight, days - day, chance)):
                at = midnight + timedelta(hours=_pick(HOURS, chance), seconds=chance.randrange(3600))
                if at < now - timedelta(minutes=10):
                    _write_call(log, f"call-{written:05}", at, chance, is_bad=day == _BAD_DAY)
                    written += 1
            await log.flush()
    finally:
        await log.close()
    return written


def _calls_on(day: datetime, age: int, chance: random.Random) -> int:
    """More each week, fewer at weekends."""
    share = {5: 0.5, 6: 0.2}.get(day.weekday(), 1.0)
    return round((16 + age * 0.12) * share * chance.uniform(0.8, 1.2))


def _write_call(log: CallLog, call_id: str, at: datetime, chance: random.Random, *, is_bad: bool) -> None:
    duration_ms = round(chance.lognormvariate(11.2, 0.6))
    typical_ms = round(chance.lognormvariate(6.7, 0.18) * (1.7 if is_bad else 1))
    slow_ms = round(typical_ms * chance.uniform(1.2, 1.9))
    end_reason = "voice_failed" if is_bad and chance.random() < 0.15 else _pick(ENDS, chance)
    turns = max(2, duration_ms // 9000)
    number = f"+1555{chance.randrange(10**7):07}"
    log.write(calls.started(call_id, started_at=at, bot=_pick(BOTS, chance), from_number=number))
    log.write(calls.turn(call_id, 0, kind="greeting", text="Good day.", heard_text="Good day."))
    log.write(calls.turn(call_id, 1, role="caller", kind="speech", text="When are you open?", heard_text=None))
    log.write(calls.turn(call_id, 2, text="From nine to six.", heard_text="From nine to six.", reply_ms=slow_ms))
    log.write(TimelineEvent(call_id, 100, "tokens_used", {"cost_usd": duration_ms * 2.1e-7}))
    if chance.random() < 0.03:
        log.write(calls.message(call_id))
    log.write(
        calls.ended(
            call_id, ended_at=at + timedelta(milliseconds=duration_ms), duration_ms=duration_ms, end_reason=end_reason,
            turns=turns, interruptions=min(turns, round(chance.expovariate(1.6))), reply_p50_ms=typical_ms,
            reply_p95_ms=slow_ms,
        )
    )  # fmt: skip


def _pick(choices: tuple[tuple[object, int], ...], chance: random.Random):
    names, weights = zip(*choices, strict=True)
    return chance.choices(names, weights)[0]
