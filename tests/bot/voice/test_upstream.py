"""The caller's sound on its way to a model: what is sent when, and where it lies."""

import pytest

from bot.voice.upstream import Upstream
from media.frame import L16_24K, PCMU_8K, AudioFormat
from media.g711 import decode_ulaw

LOUD, QUIET = b"\x2a" * 160, b"\xff" * 160


class Line:
    """A line, frame by frame."""

    def __init__(self, wire: AudioFormat = PCMU_8K) -> None:
        self.upstream = Upstream(PCMU_8K, wire, calm_after_ms=500)
        self.upstream.open()
        self.at_ms = 0

    def says(self, payload: bytes, frames: int = 1) -> list[int]:
        """How many bytes were written with each frame."""
        written = []
        for _ in range(frames):
            written.append(len(self.upstream.frame(payload, decode_ulaw(payload), self.at_ms)))
            self.at_ms += 20
        return written


def test_speech_and_the_silence_that_ends_it_are_written_frame_by_frame():
    line = Line()
    assert line.says(LOUD, 10) == [160] * 10
    assert line.says(QUIET, 25) == [160] * 25


def test_after_a_long_quiet_quiet_frames_go_ten_at_a_time():
    line = Line()
    line.says(LOUD)
    line.says(QUIET, 25)
    assert line.says(QUIET, 20) == [*[0] * 9, 1600, *[0] * 9, 1600]


def test_the_first_loud_frame_goes_at_once_with_the_quiet_ones_before_it():
    line = Line()
    line.says(LOUD)
    line.says(QUIET, 27)
    assert line.says(LOUD) == [480]
    assert line.says(QUIET) == [160]


@pytest.mark.parametrize("wire", [PCMU_8K, L16_24K])
def test_no_sound_is_lost_and_all_of_it_lies_where_it_was_spoken(wire: AudioFormat):
    line = Line(wire)
    written = sum(line.says(LOUD, 5) + line.says(QUIET, 60) + line.says(LOUD, 5))
    assert written == 70 * wire.payload_bytes(20)
    assert line.upstream.clock.call_ms(1000) == 1000


def test_frames_that_wait_when_nobody_takes_them_any_more_are_written_when_somebody_does():
    line = Line()
    line.says(LOUD)
    line.says(QUIET, 27)  # two of them wait
    line.upstream.close()
    line.says(QUIET, 3)
    assert len(line.upstream.open()) == 5 * 160
