import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from media.recorder import Recorder


def pcm(count: int, value: int = 1000) -> bytes:
    return np.full(count, value, "<i2").tobytes()


def channels(stereo: bytes) -> tuple[np.ndarray, np.ndarray]:
    samples = np.frombuffer(stereo, "<i2").reshape(-1, 2)
    return samples[:, 0], samples[:, 1]


def test_each_side_sounds_when_it_sounded():
    recorder = Recorder()
    recorder.caller(100, pcm(160))
    recorder.bot(300, pcm(800, 2000))
    caller, bot = channels(recorder.finish(1000))
    assert len(caller) == 8000
    assert np.flatnonzero(caller).tolist() == list(range(800, 960))
    assert np.flatnonzero(bot).tolist() == list(range(2400, 3200))


def test_times_that_jitter_make_no_gap_and_no_click():
    recorder = Recorder()
    for index, jitter_ms in enumerate((0, 7, -9, 12, 3, -5)):
        recorder.bot(200 + 20 * index + jitter_ms, pcm(160))
    _, bot = channels(recorder.finish(1000))
    assert np.flatnonzero(bot).tolist() == list(range(1600, 1600 + 6 * 160))


def test_a_lost_frame_is_silence_in_its_place():
    recorder = Recorder()
    for at_ms in (0, 20, 80, 100):
        recorder.caller(at_ms, pcm(160))
    caller, _ = channels(recorder.finish(120))
    assert np.flatnonzero(caller == 0).tolist() == list(range(320, 640))


def test_a_frame_that_comes_late_takes_its_place_while_it_is_held():
    recorder = Recorder(hold_ms=400)
    for at_ms in (0, 20, 80, 100, 40, 60):
        recorder.caller(at_ms, pcm(160, 1 + at_ms))
    caller, _ = channels(recorder.finish(120))
    assert caller[::160].tolist() == [1, 21, 41, 61, 81, 101]


def test_what_comes_after_its_place_was_taken_is_dropped_and_counted():
    recorder = Recorder(hold_ms=400)
    recorder.caller(0, pcm(160))
    assert len(recorder.take(1000)) == 600 * 8 * 4
    recorder.caller(570, pcm(400))
    assert recorder.late_ms == 30
    caller, _ = channels(recorder.finish(1000))
    assert np.flatnonzero(caller).tolist() == list(range(160))


def test_an_hour_is_as_long_as_the_call_and_stays_small_in_memory():
    recorder = Recorder(hold_ms=400)
    frame, taken, most_held = pcm(160), 0, 0.0
    for index in range(180_000):
        at_ms = index * 20
        recorder.caller(at_ms, frame)
        if index % 500 < 250:
            recorder.bot(at_ms - 30.3, frame)
        if index % 25 == 24:
            taken += len(recorder.take(at_ms + 20))
            most_held = max(most_held, recorder.held_ms)
    taken += len(recorder.finish(3_600_000))
    assert taken == 3600 * 8000 * 4
    assert most_held <= 400 + 20
    assert recorder.late_ms == 20  # the bot's first frame lay before the call began


@given(st.lists(st.integers(1, 60), min_size=1, max_size=30), st.data())
def test_however_it_is_taken_it_is_the_same_recording(lengths: list[int], data: st.DataObject):
    whole, parts = Recorder(hold_ms=100), Recorder(hold_ms=100)
    at_ms, taken = 0, b""
    for index, length in enumerate(lengths):
        for recorder in (whole, parts):
            recorder.caller(at_ms, pcm(8 * length, 1 + index))
            recorder.bot(at_ms, pcm(8 * length, -1 - index))
        at_ms += length
        if data.draw(st.booleans()):
            taken += parts.take(at_ms)
    assert taken + parts.finish(at_ms) == whole.finish(at_ms)
