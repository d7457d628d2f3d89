from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.frame import PCMU_8K
from media.playout import Packet, Playout, Position

HALF_A_FRAME = 0.01
"""What arrives at a carrier waits so long, on average, for its next frame to begin."""


def ms(length: int) -> bytes:
    return bytes(8 * length)


def sent_ms(packets: Iterable[Packet]) -> float:
    return sum(len(packet.payload) for packet in packets) / 8


def marks(packets: Iterable[Packet]) -> list[str]:
    """Those behind audio; the one ahead of a run comes back at once."""
    return [packet.mark for packet in packets if packet.mark and packet.payload]


def opening(packets: Iterable[Packet]) -> str:
    [name] = [packet.mark for packet in packets if packet.mark and not packet.payload]
    return name


def test_no_more_than_the_lead_is_sent_ahead_of_the_ear():
    playout = Playout(PCMU_8K, lead_ms=400)
    playout.push("r", ms(5000))
    assert sent_ms(playout.due(0.0)) == 400
    assert playout.due(0.05) == []
    assert sent_ms(playout.due(0.1)) == 100


def test_the_deadline_is_when_a_whole_packet_fits_into_the_lead():
    playout = Playout(PCMU_8K, lead_ms=400, packet_ms=100)
    playout.push("r", ms(5000))
    playout.due(0.0)
    deadline = playout.next_deadline()
    assert deadline == pytest.approx(0.1)
    assert sent_ms(playout.due(deadline)) == 100


def test_following_the_deadlines_plays_a_reply_without_a_gap():
    playout = Playout(PCMU_8K, lead_ms=400)
    playout.push("r", ms(3333))
    playout.finish("r")
    now, sent = 0.0, sent_ms(playout.due(0.0))
    while sent < 3333:
        deadline = playout.next_deadline()
        assert deadline is not None
        assert deadline > now
        assert sent >= deadline * 1000  # the carrier never ran dry
        now = deadline
        sent += sent_ms(playout.due(now))
    assert playout.starved_ms == 0


def test_three_positions_are_known_at_any_moment():
    playout = Playout(PCMU_8K, lead_ms=400)
    playout.push("r", ms(1000))
    playout.due(0.0)
    assert playout.position("r", 0.15 + HALF_A_FRAME) == Position(generated_ms=1000, sent_ms=400, heard_ms=150)


def test_a_clear_keeps_what_the_ear_had_not_heard():
    playout = Playout(PCMU_8K, lead_ms=400)
    playout.push("r", bytes(range(250)) * 32)  # one second in which every byte has its place
    playout.due(0.0)
    [cut] = playout.clear(0.25)
    assert cut.position == Position(generated_ms=1000, sent_ms=400, heard_ms=240)  # it began half a frame late
    assert cut.unheard == (bytes(range(250)) * 32)[240 * 8 :]
    assert not playout.is_sounding(0.25)
    assert playout.due(0.3) == []


def test_the_frame_that_sounds_when_a_clear_arrives_was_heard():
    playout = Playout(PCMU_8K, lead_ms=400)
    playout.push("r", ms(1000))
    first, *_ = marks(playout.due(0.0))
    playout.mark_returned(first, 0.06)  # the run began at 0
    [cut] = playout.clear(0.245)
    assert cut.position.heard_ms == 260


def test_queued_replies_are_cut_one_by_one():
    playout = Playout(PCMU_8K, lead_ms=1000)
    for name in ("preamble", "answer"):
        playout.push(name, ms(500))
        playout.finish(name)
    playout.due(0.0)
    preamble, answer = playout.clear(0.2)
    assert (preamble.reply_id, preamble.position.heard_ms) == ("preamble", 200)
    assert (answer.reply_id, answer.position.heard_ms) == ("answer", 0)


def test_a_reply_heard_whole_is_no_part_of_a_cut():
    playout = Playout(PCMU_8K, lead_ms=1000)
    for name in ("heard", "cut"):
        playout.push(name, ms(500))
        playout.finish(name)
    playout.due(0.0)
    assert [cut.reply_id for cut in playout.clear(0.6)] == ["cut"]


def test_the_mark_behind_a_reply_says_that_it_was_heard():
    playout = Playout(PCMU_8K, lead_ms=1000)
    playout.push("r", ms(500))
    playout.finish("r")
    *others, last = marks(playout.due(0.0))
    assert [playout.mark_returned(name, 0.3) for name in others] == [None] * len(others)
    assert playout.mark_returned(last, 0.5) == "r"


def test_an_end_that_is_known_late_is_marked_late():
    playout = Playout(PCMU_8K, lead_ms=1000)
    playout.push("r", ms(500))
    playout.due(0.0)
    playout.finish("r")
    [packet] = playout.due(0.1)
    assert packet.payload == b""
    assert playout.mark_returned(str(packet.mark), 0.5) == "r"


def test_marks_that_a_clear_throws_back_end_no_reply():
    playout = Playout(PCMU_8K, lead_ms=1000)
    playout.push("r", ms(500))
    playout.finish("r")
    names = marks(playout.due(0.0))
    playout.clear(0.1)
    assert [playout.mark_returned(name, 0.12) for name in names] == [None] * len(names)


def far_away(round_trip_s: float = 0.12) -> tuple[Playout, list[str]]:
    """A reply that began to sound at 1.0 after a silence; the marks at 60 and 260 ms of it were not returned."""
    playout = Playout(PCMU_8K, lead_ms=400)
    playout.mark_returned(str(playout.probe(0.0)), round_trip_s)
    playout.push("r", bytes(range(250)) * 160)
    packets = playout.due(1.0 - round_trip_s - HALF_A_FRAME)
    playout.mark_returned(opening(packets), 1.0 - HALF_A_FRAME)
    return playout, marks(packets)


def test_a_mark_thrown_back_tells_when_the_clear_arrived():
    playout, (first, second) = far_away()
    [at_once] = playout.clear(1.0)
    assert at_once.position.heard_ms == 120
    assert playout.settled(1.05) == []
    playout.mark_returned(first, 1.06)  # it was heard
    assert playout.settled(1.07) == []
    playout.mark_returned(second, 1.09)
    [cut] = playout.settled(1.1)
    assert cut.position == Position(generated_ms=5000, sent_ms=400, heard_ms=100)
    assert cut.unheard == (bytes(range(250)) * 160)[100 * 8 :]
    assert playout.settled(1.2) == []
    assert playout.next_deadline() is None


def test_a_mark_heard_before_the_clear_arrived_is_not_taken_for_one_thrown_back():
    playout, (first, second) = far_away()
    playout.mark_returned(first, 1.06)
    [third] = marks(playout.due(1.1))
    playout.clear(1.2)
    playout.mark_returned(second, 1.25)
    assert playout.settled(1.25) == []
    playout.mark_returned(third, 1.31)
    [cut] = playout.settled(1.31)
    assert cut.position.heard_ms == 320


def test_a_clear_that_overtakes_the_news_of_the_beginning_is_settled_by_both():
    """The beginning was expected at 0.13, its mark says 0.15: it was in between."""
    playout = Playout(PCMU_8K, lead_ms=400)
    playout.mark_returned(str(playout.probe(-1.0)), -0.88)
    playout.push("r", ms(1000))
    packets = playout.due(0.0)
    playout.clear(0.1)
    playout.mark_returned(opening(packets), 0.14)
    for name in marks(packets):
        playout.mark_returned(name, 0.235)
    [cut] = playout.settled(0.235)
    assert cut.position.heard_ms == 100  # with the beginning at 0.13 it were 120


def test_without_a_mark_thrown_back_the_first_word_stands():
    playout, _ = far_away()
    at_once = playout.clear(1.0)
    deadline = playout.next_deadline()
    assert deadline is not None
    assert deadline <= 1.5
    assert playout.settled(deadline - 0.01) == []
    assert playout.settled(deadline) == at_once
    assert playout.next_deadline() is None


def test_a_reply_whose_marks_are_all_back_is_not_waited_for():
    playout = Playout(PCMU_8K, lead_ms=400)
    playout.push("r", ms(180))
    for packet in playout.due(0.0):
        if packet.mark:
            playout.mark_returned(packet.mark, 0.06 if packet.payload else 0.0)
    at_once = playout.clear(0.1)
    assert playout.settled(0.1) == at_once


def test_new_audio_sounds_while_a_cut_is_unsettled():
    playout, (_, second) = far_away()
    playout.clear(1.0)
    playout.push("next", ms(1000))
    packets = playout.due(1.02)
    assert sent_ms(packets) == 400
    playout.mark_returned(second, 1.09)
    assert [cut.reply_id for cut in playout.settled(1.09)] == ["r"]
    playout.mark_returned(opening(packets), 1.14)
    assert playout.position("next", 1.25) == Position(1000, 400, 100)


def test_two_clears_close_together_are_settled_each_by_its_own_marks():
    playout, (_, second) = far_away()
    playout.clear(1.0)
    playout.push("next", ms(1000))
    packets = playout.due(1.02)
    playout.clear(1.08)
    playout.mark_returned(second, 1.09)
    assert [(cut.reply_id, cut.position.heard_ms) for cut in playout.settled(1.1)] == [("r", 100)]
    playout.mark_returned(opening(packets), 1.14)
    for name in marks(packets):
        playout.mark_returned(name, 1.205)
    assert [(cut.reply_id, cut.position.heard_ms) for cut in playout.settled(1.21)] == [("next", 60)]


def test_what_is_recorded_of_a_reply_that_was_cut_is_what_the_ear_had():
    playout, (_, second) = far_away()
    playout.clear(1.0)
    heard = playout.drain_heard(1.02)
    playout.mark_returned(second, 1.09)
    playout.settled(1.09)
    heard += playout.drain_heard(1.1)
    assert b"".join(piece.payload for piece in heard) == (bytes(range(250)) * 160)[: 100 * 8]
    assert heard[0].at == pytest.approx(1.0)


def test_the_recording_does_not_wait_for_a_mark_for_long():
    playout, _ = far_away(round_trip_s=0.3)
    playout.clear(1.0)
    assert playout.drain_heard(1.3) == []
    [piece] = playout.drain_heard(1.35)
    assert len(piece.payload) == 300 * 8


def test_with_a_short_lead_a_mark_is_pending_all_the_same():
    playout = Playout(PCMU_8K, lead_ms=200)
    playout.push("r", ms(1000))
    assert len(marks(playout.due(0.0))) == 2


def test_a_lost_mark_does_not_leave_a_reply_unheard_for_ever():
    playout = Playout(PCMU_8K, lead_ms=1000)
    playout.push("r", ms(500))
    playout.finish("r")
    playout.due(0.0)
    deadline = playout.next_deadline()
    assert deadline is not None
    assert playout.overdue(deadline - 0.1) is None
    assert playout.overdue(deadline) == "r"
    assert playout.overdue(deadline) is None


def test_the_mark_ahead_of_a_reply_tells_the_round_trip_and_when_it_began_to_sound():
    playout = Playout(PCMU_8K, lead_ms=400)
    playout.push("r", ms(5000))
    name = opening(playout.due(0.0))
    playout.mark_returned(name, 0.12)
    assert playout.round_trip_ms == pytest.approx(120)
    assert playout.position("r", 0.52 + HALF_A_FRAME) == Position(5000, 400, 400)


def test_nothing_is_recorded_before_it_is_known_when_it_sounded():
    playout = Playout(PCMU_8K, lead_ms=400)
    playout.push("r", ms(5000))
    name = opening(playout.due(0.0))
    assert playout.drain_heard(0.1) == []
    playout.mark_returned(name, 0.12)
    [piece] = playout.drain_heard(0.22 + HALF_A_FRAME)
    assert (piece.at, len(piece.payload)) == (pytest.approx(0.12 + HALF_A_FRAME), 8 * 100)


def test_a_carrier_that_returns_no_marks_is_recorded_all_the_same():
    playout = Playout(PCMU_8K, lead_ms=400)
    playout.push("r", ms(5000))
    playout.due(0.0)
    [piece] = playout.drain_heard(0.5)
    assert piece.at == HALF_A_FRAME


def test_a_probe_measures_the_round_trip_while_nothing_plays():
    playout = Playout(PCMU_8K)
    name = playout.probe(1.0)
    assert name is not None
    playout.mark_returned(name, 1.08)
    assert playout.round_trip_ms == pytest.approx(80)
    playout.push("r", ms(100))
    assert playout.probe(2.0) is None


def test_with_a_known_round_trip_the_carrier_still_has_its_whole_lead():
    playout = Playout(PCMU_8K, lead_ms=400)
    name = playout.probe(0.0)
    playout.mark_returned(str(name), 0.12)
    playout.push("r", ms(5000))
    assert sent_ms(playout.due(1.0)) == 400
    assert sent_ms(playout.due(1.1)) == 100  # at the carrier 300 ms are left, although here they sound 120 ms later


def test_a_clear_counts_what_sounds_until_it_arrives():
    """The carrier starts 60 ms after we send and stops 60 ms after we clear: it plays as long as we think."""
    playout = Playout(PCMU_8K, lead_ms=400)
    playout.mark_returned(str(playout.probe(0.0)), 0.12)
    playout.push("r", ms(5000))
    playout.due(1.0)
    [cut] = playout.clear(1.25)
    assert cut.position.heard_ms == 240


def test_a_carrier_that_stalls_is_believed_at_once():
    playout = Playout(PCMU_8K, lead_ms=400, mark_every_ms=100)
    playout.push("r", ms(5000))
    names = marks(playout.due(0.0))
    names += marks(playout.due(0.1)) + marks(playout.due(0.2))
    playout.mark_returned(names[0], 0.06)
    playout.mark_returned(names[1], 1.16)  # 160 ms of sound, a second late
    position = playout.position("r", 1.25)
    assert position is not None
    assert position.heard_ms == pytest.approx(250, abs=20)


def test_sound_that_comes_too_late_counts_as_a_gap():
    playout = Playout(PCMU_8K)
    playout.push("r", ms(100))
    playout.due(0.0)
    playout.push("r", ms(100))
    playout.due(0.15)
    assert playout.starved_ms == pytest.approx(50)
    assert playout.position("r", 0.2 + HALF_A_FRAME) == Position(200, 200, 150)


def test_short_scraps_wait_for_a_packet_while_the_carrier_has_enough():
    playout = Playout(PCMU_8K, lead_ms=400, packet_ms=100)
    playout.push("r", ms(300))
    assert sent_ms(playout.due(0.0)) == 300
    playout.push("r", ms(20))
    assert playout.due(0.01) == []
    deadline = playout.next_deadline()
    assert deadline is not None
    assert sent_ms(playout.due(deadline)) == 20


def test_a_resumed_reply_goes_on_from_where_the_ear_was():
    playout = Playout(PCMU_8K, lead_ms=400)
    audio = bytes(range(250)) * 32
    playout.push("r", audio)
    heard = bytearray()
    playout.due(0.0)
    [cut] = playout.clear(0.3)
    heard += b"".join(piece.payload for piece in playout.drain_heard(0.3))
    playout.push("again", cut.unheard)
    playout.finish("again")
    now = 2.0
    while playout.is_sounding(now):
        playout.due(now)
        now += 0.1
    heard += b"".join(piece.payload for piece in playout.drain_heard(now))
    assert bytes(heard) == audio


def test_what_was_heard_is_let_go():
    playout = Playout(PCMU_8K, lead_ms=400)
    playout.push("r", ms(60_000))
    now = 0.0
    while now < 59.0:
        playout.due(now)
        playout.drain_heard(now)
        now += 0.1
    assert playout.held_bytes <= 8 * 1200


@given(st.lists(st.tuples(st.integers(1, 900), st.booleans(), st.integers(0, 400)), min_size=1, max_size=12))
def test_the_ear_hears_every_byte_once_and_in_order(steps: list[tuple[int, bool, int]]):
    """Whatever is pushed, cut and resumed: what was heard and what was cut are together all there ever was."""
    playout = Playout(PCMU_8K)
    now, count = 0.0, 0
    expected, heard = bytearray(), bytearray()
    for length, is_cut, pause_ms in steps:
        payload = bytes((count + i) % 251 for i in range(length * 8))
        count += len(payload)
        playout.push(f"r{count}", payload)
        playout.finish(f"r{count}")
        expected += payload
        playout.due(now)
        now += pause_ms / 1000
        if is_cut:
            rest = b"".join(cut.unheard for cut in playout.clear(now))
            heard += b"".join(piece.payload for piece in playout.drain_heard(now, is_last=True))
            assert heard + rest == expected
            expected = heard.copy()
    while playout.is_sounding(now):
        playout.due(now)
        now += 0.05
    heard += b"".join(piece.payload for piece in playout.drain_heard(now, is_last=True))
    assert heard == expected


def test_it_is_known_when_a_queued_reply_will_sound():
    playout = Playout(PCMU_8K, lead_ms=400)
    for name in ("words", "tone"):
        playout.push(name, ms(1000))
        playout.finish(name)
    playout.due(0.0)
    assert playout.heard_at("words") == pytest.approx(HALF_A_FRAME)
    assert playout.heard_at("tone") == pytest.approx(1.0 + HALF_A_FRAME)
    assert playout.heard_at("nothing") is None
