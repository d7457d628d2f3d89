import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from bot.errors import RehearsalError
from bot.rehearsal.audio import load_pcm
from bot.rehearsal.sound import stretches
from media.level import tone


def write(path: Path, samples: bytes, *, rate_hz: int = 8000, channels: int = 1, width: int = 2) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate_hz)
        file.writeframes(samples)
    return path


def test_telephone_audio_is_taken_as_it_is(tmp_path):
    assert load_pcm(write(tmp_path / "a.wav", tone(440, 100, 8000))) == tone(440, 100, 8000)


def test_two_channels_become_one(tmp_path):
    left, right = np.full(800, 1000, "<i2"), np.full(800, 3000, "<i2")
    path = write(tmp_path / "a.wav", np.column_stack((left, right)).tobytes(), channels=2)
    assert set(np.frombuffer(load_pcm(path), "<i2")) == {2000}


@pytest.mark.parametrize(("width", "encoded"), [(1, bytes([192])), (3, b"\x99\x00\x40"), (4, b"\x99\x99\x00\x40")])
def test_samples_of_any_width_are_scaled(tmp_path, width, encoded):
    path = write(tmp_path / "a.wav", encoded * 800, width=width)
    assert set(np.frombuffer(load_pcm(path), "<i2")) == {16384}


@pytest.mark.parametrize("rate_hz", [16000, 24000, 44100, 48000])
def test_other_rates_are_converted(tmp_path, rate_hz):
    pcm = load_pcm(write(tmp_path / "a.wav", tone(1000, 500, rate_hz), rate_hz=rate_hz))
    assert len(pcm) / 16 == pytest.approx(500, abs=5)
    spectrum = np.abs(np.fft.rfft(np.frombuffer(pcm, "<i2")[400:3600].astype(float)))
    assert np.argmax(spectrum) * 8000 / 3200 == pytest.approx(1000, abs=5)


@pytest.mark.parametrize("name", ["speech-en/google-brooklyn-bridge.flac", "noise/door-knock-02.ogg"])
def test_compressed_recordings_are_read_through_pyav(data, name):
    pytest.importorskip("av")
    pcm = load_pcm(data / name)
    assert stretches(pcm, merge_ms=5000)
    assert len(pcm) > 8000


def test_without_pyav_the_error_says_what_to_install(data, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(RehearsalError, match=r"offhook\[local\]"):
        load_pcm(data / "speech-en/google-brooklyn-bridge.flac")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(RehearsalError, match=r"missing\.wav: No such file"):
        load_pcm(tmp_path / "missing.wav")


def test_a_recording_of_nothing_is_refused(tmp_path):
    with pytest.raises(RehearsalError, match="no sound"):
        load_pcm(write(tmp_path / "a.wav", b""))


def test_a_file_that_is_no_audio_is_refused(tmp_path):
    pytest.importorskip("av")
    path = tmp_path / "notes.mp3"
    path.write_text("ring the bell " * 100)
    with pytest.raises(RehearsalError, match=r"notes\.mp3"):
        load_pcm(path)
