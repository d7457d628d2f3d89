"""A deleted call is gone with its files and words; what stays says that it was deleted. Old calls go by themselves."""

from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select, text

from bot.calllog import deletion, leases, schema, search_entries
from bot.calllog.filters import CallFilter
from bot.calllog.records import TimelineEvent
from bot.calllog.store import CallLog
from bot.calllog.upkeep import Upkeep, delete_now
from tests.support.calls import NOON, ended, message, recording, started, turn

CHILDREN = ("turns", "events", "messages", "recordings", "call_words", "call_tags", "reviews")


async def write(log, *records):
    for record in records:
        log.write(record)
    await log.flush()


async def write_call(log, call_id, path, **changes):
    path.write_bytes(b"RIFF")
    await write(
        log,
        started(call_id, **changes),
        turn(call_id, text=f"secret{call_id} hello", heard_text=f"secret{call_id} hello"),
        *(TimelineEvent(call_id, at, "mark") for at in range(20)),
        message(call_id),
        recording(call_id, path=str(path)),
        ended(call_id),
    )


async def ask(log, call_id, by="ann", why="the caller asked"):
    async with log.writing() as connection:
        return await deletion.ask(connection, call_id, by, why, NOON)


async def pending(log):
    async with log.writing() as connection:
        return await deletion.pending(connection)


async def rows_of(log, row):
    async with log.writing() as connection:
        return {
            name: (
                await connection.execute(select(func.count()).where(schema.metadata.tables[name].c.call_row == row))
            ).scalar_one()
            for name in CHILDREN
        }


async def listed(log, **filters):
    return [call.call_id for call in await log.list_calls(CallFilter(**filters))]


async def test_a_deleted_call_leaves_nothing_but_a_note(log, tmp_path, monkeypatch):
    monkeypatch.setattr(deletion, "_EVENTS_AT_ONCE", 7)
    await write_call(log, "a", tmp_path / "a.wav")
    await write_call(log, "b", tmp_path / "b.wav")
    assert await ask(log, "a") == "hidden"
    [(row, call_id)] = (await pending(log)).items()
    assert await delete_now(log, row, call_id, NOON + timedelta(seconds=1))

    assert await log.get_call("a") is None
    assert not (tmp_path / "a.wav").exists()
    assert await rows_of(log, row) == dict.fromkeys(CHILDREN, 0)
    assert await listed(log) == await listed(log, text="hello") == ["b"]
    assert await listed(log, text="secreta") == []
    async with log.writing() as connection:
        note = await deletion.find(connection, "a")
        words = (await connection.execute(select(schema.said_words.c.word))).scalars().all()
    assert (note.by, note.why, note.asked_at) == ("ann", "the caller asked", NOON)
    assert note.done_at == NOON + timedelta(seconds=1)
    assert "secreta" not in words
    assert (tmp_path / "b.wav").exists()


async def test_a_call_is_out_of_sight_the_moment_it_is_to_go(log, tmp_path):
    await write_call(log, "a", tmp_path / "a.wav")
    assert await ask(log, "a") == "hidden"
    assert await log.get_call("a") is None
    assert await listed(log) == await listed(log, text="hello") == await listed(log, bot="reception") == []
    assert await listed(log, number="+15550001111") == await listed(log, verdict="none") == []
    assert await ask(log, "a") == "absent"


async def test_a_process_that_died_half_way_is_taken_over_from(url, tmp_path):
    log = await CallLog.open(url)
    for name in ("hidden", "without-file", "kept"):
        await write_call(log, name, tmp_path / f"{name}.wav")
    for name in ("hidden", "without-file"):
        assert await ask(log, name) == "hidden"
    (tmp_path / "without-file.wav").unlink()
    await log.close()

    log = await CallLog.open(url)
    await write(log, turn("hidden", 9, text="late words"))  # which do not bring it back
    await Upkeep(log, {}).once(NOON)
    assert await pending(log) == {}
    assert await listed(log) == ["kept"]
    assert [path.name for path in tmp_path.glob("*.wav")] == ["kept.wav"]
    await log.close()


async def test_a_file_that_cannot_be_removed_keeps_its_call_waiting_and_no_other(log, tmp_path):
    await write_call(log, "a", tmp_path / "a.wav")
    await write_call(log, "b", tmp_path / "b.wav")
    (tmp_path / "a.wav").unlink()
    (tmp_path / "a.wav").mkdir()
    await ask(log, "a")
    await ask(log, "b")
    await Upkeep(log, {}).once(NOON)
    assert list((await pending(log)).values()) == ["a"]
    (tmp_path / "a.wav").rmdir()
    await Upkeep(log, {}).once(NOON)
    assert await pending(log) == {}


async def test_a_live_call_is_not_deleted(log):
    await write(log, started())
    assert await ask(log, "call-1") == "live"
    assert await listed(log) == ["call-1"]


async def test_calls_go_when_their_bot_keeps_them_no_longer(log, tmp_path):
    await write_call(log, "old", tmp_path / "old.wav", started_at=NOON - timedelta(days=31))
    await write_call(log, "young", tmp_path / "young.wav", started_at=NOON - timedelta(days=29))
    await write_call(log, "other", tmp_path / "other.wav", started_at=NOON - timedelta(days=31), bot="other")
    await write(log, started("live", started_at=NOON - timedelta(days=31)))
    await Upkeep(log, {"reception": timedelta(days=30)}).once(NOON)
    assert sorted(await listed(log)) == ["live", "other", "young"]
    assert not (tmp_path / "old.wav").exists()
    async with log.writing() as connection:
        note = await deletion.find(connection, "old")
    assert (note.by, note.why) == ("retention", "older than keep_days")


async def test_one_process_at_a_time_does_the_upkeep(url, tmp_path):
    first, second = await CallLog.open(url), await CallLog.open(url)
    await write_call(first, "a", tmp_path / "a.wav")
    await ask(first, "a")
    async with first.writing() as connection:
        assert await leases.take(connection, "upkeep", first.run)
    await Upkeep(second, {}).once(NOON)
    assert list((await pending(second)).values()) == ["a"]
    async with first.writing() as connection:
        await leases.give_up(connection, "upkeep", first.run)
    await Upkeep(second, {}).once(NOON)
    assert await pending(second) == {}
    await first.close()
    await second.close()


async def test_the_lease_of_a_dead_process_runs_out(log):
    async with log.writing() as connection:
        await connection.execute(
            insert(schema.leases).values(name="upkeep", run=10**6, until=NOON - timedelta(days=10**4))
        )
        assert await leases.take(connection, "upkeep", log.run)
        assert not await leases.take(connection, "upkeep", 10**6)


@pytest.mark.parametrize("calls", [3, 120])
async def test_calls_of_an_older_offhook_become_searchable(log, calls):
    for number in range(calls):
        log.write(started(f"call-{number}"))
        log.write(turn(f"call-{number}", text="hello", heard_text="hello"))
        log.write(ended(f"call-{number}"))
    await log.flush()
    async with log.writing() as connection:  # as the migration leaves them
        rows = (await connection.execute(select(schema.calls.c.id))).scalars().all()
        await search_entries.forget(connection, rows)
        await connection.execute(text("UPDATE calls SET index_version = 0, flags = NULL, tools = NULL"))
    assert await listed(log, text="hello") == []
    assert len(await listed(log, verdict="none", bot="reception")) == min(calls, 50)  # slower, and right
    await Upkeep(log, {}).once(NOON)
    assert await log.count_calls(CallFilter(text="hello")) == (calls, True)
    assert await log.count_calls(CallFilter(bot="reception", has_unread_message=False)) == (calls, True)


async def test_a_call_that_was_deleted_by_hand_leaves_the_search_with_the_next_upkeep(tmp_path):
    log = await CallLog.open(f"sqlite:///{tmp_path}/calls.db")
    await write_call(log, "a", tmp_path / "a.wav")
    async with log.writing() as connection:
        await connection.execute(text("DELETE FROM calls"))
        assert (await connection.execute(text("SELECT count(*) FROM call_search('secreta')"))).scalar_one() == 1
    assert await listed(log, text="secreta") == []
    await Upkeep(log, {}).once(NOON)
    async with log.writing() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM call_search('secreta')"))).scalar_one() == 0
        await connection.execute(text("INSERT INTO call_search (call_search) VALUES ('integrity-check')"))
    await log.close()
