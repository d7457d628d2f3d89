"""What people upload: files of many kinds, and things that are none."""

import io
from pathlib import Path

import av
import numpy as np
import pytest

from bot.local.errors import SoundFileError
from bot.local.sound_files import RATE_HZ, SoundFile, quietest

KINDS = {  # an extension: FFmpeg's container and codec
    "flac": ("flac", "flac"),
    "m4a": ("ipod", "aac"),
    "mp3": ("mp3", "libmp3lame"),
    "mp4": ("mp4", "aac"),
    "mpeg": ("mp3", "libmp3lame"),
    "mpga": ("mp3", "libmp3lame"),
    "ogg": ("ogg", "libopus"),
    "wav": ("wav", "pcm_s16le"),
    "webm": ("webm", "libopus"),
}


def tones(seconds: float, *frequencies_hz: int, rate_hz: int = 48_000) -> np.ndarray:
    """A tone for each channel at a tenth of full scale."""
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    return np.array([3277 * np.sin(2 * np.pi * hz * time) for hz in frequencies_hz]).astype(np.int16)


def encoded(samples: np.ndarray, container: str, codec: str, rate_hz: int = 48_000) -> bytes:
    """A file of samples, shape (channels, samples)."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        layout = "stereo" if len(samples) == 2 else "mono"
        stream = output.add_stream(codec, rate=rate_hz, layout=layout)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="s16p", layout=layout)
        frame.sample_rate = rate_hz
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            output.mux(packet)
    return file.getvalue()


def read(content: bytes, name: str = "", longest_s: float = 60) -> tuple[SoundFile, np.ndarray]:
    sound = SoundFile(content, name)
    return sound, np.concatenate(list(sound.parts(longest_s)), axis=1)


def loudest_hz(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.fft.rfftfreq(len(samples), 1 / RATE_HZ)[spectrum.argmax()])


@pytest.mark.parametrize("extension", KINDS)
def test_every_kind_of_file_comes_out_at_16_khz_with_its_length(extension: str):
    sound, samples = read(encoded(tones(1.5, 440), *KINDS[extension]), f"call.{extension}")
    assert samples.dtype == np.int16
    assert samples.shape[0] == sound.channels == 1
    assert sound.seconds_read == pytest.approx(1.5, abs=0.08)  # MP3 and AAC pad their ends
    assert loudest_hz(samples[0]) == pytest.approx(440, abs=2)


def test_the_name_does_not_matter_where_the_content_speaks_for_itself():
    assert read(encoded(tones(0.5, 440), "flac", "flac"), "call.txt")[0].channels == 1


def test_two_channels_stay_apart():
    sound, samples = read(encoded(tones(1, 300, 1000), "wav", "pcm_s16le"))
    assert sound.channels == 2
    assert [round(loudest_hz(channel), -1) for channel in samples] == [300, 1000]


def test_mulaw_in_a_wav_is_read(data: Path):
    _, samples = read(encoded(tones(1, 440, rate_hz=8000), "wav", "pcm_mulaw", 8000))
    assert loudest_hz(samples[0]) == pytest.approx(440, abs=2)


def test_parts_are_no_longer_than_asked_and_lose_no_sample():
    sound = SoundFile(encoded(tones(10, 440), "wav", "pcm_s16le"))
    parts = [part.shape[1] for part in sound.parts(3)]
    assert max(parts) <= 3 * RATE_HZ
    assert sum(parts) == 10 * RATE_HZ == sound.samples_read


def test_a_part_is_cut_where_it_is_quietest():
    samples = np.concatenate([tones(2.4, 440), np.zeros((1, 48_000 * 2 // 10), np.int16), tones(2.4, 440)], axis=1)
    first = next(SoundFile(encoded(samples, "wav", "pcm_s16le")).parts(4))
    assert first.shape[1] / RATE_HZ == pytest.approx(2.5, abs=0.03)


def test_the_quietest_place_is_looked_for_near_the_end_only():
    samples = np.ones((1, 60 * RATE_HZ), np.int16)
    samples[:, :RATE_HZ] = 0
    samples[:, 50 * RATE_HZ : 51 * RATE_HZ] = 0
    assert 50 <= quietest(samples) / RATE_HZ <= 51


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "call.wav", "empty"),
        (b"These are words." * 100, "call.txt", "Supported formats: .*'flac'.*'webm'"),
        (b"These are words." * 100, "call.mp3", "corrupted or unsupported"),
        (b"RIFF\xff\xff\xff\xffWAVE" + b"\x00" * 200, "call.wav", "corrupted or unsupported"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "call.mp3", "corrupted or unsupported"),
    ],
)
def test_what_is_no_recording_is_refused(content: bytes, name: str, message: str):
    with pytest.raises(SoundFileError, match=message):
        read(content, name)


def test_a_playlist_is_not_followed_whatever_its_name():
    with pytest.raises(SoundFileError, match="Invalid file format"):
        read(b"#EXTM3U\nhttp://127.0.0.1/\n", "call.m3u8")


def test_less_than_a_tenth_of_a_second_is_too_short():
    with pytest.raises(SoundFileError, match="too short") as refused:
        read(encoded(tones(0.09, 440), "wav", "pcm_s16le"))
    assert refused.value.code == "audio_too_short"


def test_a_file_cut_off_is_worth_what_is_there(data: Path):
    content = (data / "speech-en" / "jfk-inaugural.flac").read_bytes()
    sound, _ = read(content[: len(content) // 2])
    assert 4 < sound.seconds_read < 7


def test_a_video_without_sound_is_refused():
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as output:
        stream = output.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        for packet in [*stream.encode(av.VideoFrame(64, 64, "yuv420p")), *stream.encode(None)]:
            output.mux(packet)
    with pytest.raises(SoundFileError, match="no audio"):
        read(file.getvalue(), "call.mp4")
