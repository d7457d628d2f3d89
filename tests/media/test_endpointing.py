import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.signal import resample_poly

from media.endpointing import (
    Endpointer,
    EndpointingSettings,
    SpeechEvent,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    UtteranceEnded,
)
from media.level import comfort_noise, tone
from media.silero import SileroDetector, bundled_model, load_silero

LOUD = 1000


class LoudIsSpeech:
    """A detector whose judgement a test can write down: a frame is speech where its first sample is loud."""

    def likelihood(self, samples: NDArray[np.int16]) -> float:
        return float(samples[0] >= LOUD)

    def reset(self) -> None:
        pass


def endpointer(**changes: int) -> Endpointer:
    plain = {"pause_ms": 200, "hangover_ms": 500, "min_speech_ms": 80, "prefix_ms": 100}
    return Endpointer(EndpointingSettings(**plain | changes), LoudIsSpeech())


def speech(ms: int) -> bytes:
    return np.full(8 * ms, LOUD, "<i2").tobytes()


def silence(ms: int) -> bytes:
    return bytes(16 * ms)


def hear(line: Endpointer, pcm: bytes, at_ms: float = 0, frame_bytes: int = 320) -> list[tuple[float, SpeechEvent]]:
    """Events, each with the moment at which the frame that told it was complete."""
    known: list[tuple[float, SpeechEvent]] = []
    for offset in range(0, len(pcm), frame_bytes):
        frame = pcm[offset : offset + frame_bytes]
        begins_ms = at_ms + offset / 16
        known += [(begins_ms + len(frame) / 16, event) for event in line.push(frame, begins_ms)]
    return known


def kinds(events: Iterable[tuple[float, SpeechEvent]]) -> list[type]:
    return [type(event) for _, event in events]


def recording(file: Path) -> bytes:
    sound, rate_hz = soundfile.read(file, dtype="float32", always_2d=True)
    sound = resample_poly(sound[:, 0], 8000, rate_hz) if rate_hz != 8000 else sound[:, 0]
    return (np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes()


# -- what happens when ------------------------------------------------------------------------------------------------


def test_an_utterance_starts_pauses_and_ends():
    events = hear(endpointer(), silence(300) + speech(400) + silence(800))
    assert [(at, type(event)) for at, event in events] == [
        (380, SpeechStarted),
        (900, SpeechPaused),
        (1200, UtteranceEnded),
    ]
    assert events[0][1] == SpeechStarted(at_ms=300)
    ended = events[2][1]
    assert isinstance(ended, UtteranceEnded)
    assert (ended.start_ms, ended.end_ms) == (300, 700)


def test_the_utterance_has_the_sound_before_it_and_the_pause_after_it():
    [_, (_, paused), _] = hear(endpointer(), silence(300) + speech(400) + silence(800))
    assert isinstance(paused, SpeechPaused)
    assert paused.pcm == silence(100) + speech(400) + silence(200)


def test_the_end_brings_the_very_sound_of_the_last_pause():
    pcm = speech(400) + silence(300) + speech(200) + silence(800)
    sounds = [event.pcm for _, event in hear(endpointer(), pcm) if isinstance(event, SpeechPaused | UtteranceEnded)]
    assert len(sounds) == 3
    assert sounds[2] is sounds[1]
    assert sounds[1] == speech(400) + silence(300) + speech(200) + silence(200)


def test_who_goes_on_before_the_hangover_has_passed_is_still_in_the_same_utterance():
    events = hear(endpointer(), speech(400) + silence(400) + speech(400) + silence(800))
    assert kinds(events) == [SpeechStarted, SpeechPaused, SpeechResumed, SpeechPaused, UtteranceEnded]
    assert events[2] == (840, SpeechResumed(at_ms=800))
    assert events[4][1].start_ms == 0  # type: ignore[union-attr]


def test_two_utterances_share_no_sound():
    pcm = speech(400) + silence(540) + speech(400) + silence(600)
    first, second = (event.pcm for _, event in hear(endpointer(), pcm) if isinstance(event, UtteranceEnded))
    assert first == speech(400) + silence(200)
    assert second == silence(100) + speech(400) + silence(200)


@pytest.mark.parametrize("click_ms", [20, 40, 60])
def test_a_sound_too_short_to_be_speech_is_none(click_ms):
    assert hear(endpointer(), (silence(400) + speech(click_ms)) * 5 + silence(400)) == []


def test_a_click_in_the_pause_does_not_put_off_the_end():
    events = hear(endpointer(), speech(400) + silence(300) + speech(20) + silence(600))
    assert kinds(events) == [SpeechStarted, SpeechPaused, UtteranceEnded]
    assert events[-1][0] == 900


@pytest.mark.parametrize("hangover_ms", [20, 100, 200])
def test_a_hangover_no_longer_than_the_pause_leaves_no_time_for_one(hangover_ms):
    events = hear(endpointer(hangover_ms=hangover_ms), speech(400) + silence(600))
    assert [(at, type(event)) for at, event in events] == [(80, SpeechStarted), (400 + hangover_ms, UtteranceEnded)]


def test_a_hangover_of_nothing_ends_the_utterance_at_the_next_silent_frame():
    line = endpointer()
    hear(line, speech(400))
    line.hangover_ms = 0
    assert hear(line, speech(100), at_ms=400) == []
    assert kinds(hear(line, silence(20), at_ms=500)) == [UtteranceEnded]


def test_a_longer_hangover_waits_for_who_leaves_a_message():
    line = endpointer()
    hear(line, speech(400) + silence(300))
    line.hangover_ms = 2000
    events = hear(line, silence(1900), at_ms=700)
    assert [(at, type(event)) for at, event in events] == [(2400, UtteranceEnded)]


def test_an_endless_utterance_is_ended_and_the_next_begins_where_it_ended():
    events = hear(endpointer(max_utterance_ms=1000, prefix_ms=0), speech(2500) + silence(600))
    ended = [event for _, event in events if isinstance(event, UtteranceEnded)]
    assert [(event.start_ms, event.end_ms) for event in ended] == [(0, 1000), (1000, 2000), (2000, 2500)]
    assert b"".join(event.pcm for event in ended) == speech(2500) + silence(200)


def test_when_the_line_goes_the_utterance_ends_with_what_there_is():
    line = endpointer()
    hear(line, silence(100) + speech(410))
    assert line.flush() == [UtteranceEnded(100, 500, silence(100) + speech(410))]
    assert line.flush() == []
    assert line.held_ms == 0


def test_when_the_line_goes_in_a_pause_the_sound_is_that_of_the_pause():
    line = endpointer()
    [_, (_, paused)] = hear(line, speech(400) + silence(300))
    [ended] = line.flush()
    assert isinstance(paused, SpeechPaused)
    assert isinstance(ended, UtteranceEnded)
    assert ended.pcm is paused.pcm


def test_after_a_reset_it_is_as_new():
    line = endpointer()
    hear(line, speech(400))
    line.hangover_ms = 2000
    line.reset()
    assert (line.held_ms, line.hangover_ms) == (0, 500)
    assert line.push(silence(20), at_ms=50) == []


# -- frames and time --------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(1, 900), max_size=60))
@settings(max_examples=40)
def test_how_the_sound_is_cut_into_frames_changes_nothing(cuts):
    pcm = silence(120) + speech(400) + silence(300) + speech(200) + silence(700) + speech(300) + silence(60)
    whole = endpointer()
    expected = [*whole.push(pcm, 0.0), *whole.flush()]
    line = endpointer()
    events, offset = [], 0
    for samples in [*cuts, len(pcm)]:
        events += line.push(pcm[offset : offset + 2 * samples], offset / 16)
        offset = min(len(pcm), offset + 2 * samples)
    assert [*events, *line.flush()] == expected


def test_lost_frames_count_as_silence():
    line = endpointer()
    hear(line, speech(400))
    events = line.push(speech(20), at_ms=700)
    assert events == [SpeechPaused(0, 400, speech(400) + silence(200))]
    assert kinds(hear(line, speech(20), at_ms=720)) == [SpeechResumed]
    [ended] = line.flush()
    assert ended == UtteranceEnded(0, 740, speech(400) + silence(300) + speech(40))


def test_after_an_hour_without_frames_the_clock_is_right_and_little_is_held():
    line = endpointer()
    hear(line, speech(400))
    assert kinds((0, event) for event in line.push(silence(20), at_ms=3_600_000)) == [SpeechPaused, UtteranceEnded]
    assert line.held_ms <= 1000
    assert hear(line, speech(100), at_ms=3_600_020)[0] == (3_600_100, SpeechStarted(3_600_020))


def test_stamps_that_jitter_within_a_frame_lose_nothing():
    line = endpointer()
    events = []
    for index in range(60):
        events += line.push(speech(20) if index < 20 else silence(20), at_ms=20 * index + (index * 7) % 15)
    ended = events[-1]
    assert isinstance(ended, UtteranceEnded)
    assert ended.pcm == speech(400) + silence(200)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 100)), max_size=60), st.sampled_from([0, 100, 500, 2000]))
@settings(max_examples=40)
def test_no_more_is_held_than_the_longest_utterance_and_its_surroundings(stretches, hangover_ms):
    line = endpointer(max_utterance_ms=3000, hangover_ms=hangover_ms)
    at_ms = 0
    for is_speech, frames in stretches:
        for _ in range(frames):
            line.push(speech(20) if is_speech else silence(20), at_ms)
            at_ms += 20
            assert line.held_ms <= 3000 + 100 + 20


@pytest.mark.parametrize("doubtful", [silence(40), speech(20) + silence(20)])
def test_a_line_on_which_nobody_speaks_holds_what_may_become_a_prefix_and_a_second(doubtful):
    line = endpointer(prefix_ms=300)
    line.push(speech(20), 0)
    held_ms = []
    for index in range(500):
        assert line.push(doubtful, 20 + 40 * index) == []
        held_ms.append(line.held_ms)
    assert max(held_ms) <= 300 + 1000 + 20
    assert min(held_ms[20:]) >= 300


# -- real sound, judged by the detector that is used unless another is given ------------------------------------------


def on_a_line(pcm: bytes) -> bytes:
    """A second of faint noise before, and after."""
    return comfort_noise(1000, 8000) + pcm + comfort_noise(1000, 8000, seed=1)


def readings(data: Path) -> list[Path]:
    return sorted((data / "speech-en").iterdir())


def test_every_reading_is_heard_within_a_third_of_a_second_and_whole(data):
    for file in readings(data):
        pcm = recording(file)
        levels = np.sqrt(np.mean(np.frombuffer(pcm[: len(pcm) // 320 * 320], "<i2").reshape(-1, 160) ** 2.0, axis=1))
        first_ms = 1000 + 20 * int(np.flatnonzero(levels > 0.08 * levels.max())[0])
        line = Endpointer()
        events = hear(line, on_a_line(pcm))
        started = [(at, event) for at, event in events if isinstance(event, SpeechStarted)]
        assert started, file.name
        assert started[0][0] <= first_ms + 340, file.name
        assert started[0][1].at_ms - line.settings.prefix_ms <= first_ms, file.name
        assert events[-1][0] <= 1000 + len(pcm) / 16 + 800, file.name
        assert kinds(events)[-1] is UtteranceEnded, file.name


def test_labelled_speech_lies_within_utterances_and_most_silence_does_not(data):
    files = json.loads((data / "manifest.json").read_text())["files"]
    for entry in files:
        if "speech_segments" not in entry or "babble" in entry["file"]:  # babble is speech
            continue
        line = Endpointer(EndpointingSettings(hangover_ms=300))
        pcm = recording(data / entry["file"])
        events = [*(event for _, event in hear(line, pcm)), *line.flush()]
        at_ms = np.arange(0, len(pcm) / 16, 10)
        is_heard = np.zeros(len(at_ms), bool)
        is_speech = np.zeros(len(at_ms), bool)
        for event in events:
            if isinstance(event, UtteranceEnded):
                is_heard |= (at_ms >= event.start_ms) & (at_ms < event.end_ms)
        for start_s, end_s in entry["speech_segments"]:
            is_speech |= (at_ms >= 1000 * start_s) & (at_ms < 1000 * end_s)
        assert is_heard[is_speech].mean() > 0.85, entry["file"]
        assert is_heard[~is_speech].mean() < 0.4, entry["file"]


@pytest.mark.parametrize(
    "noise",
    [
        bytes(16 * 5000),
        comfort_noise(5000, 8000, -65),
        comfort_noise(1000, 8000, -65) + comfort_noise(5000, 8000, -40),
        comfort_noise(1000, 8000) + tone(425, 1000, 8000) + comfort_noise(1000, 8000),
    ],
    ids=["digital silence", "faint noise", "noise that rises", "a tone"],
)
def test_a_line_without_a_voice_is_not_taken_for_one(noise):
    assert hear(Endpointer(), noise) == []


def test_pressing_keys_is_not_taken_for_a_voice(data):
    keys = [recording(file) for file in sorted((data / "signals" / "dtmf").iterdir())]
    assert len(keys) >= 16
    assert [hear(Endpointer(), on_a_line(key)) for key in keys] == [[]] * len(keys)


def test_typing_rarely_sounds_like_a_voice(data):
    events = hear(Endpointer(), on_a_line(recording(data / "noise" / "keyboard-mx-blue-15s.ogg")))
    assert kinds(events).count(SpeechStarted) <= 4


@pytest.fixture(scope="module")
def silero():
    return load_silero(bundled_model())


def test_silero_hears_every_reading(data, silero):
    for file in readings(data):
        events = hear(Endpointer(detector=SileroDetector(silero)), on_a_line(recording(file)))
        assert kinds(events)[0] is SpeechStarted, file.name
        assert kinds(events)[-1] is UtteranceEnded, file.name


@pytest.mark.parametrize("name", ["keyboard-mx-blue-15s.ogg", "door-knock-02.ogg"])
def test_silero_hears_no_voice_in_knocks_and_typing(data, silero, name):
    assert hear(Endpointer(detector=SileroDetector(silero)), on_a_line(recording(data / "noise" / name))) == []


def test_one_network_serves_two_lines_without_mixing_them(data, silero):
    spoken = on_a_line(recording(readings(data)[0]))
    quiet = comfort_noise(len(spoken) / 16, 8000)
    alone = hear(Endpointer(detector=SileroDetector(silero)), spoken)
    talking, listening = (Endpointer(detector=SileroDetector(silero)) for _ in range(2))
    together = []
    for offset in range(0, len(spoken), 320):
        together += hear(talking, spoken[offset : offset + 320], offset / 16)
        assert listening.push(quiet[offset : offset + 320], offset / 16) == []
    assert together == alone
