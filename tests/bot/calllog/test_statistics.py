"""What the calls of a period come to."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from bot.calllog import database
from bot.calllog.periods import RANGES, period_of
from bot.calllog.schema import calls
from bot.calllog.statistics import Figures, count_period, statistics_of
from bot.calllog.store import CallLog
from tests.support.calls import NOON, ended, started

DAY = timedelta(days=1)


async def figures(log, url, range_="7d", now=NOON, bot=None):
    await log.flush()
    engine = database.create_engine(database.parse_url(url))
    period = period_of(range_, now)
    try:
        async with engine.connect() as connection:
            now_counted = await count_period(connection, period, bot)
            before = await count_period(connection, period.before, bot, with_delays_by_bot=False)
    finally:
        await engine.dispose()
    return statistics_of(period, bot, now_counted, before)


def write(log, call_id, at, bot="reception", **end):
    log.write(started(call_id, started_at=at, bot=bot))
    log.write(ended(call_id, ended_at=at + timedelta(seconds=12), **end))


@pytest.mark.parametrize("range_", RANGES)
def test_a_period_is_compared_with_one_just_as_long(range_):
    now = datetime(2026, 11, 20, 12, 34, 56, tzinfo=UTC)
    period = period_of(range_, now)
    assert period.begins[-1] <= now < period.begins[-1] + period.step
    assert len(period.begins) == period.slots
    assert period.until - period.since == period.before.until - period.before.since
    assert period.before.since + period.step * period.slots == period.since


def test_days_are_those_of_utc():
    period = period_of("7d", datetime.fromisoformat("2026-11-21T00:30+01:00"))
    assert period.begins[-1] == datetime(2026, 11, 20, tzinfo=UTC)


async def test_calls_are_counted_by_slot_bot_and_end_reason(log, url):
    write(log, "today", NOON - timedelta(minutes=1), interruptions=3)
    write(log, "also today", NOON - timedelta(hours=11), bot="sales", end_reason="idle", duration_ms=60_000)
    write(log, "six days ago", NOON - 6 * DAY)
    write(log, "the week before", NOON - 7 * DAY - timedelta(minutes=1), end_reason="transferred")
    write(log, "a week ago, later on the day", NOON - 7 * DAY + timedelta(minutes=1))
    write(log, "too long ago", NOON - 14 * DAY)
    found = await figures(log, url)
    assert (found.figures.calls, found.before.calls) == (3, 1)
    assert [slot.figures.calls for slot in found.slots] == [1, 0, 0, 0, 0, 0, 2]
    assert found.slots[-1].figures.duration_ms == 72_000
    assert found.slots[-1].figures.interruptions == 4
    assert [(bot.bot, bot.figures.calls, bot.calls_before, bot.calls_by_slot) for bot in found.bots] == [
        ("reception", 2, 1, [1, 0, 0, 0, 0, 0, 1]),
        ("sales", 1, 0, [0, 0, 0, 0, 0, 0, 1]),
    ]
    assert [(reason.end_reason, reason.calls, reason.calls_before) for reason in found.end_reasons] == [
        ("caller_hung_up", 2, 0),
        ("idle", 1, 0),
        ("transferred", 0, 1),
    ]
    assert (await figures(log, url, bot="sales")).figures.calls == 1
    assert (await figures(log, url, bot="nobody")).figures == Figures()


async def test_the_last_day_is_told_by_the_hour(log, url):
    write(log, "this hour", NOON)
    write(log, "an hour ago", NOON - timedelta(minutes=1))
    found = await figures(log, url, "24h", NOON + timedelta(minutes=5))
    assert [slot.figures.calls for slot in found.slots] == [0] * 22 + [1, 1]
    assert found.slots[-1].begins_at == NOON


async def test_a_live_call_counts_and_has_no_end_yet(log, url):
    log.write(started("live", started_at=NOON - timedelta(minutes=1)))
    found = await figures(log, url)
    assert found.figures == Figures(calls=1)
    assert found.end_reasons == []


async def test_the_delay_of_many_calls_is_that_of_the_middle_one(log, url):
    for number, delay in enumerate((300, 400, 812, 3_000, 30_000)):
        write(log, f"call {number}", NOON - DAY, reply_p50_ms=delay, reply_p95_ms=5 * delay)
    write(log, "nobody answered", NOON - DAY, reply_p50_ms=None, reply_p95_ms=None)
    found = await figures(log, url)
    assert found.figures.reply_p50_ms == 810  # the middle of 800 to 819
    assert found.figures.reply_p95_ms == 4_050
    assert found.slots[-1].figures.reply_p50_ms is None


async def test_what_has_no_price_is_not_free(log, url):
    write(log, "unpriced", NOON - DAY)
    assert (await figures(log, url)).figures.cost_microdollars is None
    async with log.writing() as connection:
        await connection.execute(calls.update().values(cost_microdollars=0))
    assert (await figures(log, url)).figures.cost_microdollars == 0


async def test_sqlite_reads_one_index_and_no_row(tmp_path):
    url = f"sqlite+aiosqlite:///{tmp_path}/log.db"
    await (await CallLog.open(url)).close()
    engine = database.create_engine(database.parse_url(url))
    asked = []
    async with engine.connect() as connection:
        event.listen(
            connection.sync_connection, "before_cursor_execute", lambda *call: asked.append((call[2], call[3]))
        )
        await count_period(connection, period_of("28d", NOON))
        queries = [(f"EXPLAIN QUERY PLAN {sql}", values) for sql, values in asked if sql.startswith("SELECT")]
        plans = [str((await connection.exec_driver_sql(*query)).all()) for query in queries]
    await engine.dispose()
    assert len(plans) == 3
    assert all("COVERING INDEX ix_calls_figures" in plan for plan in plans), plans
