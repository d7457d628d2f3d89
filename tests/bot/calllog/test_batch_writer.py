"""Between the event loop and a database that may be slow, fail, or come back."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from bot.calllog.records import TimelineEvent
from bot.calllog.writer import BATCH_S, BatchWriter
from bot.errors import StoreError
from tests.support.calls import ended, started, turn


class Store:
    """Saves in memory, or fails for as long as it is told to."""

    def __init__(self):
        self.batches = []
        self.works = True
        self.failed = asyncio.Event()
        self.saved = asyncio.Event()

    async def save(self, batch):
        if not self.works:
            self.failed.set()
            raise StoreError("the disk is full")
        self.batches.append([record for _, record in batch])
        self.saved.set()


@asynccontextmanager
async def writing(store, **settings):
    writer = BatchWriter(store.save, **settings)
    yield writer
    await writer.stop()


def event(at_ms):
    return TimelineEvent("call-1", at_ms, "mark")


async def test_what_has_gathered_is_saved_at_once_and_in_order():
    store = Store()
    records = [started(), turn(), *(event(at_ms) for at_ms in range(100)), ended()]
    async with writing(store) as writer:
        for record in records:
            writer.write(record)
        await writer.flush()
    assert store.batches == [records]


async def test_flushing_nothing_returns_at_once():
    async with writing(Store()) as writer:
        await writer.flush()


async def test_a_flush_waits_for_what_was_written_during_a_save():
    store = Store()
    async with writing(store) as writer:
        writer.write(started())
        first = asyncio.create_task(writer.flush())
        await asyncio.sleep(0)
        writer.write(turn())
        await asyncio.gather(first, writer.flush())
    assert [record for batch in store.batches for record in batch] == [started(), turn()]


async def test_a_flush_says_that_saving_fails_and_nothing_is_lost():
    store = Store()
    store.works = False
    async with writing(store) as writer:
        writer.write(started())
        with pytest.raises(StoreError, match="the disk is full"):
            await writer.flush()
        assert writer.waiting == 1
        store.works = True
        writer.write(turn())
        await writer.flush()
        assert writer.waiting == 0
    assert [record for batch in store.batches for record in batch] == [started(), turn()]


async def test_saving_is_tried_again_by_itself():
    store = Store()
    store.works = False
    async with writing(store) as writer:
        writer.write(started())
        await store.failed.wait()
        store.works = True
        async with asyncio.timeout(5):
            await store.saved.wait()
    assert store.batches == [[started()]]


async def test_a_record_is_saved_a_fraction_of_a_second_later_without_a_flush():
    store = Store()
    async with writing(store) as writer:
        writer.write(started())
        async with asyncio.timeout(BATCH_S + 0.5):
            await store.saved.wait()


async def test_a_full_memory_drops_new_timeline_events_and_nothing_else():
    store = Store()
    store.works = False
    async with writing(store, max_waiting=10) as writer:
        writer.write(started())
        for at_ms in range(50):
            writer.write(event(at_ms))
        writer.write(turn())
        writer.write(ended())
        assert writer.waiting == 12
        assert writer.dropped_events == 41
        store.works = True
        await writer.flush()
        writer.write(event(99))
        await writer.flush()
    saved = [record for batch in store.batches for record in batch]
    assert saved == [started(), *(event(at_ms) for at_ms in range(9)), turn(), ended(), event(99)]
    assert writer.dropped_events == 41


async def test_the_numbers_of_records_stay_the_same_however_often_they_are_tried():
    tried = []

    async def save(batch):
        tried.append([number for number, _ in batch])
        if len(tried) == 1:
            raise StoreError("not yet")

    writer = BatchWriter(save, first_number=7000)
    writer.write(started())
    writer.write(turn())
    with pytest.raises(StoreError):
        await writer.flush()
    writer.write(ended())
    await writer.flush()
    await writer.stop()
    assert tried == [[7000, 7001], [7000, 7001], [7002]]
