from hypothesis import given
from hypothesis import strategies as st

from bot.rehearsal.buffer import PlayoutBuffer

SILENCE = b"\xff"


def audio(ms: int) -> bytes:
    return bytes(8 * ms)


def test_audio_plays_in_order_20_ms_at_a_time():
    buffer = PlayoutBuffer()
    sent = bytes(range(250)) * 2
    for piece in (sent[:100], sent[100:101], sent[101:]):
        buffer.push(piece, at_ms=0)
    heard = b"".join(buffer.tick().payload for _ in range(5))
    assert heard == sent + SILENCE * 300


def test_a_mark_returns_once_what_was_sent_before_it_was_heard():
    buffer = PlayoutBuffer()
    buffer.push(audio(30), at_ms=0)
    assert buffer.mark("a") == ()
    buffer.push(audio(10), at_ms=0)
    assert buffer.mark("b") == ()
    assert [buffer.tick().marks for _ in range(4)] == [(), (), ("a", "b"), ()]


def test_a_mark_at_an_empty_buffer_returns_at_once():
    buffer = PlayoutBuffer()
    assert buffer.mark("a") == ("a",)
    buffer.tick()
    assert buffer.mark("b") == ("b",)


def test_a_mark_behind_the_last_frame_waits_until_that_was_heard():
    buffer = PlayoutBuffer()
    buffer.push(audio(20), at_ms=0)
    buffer.tick()
    assert buffer.mark("a") == ()
    assert buffer.tick().marks == ("a",)


def test_clear_drops_what_does_not_play_yet_and_returns_all_marks_in_order():
    buffer = PlayoutBuffer()
    buffer.push(audio(20), at_ms=0)
    buffer.mark("a")
    buffer.push(audio(100), at_ms=0)
    buffer.mark("b")
    buffer.tick()
    assert buffer.clear(at_ms=10) == ("a", "b")
    [clear] = buffer.clears
    assert (clear.at_ms, clear.dropped_ms, clear.pending_marks) == (10, 100, ("a", "b"))
    assert buffer.tick().payload == SILENCE * 160
    assert buffer.tick().marks == ()


def test_a_clear_tells_how_much_of_the_run_was_played_with_the_frame_that_plays():
    buffer = PlayoutBuffer()
    for at_ms in (5, 2000):
        buffer.push(audio(500), at_ms)
        buffer.push(audio(500), at_ms + 1)
        for _ in range(3):
            buffer.tick()
        buffer.clear(at_ms=at_ms + 70)
    buffer.clear(at_ms=2071)
    assert [clear.played_ms for clear in buffer.clears] == [60, 60, 0]


def test_a_run_begins_with_the_first_audio_after_silence():
    buffer = PlayoutBuffer()
    buffer.push(audio(30), at_ms=5)
    for _ in range(3):
        buffer.tick()
    buffer.push(audio(40), at_ms=65)  # after a gap, which ends no run
    for _ in range(30):
        buffer.tick()
    buffer.clear(at_ms=690)
    buffer.push(audio(20), at_ms=700)
    assert [(run.arrived_ms, run.played_ms) for run in buffer.runs] == [(5, 70), (700, 0)]
    assert buffer.clears[0].played_ms == 0


def test_audio_on_the_heels_of_a_clear_is_late_for_as_long_as_it_goes_on():
    buffer = PlayoutBuffer()
    buffer.push(audio(500), at_ms=0)
    buffer.clear(at_ms=100)
    for at_ms in range(120, 520, 20):
        buffer.push(audio(20), at_ms)
    assert buffer.late_audio_ms == 400


def test_the_next_reply_after_a_clear_is_not_late():
    buffer = PlayoutBuffer()
    buffer.clear(at_ms=100)
    buffer.push(audio(20), at_ms=400)
    assert buffer.late_audio_ms == 0


def ticks(buffer: PlayoutBuffer, count: int) -> None:
    for _ in range(count):
        buffer.tick()


def test_running_dry_inside_a_sentence_is_a_gap():
    buffer = PlayoutBuffer()
    buffer.push(audio(30), at_ms=0)
    ticks(buffer, 3)  # 10 ms short of two frames, then a whole frame of nothing
    buffer.push(audio(40), at_ms=60)
    ticks(buffer, 2)
    assert (buffer.gaps, buffer.gap_ms) == (1, 30)


def test_the_silence_between_two_replies_is_no_gap():
    buffer = PlayoutBuffer()
    buffer.push(audio(30), at_ms=0)
    ticks(buffer, 30)
    buffer.push(audio(30), at_ms=600)
    ticks(buffer, 30)
    assert (buffer.gaps, buffer.gap_ms) == (0, 0)


def test_the_silence_after_a_clear_is_no_gap():
    buffer = PlayoutBuffer()
    buffer.push(audio(100), at_ms=0)
    ticks(buffer, 2)
    buffer.clear(at_ms=40)
    ticks(buffer, 12)
    buffer.push(audio(40), at_ms=280)
    ticks(buffer, 2)
    assert buffer.gap_ms == 0


@given(st.lists(st.one_of(st.binary(max_size=700), st.integers(0, 99)), max_size=30))
def test_whatever_is_sent_is_heard_whole_and_every_mark_returns_once_in_order(items):
    buffer = PlayoutBuffer()
    sent, marks, returned, heard = b"", [], [], b""
    for item in items:
        if isinstance(item, bytes):
            buffer.push(item, at_ms=0)
            sent += item
        else:
            marks.append(str(item))
            returned += buffer.mark(str(item))
    for _ in range(len(sent) // 160 + 3):
        frame = buffer.tick()
        returned += frame.marks
        heard += frame.payload
    assert heard[: len(sent)] == sent
    assert set(heard[len(sent) :]) <= {0xFF}
    assert returned == marks
    assert buffer.waiting_ms == 0
