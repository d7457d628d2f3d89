"""What reviewers say of a call stands beside it, with who and when, and the list is filtered by it at once."""

from datetime import timedelta

from bot.calllog import reviews
from bot.calllog.filters import CallFilter
from tests.support.calls import NOON, ended, message, started, turn

LATER = NOON + timedelta(hours=1)


async def write(log, *records):
    for record in records:
        log.write(record)
    await log.flush()


async def found(log, **filters):
    return [call.call_id for call in await log.list_calls(CallFilter(**filters))]


async def test_the_latest_verdict_stands_and_the_ones_before_are_history(log):
    await write(log, started(), turn(text="hello", heard_text="hello"), ended())
    for verdict, by, at in (("good", "ann", NOON), ("bad", "bob", LATER), ("bad", "ann", LATER)):
        async with log.writing() as connection:
            assert await reviews.set_verdict(connection, "call-1", verdict, by, at)
    detail = await log.get_call("call-1")
    assert detail.call.verdict == "bad"
    assert [(said.by, said.kind, said.value, said.at) for said in detail.reviews] == [
        ("ann", "verdict", "good", NOON),
        ("bob", "verdict", "bad", LATER),  # who says the same again changes nothing
    ]
    assert await found(log, verdict="bad", text="hello") == ["call-1"]
    assert await found(log, verdict="good") == await found(log, verdict="none") == []


async def test_a_verdict_can_be_taken_back(log):
    await write(log, started(), ended())
    async with log.writing() as connection:
        await reviews.set_verdict(connection, "call-1", "good", "ann", NOON)
        await reviews.set_verdict(connection, "call-1", None, "ann", LATER)
    assert await found(log, verdict="none") == ["call-1"]


async def test_a_live_call_can_be_judged_and_keeps_it(log):
    await write(log, started())
    async with log.writing() as connection:
        await reviews.set_verdict(connection, "call-1", "bad", "ann", NOON)
        assert await reviews.add_tag(connection, "call-1", "angry", "ann", NOON) == "added"
    assert await found(log, verdict="bad", tag="angry") == ["call-1"]
    await write(log, ended())
    assert await found(log, verdict="bad", tag="angry", max_ms=60_000) == ["call-1"]


async def test_tags_come_and_go(log):
    await write(log, started(), ended())
    async with log.writing() as connection:
        for tag in ("Follow up: ärger!", "b", "b"):
            assert await reviews.add_tag(connection, "call-1", tag, "ann", NOON) == "added"
        assert await reviews.used_tags(connection) == ["Follow up: ärger!", "b"]
        assert await reviews.remove_tag(connection, "call-1", "b", "bob", LATER)
        assert await reviews.remove_tag(connection, "call-1", "b", "bob", LATER)
    detail = await log.get_call("call-1")
    assert detail.tags == ["Follow up: ärger!"]
    assert [(said.by, said.kind) for said in detail.reviews] == [
        ("ann", "tag_added"),
        ("ann", "tag_added"),
        ("bob", "tag_removed"),
    ]
    assert await found(log, tag="Follow up: ärger!") == ["call-1"]
    assert await found(log, tag="b") == await found(log, tag="follow up: ärger!") == []


async def test_a_call_has_only_so_many_tags(log):
    await write(log, started(), ended())
    async with log.writing() as connection:
        for number in range(reviews.MAX_TAGS):
            await reviews.add_tag(connection, "call-1", f"tag {number}", "ann", NOON)
        assert await reviews.add_tag(connection, "call-1", "tag 0", "ann", NOON) == "added"
        assert await reviews.add_tag(connection, "call-1", "one more", "ann", NOON) == "full"


async def test_a_note_is_kept_as_it_was_written(log):
    note = "<b>\0 '; DROP TABLE calls; -- \u202e" + "x" * 10_000
    await write(log, started(), ended())
    async with log.writing() as connection:
        assert await reviews.set_note(connection, "call-1", note, "ann", NOON)
    assert (await log.get_call("call-1")).call.note == note.replace("\0", "\ufffd")


async def test_a_message_is_unread_until_somebody_reads_it(log):
    await write(log, started(), message(), ended())
    [left] = (await log.get_call("call-1")).messages
    assert await found(log, has_unread_message=True) == ["call-1"]
    for is_read, unread in ((True, []), (True, []), (False, ["call-1"])):
        async with log.writing() as connection:
            assert await reviews.mark_message(connection, left.message_id, "ann", LATER, is_read=is_read)
        assert await found(log, has_unread_message=True) == unread
    kinds = [said.kind for said in (await log.get_call("call-1")).reviews]
    assert kinds == ["message_read", "message_unread"]


async def test_what_is_not_there_cannot_be_reviewed(log):
    async with log.writing() as connection:
        assert not await reviews.set_verdict(connection, "nobody\0", "good", "ann", NOON)
        assert not await reviews.set_note(connection, "nobody", "", "ann", NOON)
        assert await reviews.add_tag(connection, "nobody", "tag", "ann", NOON) == "absent"
        assert not await reviews.remove_tag(connection, "nobody", "tag", "ann", NOON)
        assert not await reviews.mark_message(connection, 404, "ann", NOON)
