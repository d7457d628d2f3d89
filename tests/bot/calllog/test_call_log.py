"""What is written of a call can be read back, whatever the caller sent and whatever happens to the database."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import event, text

from bot.calllog.filters import CallFilter
from bot.calllog.records import TimelineEvent
from bot.calllog.schema import TOP
from bot.calllog.store import CallLog
from bot.errors import StoreError
from tests.support.calls import NOON, ended, message, recording, started, turn
from tests.support.postgres import PostgresServer

from .conftest import emptied


async def test_a_call_is_read_back_as_it_was_written(log):
    said = turn(index=0, role="caller", kind="speech", text="When are you open?", heard_text=None, ended_ms=900)
    answered = turn(index=1, heard_text="We are", interrupted=True, generated_ms=900, sent_ms=700, heard_ms=300)
    timed = turn(index=2, endpointing_ms=1, transcription_ms=2, response_ms=3, synthesis_ms=4, reply_ms=10)
    happened = [TimelineEvent("call-1", 5, "mark", {"name": "m1"}), TimelineEvent("call-1", 6, "clear")]
    for record in (started(config={"language": "en"}), said, *happened, answered, timed, message(), recording()):
        log.write(record)
    log.write(ended(counters={"frames_in": 600}))
    await log.flush()

    detail = await log.get_call("call-1")
    assert detail.turns == [said, answered, timed]
    assert detail.events == happened
    assert detail.recordings == [recording()]
    assert [(left.text, left.read_at) for left in detail.messages] == [("Please call me back.", None)]
    assert (detail.config, detail.counters) == ({"language": "en"}, {"frames_in": 600})
    assert (detail.call.started_at, detail.call.ended_at) == (NOON, NOON + timedelta(seconds=12))
    assert (detail.call.end_reason, detail.call.reply_p50_ms, detail.call.turns) == ("caller_hung_up", 700, 2)


async def test_a_call_that_is_not_there_is_none(log):
    assert await log.get_call("nobody\0") is None


async def test_a_turn_written_again_replaces_what_was_known_of_it(log):
    log.write(started())
    log.write(turn(heard_text="We"))
    await log.flush()
    log.write(turn(heard_text="We are"))
    log.write(turn(heard_text="We are open."))
    await log.flush()
    assert [said.heard_text for said in (await log.get_call("call-1")).turns] == ["We are open."]


async def test_a_message_transcribed_later_keeps_its_read_mark(log):
    log.write(started())
    log.write(message(text=""))
    await log.flush()
    [untranscribed] = (await log.get_call("call-1")).messages
    assert await log.mark_message_read(untranscribed.message_id)
    log.write(message(text="Call me."))
    await log.flush()
    [transcribed] = (await log.get_call("call-1")).messages
    assert transcribed.text == "Call me."
    assert transcribed.read_at is not None
    assert (await log.list_calls())[0].unread_messages == 0


async def test_a_message_that_is_not_there_cannot_be_marked(log):
    assert not await log.mark_message_read(404)


async def test_what_is_written_after_the_end_still_belongs_to_the_call(log):
    log.write(started())
    log.write(ended())
    await log.flush()
    log.write(recording(duration_ms=12_020))
    log.write(TimelineEvent("call-1", 12_020, "recording_closed"))
    await log.flush()
    detail = await log.get_call("call-1")
    assert (detail.recordings[0].duration_ms, detail.events[0].kind) == (12_020, "recording_closed")


async def test_events_of_one_moment_keep_their_order(log):
    log.write(started())
    kinds = [f"kind-{number}" for number in range(300)]
    for kind in kinds:
        log.write(TimelineEvent("call-1", 20, kind))
    await log.flush()
    assert [event.kind for event in (await log.get_call("call-1")).events] == kinds


async def test_records_of_a_call_that_never_started_harm_no_other(log):
    log.write(turn("stranger"))
    log.write(started())
    log.write(turn())
    await log.flush()
    assert await log.get_call("stranger") is None
    assert len((await log.get_call("call-1")).turns) == 1


async def test_a_record_the_database_refuses_is_dropped_alone(log):
    log.write(started())
    for at_ms in (1, 2**80, 3):
        log.write(TimelineEvent("call-1", at_ms, "mark"))
    log.write(TimelineEvent("call-1", 4, "mark", {"not": object()}))
    log.write(turn())
    await log.flush()
    detail = await log.get_call("call-1")
    assert [event.at_ms for event in detail.events] == [1, 3]
    assert len(detail.turns) == 1


HOSTILE = "\0 \ud800 \x1b[31m '; DROP TABLE calls; -- <script> \u202e " + "x" * 100_000


async def test_hostile_text_is_kept_as_text(log):
    log.write(started(from_number=HOSTILE, carrier_call_id=HOSTILE, config={HOSTILE: [HOSTILE]}))
    log.write(turn(text=HOSTILE))
    log.write(TimelineEvent("call-1", 1, HOSTILE, {"said": HOSTILE}))
    log.write(message(text=HOSTILE, from_number=HOSTILE))
    await log.flush()
    detail = await log.get_call("call-1")
    expected = HOSTILE.replace("\0", "\ufffd").replace("\ud800", "\ufffd")
    assert detail.turns[0].text == detail.events[0].data["said"] == detail.messages[0].text == expected
    assert detail.config == {expected: [expected]}
    assert expected.startswith(detail.call.from_number)
    assert [call.call_id for call in await log.list_calls(CallFilter(number=HOSTILE))] == ["call-1"]


async def write_calls(log, *calls):
    for call in calls:
        log.write(call)
    await log.flush()


async def test_pages_hold_every_call_once_even_while_new_ones_come_in(log):
    same_moment = [started(f"call-{number}", started_at=NOON) for number in range(5)]
    later = [started(f"later-{number}", started_at=NOON + timedelta(seconds=number)) for number in range(1, 5)]
    await write_calls(log, *same_moment, *later)
    seen, before = [], TOP
    while page := await log.list_calls(limit=2, before=before):
        seen += [call.call_id for call in page]
        before = page[-1].place
        await write_calls(log, started(f"new-{len(seen)}", started_at=NOON + timedelta(hours=1)))
    newest_first = ["later-4", "later-3", "later-2", "later-1", "call-4", "call-3", "call-2", "call-1", "call-0"]
    assert seen == newest_first
    of_one_number = CallFilter(number="+15550001111", until=NOON + timedelta(hours=1))
    assert [call.call_id async for call in log.iter_calls(of_one_number)] == newest_first
    assert [call.call_id async for call in log.iter_calls(CallFilter(until=NOON + timedelta(hours=1)))] == newest_first


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (CallFilter(bot="sales"), ["sales"]),
        (CallFilter(carrier="telnyx"), ["telnyx"]),
        (CallFilter(end_reason="idle"), ["idle"]),
        (CallFilter(is_live=True), ["live"]),
        (CallFilter(has_unread_message=True), ["message"]),
        (CallFilter(number="+17770000000"), ["sales"]),
        (CallFilter(number="+15559998888"), ["telnyx"]),
        (CallFilter(number="sip:bob@example.com"), ["idle"]),
        (CallFilter(number="+1777"), []),
        (CallFilter(number="+15550002222", bot="other", is_live=True), ["live"]),
        (CallFilter(number_part="777"), ["sales"]),
        (CallFilter(number_part="8888"), ["telnyx"]),
        (CallFilter(number_part="%"), []),
        (CallFilter(since=NOON + timedelta(minutes=1), until=NOON + timedelta(minutes=2)), ["message"]),
        (CallFilter(bot="reception", is_live=False, has_unread_message=False), ["telnyx", "idle"]),
    ],
)
async def test_a_filter_finds_just_the_calls_it_means(log, filters, found):
    await write_calls(
        log,
        started("idle", from_number="sip:bob@example.com"),
        started("telnyx", carrier="telnyx", to_number="+15559998888"),
        started("sales", bot="sales", from_number="+17770000000"),
        started("live", bot="other"),
        started("message", bot="other", started_at=NOON + timedelta(minutes=1)),
        message("message"),
        ended("idle", end_reason="idle"),
        *(ended(call_id) for call_id in ("telnyx", "sales", "message")),
    )
    assert [call.call_id for call in await log.list_calls(filters)] == found
    assert [detail.call.call_id async for detail in log.iter_details(filters)] == found


async def test_the_list_is_read_from_an_index_and_never_sorted(tmp_path):
    log = await CallLog.open(f"sqlite:///{tmp_path}/calls.db")
    plans = []

    def explain(connection, _cursor, statement, parameters, *_):
        if statement.startswith(("SELECT calls.id \n", "SELECT calls.place, calls.id \n")):
            plan = connection.connection.cursor()
            plan.execute("EXPLAIN QUERY PLAN " + statement, parameters)
            plans.append(" / ".join(row[3] for row in plan.fetchall()))

    event.listen(log._engine.sync_engine, "before_cursor_execute", explain)
    for filters in (CallFilter(), CallFilter(bot="x"), CallFilter(is_live=True), CallFilter(since=NOON)):
        await log.list_calls(filters)
    await log.close()
    assert len(plans) == 4
    assert all("INDEX ix_calls_" in plan and "TEMP B-TREE" not in plan for plan in plans), plans


async def test_closing_writes_what_waits_and_ends_writing(url):
    log = await CallLog.open(url)
    log.write(started())
    await log.close()
    await log.close()
    with pytest.raises(StoreError, match="closed"):
        log.write(turn())
    again = await CallLog.open(url)
    assert (await again.get_call("call-1")).call.end_reason == "interrupted"  # closed on a call that went on
    assert again.interrupted == 1
    await again.close()


async def test_a_batch_written_twice_is_stored_once(log):
    """As after a commit whose answer was lost."""
    batch = list(enumerate([started(), turn(), TimelineEvent("call-1", 1, "mark"), message(), recording(), ended()]))
    await log._save(batch)
    await log._save(batch)
    detail = await log.get_call("call-1")
    assert (len(detail.turns), len(detail.events), len(detail.messages), len(detail.recordings)) == (1, 1, 1, 1)


async def test_the_log_goes_on_when_the_server_comes_back(postgres: PostgresServer):
    log = await CallLog.open(await emptied(postgres))
    log.write(started())
    await log.flush()
    await asyncio.to_thread(postgres.stop)
    log.write(turn())
    with pytest.raises(StoreError, match="Check that the server runs"):
        await log.flush()
    with pytest.raises(StoreError, match="Check that the server runs"):
        await log.list_calls()
    await asyncio.to_thread(postgres.start)
    log.write(turn(index=1))
    await log.flush()
    assert len((await log.get_call("call-1")).turns) == 2
    await log.close()


async def test_what_could_not_be_written_before_closing_is_an_error(postgres: PostgresServer):
    log = await CallLog.open(await emptied(postgres))
    await asyncio.to_thread(postgres.stop)
    log.write(started())
    with pytest.raises(StoreError, match="1 records unwritten"):
        await log.close()
    await asyncio.to_thread(postgres.start)


async def test_sqlite_is_set_up_for_readers_beside_the_writer(tmp_path):
    log = await CallLog.open(f"sqlite+aiosqlite:///{tmp_path}/calls.db")
    async with log._engine.connect() as connection:
        settings = {
            name: (await connection.execute(text(f"PRAGMA {name}"))).scalar_one()
            for name in ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")
        }
    await log.close()
    assert settings == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 5000, "synchronous": 1}
