"""A recording's peaks, and the zip that it goes out in."""

import io
import wave
import zipfile
from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest

from bot.review.call.bundle import zip_pieces
from bot.review.call.peaks import MOST_BUCKETS, PeaksKept, as_json, read_peaks
from media.wav import wav_bytes

AT = datetime(2026, 11, 20, 12, 0, 6, tzinfo=UTC)


def write(path, caller, bot, rate_hz=8000):
    samples = np.stack([caller, bot], axis=1).astype("<i2")
    path.write_bytes(wav_bytes(samples.tobytes(), rate_hz, 2))
    return path


def test_peaks_say_how_loud_each_channel_is_when(tmp_path):
    caller, bot = np.zeros(8000), np.zeros(8000)
    caller[2000:2160] = -32768  # 20 ms, as loud as can be
    bot[7999] = 8192  # a quarter of full scale: its root is a half
    peaks = read_peaks(write(tmp_path / "a.wav", caller, bot))
    assert peaks.bucket_ms == 20
    assert len(peaks.caller) == len(peaks.bot) == 50
    assert [at for at, value in enumerate(peaks.caller) if value] == [12, 13]
    assert peaks.caller[12] == 255
    assert peaks.bot[49] == 127


def test_a_long_recording_has_coarser_peaks_and_no_end_is_lost(tmp_path):
    samples = np.zeros(8000 * 700)
    samples[-1] = 32767
    peaks = read_peaks(write(tmp_path / "a.wav", samples, samples))
    assert len(peaks.caller) <= MOST_BUCKETS
    assert peaks.bucket_ms * len(peaks.caller) >= 700_000
    assert peaks.caller[-1] == 255


def test_a_recording_without_sound_has_no_peaks(tmp_path):
    assert read_peaks(write(tmp_path / "a.wav", np.zeros(0), np.zeros(0))).caller == b""


@pytest.mark.parametrize("content", [b"", b"RIFF", b"\x00" * 100])
def test_what_is_no_recording_is_said_to_be_none(tmp_path, content):
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises((wave.Error, EOFError)):
        read_peaks(tmp_path / "a.wav")


def test_peaks_are_kept_until_the_file_grows(tmp_path):
    kept = PeaksKept()
    path = write(tmp_path / "a.wav", np.zeros(800), np.zeros(800))
    first = kept.of(path)
    assert kept.of(path) is first
    write(path, np.zeros(1600), np.zeros(1600))
    assert len(kept.of(path).caller) == 10


def test_peaks_are_sent_as_numbers_and_base64(tmp_path):
    peaks = read_peaks(write(tmp_path / "a.wav", np.full(160, 32767), np.zeros(160)))
    assert msgspec.json.decode(as_json(peaks)) == {"bucket_ms": 20.0, "caller": "/w==", "bot": "AA=="}


def test_a_zip_holds_the_files_and_the_recording_last(tmp_path):
    (tmp_path / "a.wav").write_bytes(bytes(range(256)) * 1000)
    body = b"".join(zip_pieces([("index.html", b"<p>"), ("call.json", b"{}")], tmp_path / "a.wav", AT))
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["index.html", "call.json", "recording.wav"]
        assert archive.read("recording.wav") == bytes(range(256)) * 1000
        assert archive.getinfo("recording.wav").date_time == (2026, 11, 20, 12, 0, 6)


def test_a_long_recording_is_never_held_whole(tmp_path):
    with (tmp_path / "a.wav").open("wb") as file:
        file.truncate(20 << 20)
    sizes = [len(piece) for piece in zip_pieces([], tmp_path / "a.wav", AT)]
    assert sum(sizes) > 20 << 20
    assert max(sizes) < 2 << 20


def test_a_call_without_a_recording_is_a_zip_too():
    body = b"".join(zip_pieces([("call.json", b"{}")], None, AT))
    assert zipfile.ZipFile(io.BytesIO(body)).namelist() == ["call.json"]
