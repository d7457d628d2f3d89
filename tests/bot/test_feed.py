from bot.calllog.records import Record, TimelineEvent
from bot.feed import Feed


class Log:
    """A call log that only remembers."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.flushes = 0

    def write(self, record: Record) -> None:
        self.records.append(record)

    async def flush(self) -> None:
        self.flushes += 1


def event(at_ms: int) -> Record:
    return TimelineEvent("c1", at_ms, "stream_started", {})


def test_every_record_goes_into_the_call_log_watched_or_not():
    log, seen = Log(), []
    feed = Feed(log)
    feed.write(event(1))
    with feed.watched_by(seen.append):
        feed.write(event(2))
        feed.write(event(3))
    feed.write(event(4))
    assert log.records == [event(at_ms) for at_ms in (1, 2, 3, 4)]
    assert seen == [event(2), event(3)]


def test_each_watcher_sees_every_record_while_it_watches():
    feed, long, short = Feed(Log()), [], []
    with feed.watched_by(long.append):
        feed.write(event(1))
        with feed.watched_by(short.append):
            feed.write(event(2))
        feed.write(event(3))
    assert (long, short) == ([event(1), event(2), event(3)], [event(2)])


def test_a_watcher_that_ends_by_a_crash_watches_no_longer():
    feed, seen = Feed(Log()), []
    try:
        with feed.watched_by(seen.append):
            raise ValueError("a bug of whoever watches")
    except ValueError:
        feed.write(event(1))
    assert seen == []


async def test_flushing_waits_for_the_call_log():
    log = Log()
    await Feed(log).flush()
    assert log.flushes == 1
