"""Where a recording may be cut: found on real speech, whatever the blocks it comes in."""

from pathlib import Path

import numpy as np
import pytest

from bot.analysis.pauses import Pause, PauseFinder, cut_between
from bot.local.sound_files import SoundFile


@pytest.fixture(scope="module")
def kennedy(data: Path) -> np.ndarray:
    """He pauses from 2.0 to 3.3 s, from 4.3 to 5.4 s and from 7.7 to 8.2 s; the breath at the end is left out."""
    sound = SoundFile((data / "speech-en" / "jfk-inaugural.flac").read_bytes())
    return np.concatenate(list(sound.blocks()), axis=1)[0, :160_000]


def found(samples: np.ndarray, block: int) -> list[Pause]:
    finder = PauseFinder()
    for start in range(0, len(samples), block):
        finder.push(samples[start : start + block].tobytes())
    return finder.pauses


def test_pauses_between_words_are_found(kennedy: np.ndarray):
    for middle_s in (2.7, 4.9, 7.9):
        assert any(pause.start_s < middle_s < pause.end_s for pause in found(kennedy, 16_000))


def test_nothing_is_said_in_a_pause_but_the_last_of_a_word_that_dies_away(kennedy: np.ndarray):
    loud = np.abs(kennedy.astype(int)) > 2000
    for pause in found(kennedy, 16_000):
        assert not loud[round((pause.start_s + 0.1) * 16_000) : round(pause.end_s * 16_000)].any()


def test_the_blocks_make_no_difference(kennedy: np.ndarray):
    assert found(kennedy, 16_000) == found(kennedy, 977)


def test_a_silent_recording_is_one_pause():
    (pause,) = found(np.zeros(48_000, np.int16), 16_000)
    assert (pause.start_s, pause.end_s) == pytest.approx((0.0, 2.9), abs=0.05)


def test_pauses_before_a_cut_are_forgotten(kennedy: np.ndarray):
    finder = PauseFinder()
    finder.push(kennedy.tobytes())
    finder.forget(4.0)
    assert all(pause.start_s >= 4 for pause in finder.pauses)


def test_the_cut_is_in_the_middle_of_the_longest_pause():
    assert cut_between([Pause(1.0, 1.4), Pause(4.0, 5.0), Pause(7.0, 7.6)], 0.0, 10.0) == 4.5


def test_of_a_pause_only_what_lies_between_the_two_times_counts():
    assert cut_between([Pause(1.0, 1.4), Pause(4.0, 5.0), Pause(7.0, 7.6)], 0.0, 4.2) == 1.2
    assert cut_between([Pause(9.0, 12.0)], 0.0, 10.0) == 9.5


def test_without_a_pause_there_is_no_such_place():
    assert cut_between([Pause(1.0, 2.0)], 5.0, 10.0) is None
