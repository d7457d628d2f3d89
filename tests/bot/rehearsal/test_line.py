import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rehearsal.line import CallerLeg, Direction, Line
from bot.rehearsal.wire import Wire

ms = st.floats(0, 500)


@given(st.builds(Line, delay_ms=ms, jitter_ms=ms, seed=st.integers(0, 99)), st.lists(st.floats(0, 1), max_size=50))
def test_messages_are_late_but_never_overtake_each_other(line, pauses_s):
    direction, now, arrivals = Direction(line, "uplink"), 0.0, []
    for pause_s in pauses_s:
        now += pause_s
        arrivals.append(direction.arrival(now))
        assert arrivals[-1] >= now + line.delay_ms / 1000
    assert arrivals == sorted(arrivals)


def test_a_message_waits_no_longer_than_delay_and_jitter_when_nothing_is_ahead_of_it():
    direction = Direction(Line(delay_ms=50, jitter_ms=30), "uplink")
    late_ms = [(direction.arrival(second) - second) * 1000 for second in range(1000)]
    assert 50 <= min(late_ms) < 52
    assert 78 < max(late_ms) <= 80.001


def copies(line: Line) -> list[int]:
    leg = CallerLeg(line)
    return [leg.copies() for _ in range(5000)]


def test_frames_are_lost_and_doubled_as_often_as_asked():
    drawn = copies(Line(loss=0.1, duplicate=0.05))
    assert drawn.count(0) == pytest.approx(500, abs=80)
    assert drawn.count(2) == pytest.approx(250, abs=60)
    assert set(copies(Line())) == {1}


def test_the_same_seed_brings_the_same_luck():
    assert copies(Line(loss=0.3, seed=1)) == copies(Line(loss=0.3, seed=1)) != copies(Line(loss=0.3, seed=2))


@pytest.mark.parametrize(
    "nonsense", [{"delay_ms": -1}, {"loss": 1.1}, {"loss": 0.6, "duplicate": 0.6}, {"close_after_ms": -5}]
)
def test_a_line_that_cannot_be_is_refused(nonsense):
    with pytest.raises(ValueError, match="line"):
        Line(**nonsense)


async def test_a_wire_delivers_everything_in_order_and_on_time():
    loop, arrived = asyncio.get_running_loop(), []

    async def deliver(item: int) -> None:
        arrived.append((item, loop.time()))

    wire = Wire(Direction(Line(delay_ms=30, jitter_ms=30), "downlink"), deliver)
    carrying = asyncio.create_task(wire.run())
    sent_at = loop.time()
    for item in range(20):
        wire.send(item)
    await wire.drain()
    carrying.cancel()
    assert [item for item, _ in arrived] == list(range(20))
    assert arrived[0][1] - sent_at >= 0.03
