"""What is uploaded: files as they are where servers take them, else FLAC in parts that fit."""

from pathlib import Path

import numpy as np
import pytest

from bot.analysis.sound_parts import Cutting, SoundPart, flac, sound_facts, sound_parts
from bot.analysis.turn_parts import turn_parts
from bot.errors import VoiceError
from bot.local.sound_files import RATE_HZ, SoundFile
from bot.speech.model_table import LARGEST_UPLOAD
from tests.support.local_server import sound_file


@pytest.fixture
def kennedy(data: Path) -> Path:
    return data / "speech-en" / "jfk-inaugural.flac"


def parts(path: Path, **how: object) -> list[SoundPart]:
    return list(sound_parts(path, Cutting(**how)))  # type: ignore[arg-type]


def decoded(content: bytes) -> np.ndarray:
    return np.concatenate(list(SoundFile(content).blocks()), axis=1)


def written(folder: Path, name: str, samples: np.ndarray, container: str, codec: str, rate_hz: int = RATE_HZ) -> Path:
    path = folder / name
    path.write_bytes(sound_file(samples, rate_hz, container, codec))
    return path


def tone(seconds: float, channels: int = 1) -> np.ndarray:
    wave = 8000 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)
    return np.stack([wave / (number + 1) for number in range(channels)]).astype(np.int16)


def test_a_short_file_goes_as_it_is(kennedy: Path):
    (part,) = parts(kennedy)
    assert part.content == kennedy.read_bytes()
    assert (part.file_name, part.start_s, part.end_s) == ("recording.flac", 0.0, 11.0)


@pytest.mark.parametrize(
    ("name", "container", "codec", "sent"),
    [
        ("a.mp3", "mp3", "libmp3lame", "recording.mp3"),
        ("a.ogg", "ogg", "libopus", "recording.ogg"),
        ("a.m4a", "mp4", "aac", "recording.m4a"),
        ("a.webm", "webm", "libopus", "recording.webm"),
        ("a.bin", "wav", "pcm_s16le", "recording.wav"),
        ("a.wav", "wav", "pcm_mulaw", "recording.flac"),  # which some servers refuse
        ("a.aac", "adts", "aac", "recording.flac"),  # which no list of theirs has
    ],
)
def test_a_file_is_named_for_what_is_in_it(tmp_path: Path, name: str, container: str, codec: str, sent: str):
    rate_hz = 8000 if codec == "pcm_mulaw" else 48_000 if codec == "libopus" else RATE_HZ
    path = written(tmp_path, name, tone(1.0), container, codec, rate_hz)
    (part,) = parts(path)
    assert part.file_name == sent
    assert decoded(part.content).any()


def test_a_file_above_25_mb_is_written_again_smaller(tmp_path: Path):
    path = written(tmp_path, "large.wav", tone(140, channels=2), "wav", "pcm_s32le", 48_000)
    assert path.stat().st_size > LARGEST_UPLOAD / 2
    with path.open("ab") as file:
        file.write(bytes(LARGEST_UPLOAD))  # what follows the sound is no sound
    (part,) = parts(path)
    assert part.file_name == "recording.flac"
    assert len(part.content) < 5_000_000


def test_parts_hold_every_sample_once(kennedy: Path):
    found = parts(kennedy, longest_s=4.0)
    assert len(found) > 2
    assert [part.start_s for part in found[1:]] == [part.end_s for part in found[:-1]]
    joined = np.concatenate([decoded(part.content) for part in found], axis=1)
    assert np.array_equal(joined, decoded(kennedy.read_bytes()))


def test_a_part_ends_where_nobody_speaks(kennedy: Path):
    """He pauses from 2.0 to 3.3 s, from 4.3 to 5.4 s and from 7.7 to 8.2 s."""
    assert [part.end_s for part in parts(kennedy, longest_s=4.0)[:-1]] == pytest.approx([2.75, 4.85, 7.9], abs=0.4)


@pytest.mark.parametrize("name", ["ls-3331-159605-0005", "harvard-spk1_snt1", "ls-2414-128291-0007"])
def test_where_nobody_stops_it_ends_where_it_is_quietest(data: Path, name: str):
    """With 1.2 s to a part there is no pause to be had in most."""
    path = data / "speech-en" / f"{name}.flac"
    sound = decoded(path.read_bytes())[0].astype(float)
    usual = np.sqrt(np.mean(np.square(sound)))
    for part in parts(path, longest_s=1.2)[:-1]:
        place = round(part.end_s * RATE_HZ)
        assert np.sqrt(np.mean(np.square(sound[place - 160 : place + 160]))) < usual


def test_no_part_is_too_short_to_be_taken(tmp_path: Path):
    path = written(tmp_path, "bit.wav", tone(4.05), "wav", "pcm_s16le")
    assert all(part.end_s - part.start_s >= 1 for part in parts(path, longest_s=4.0))


@pytest.mark.parametrize(("keeps_channels", "seconds"), [(False, 600.0), (True, 401.5)])
def test_even_noise_fits_an_upload(keeps_channels: bool, seconds: float):
    longest = Cutting(keeps_channels=keeps_channels).longest_samples
    assert longest / RATE_HZ == pytest.approx(seconds, abs=1)
    noise = np.random.default_rng(1).integers(-32768, 32767, (2 if keeps_channels else 1, 20 * RATE_HZ), np.int16)
    assert (len(flac(noise)) - 8192) * longest / (20 * RATE_HZ) < LARGEST_UPLOAD - 8192  # a header's worth


def test_one_channel_can_be_had_alone_and_both_can_be_kept(tmp_path: Path):
    path = written(tmp_path, "two.wav", tone(1.0, channels=2), "wav", "pcm_s16le")
    assert sound_facts(path).channels == 2
    levels = [np.abs(decoded(parts(path, channel=channel)[0].content)).max() for channel in (0, 1)]
    assert levels == pytest.approx([8000, 4000], abs=50)
    assert [len(decoded(parts(path, longest_s=0.9, keeps_channels=kept)[0].content)) for kept in (True, False)] == [
        2,
        1,
    ]


def test_what_cannot_be_read_is_a_sentence(tmp_path: Path):
    with pytest.raises(VoiceError, match="cannot read"):
        parts(tmp_path / "missing.wav")


def test_turns_are_what_lies_between_longer_pauses(kennedy: Path):
    found = list(turn_parts(kennedy, Cutting()))
    assert [part.start_s for part in found] == pytest.approx([0.1, 3.1, 5.2], abs=0.3)
    assert [part.end_s for part in found[:2]] == pytest.approx([2.3, 4.5], abs=0.3)


def test_silence_has_no_turns(tmp_path: Path):
    path = written(tmp_path, "silent.wav", np.zeros((1, 5 * RATE_HZ), np.int16), "wav", "pcm_s16le")
    assert list(turn_parts(path, Cutting())) == []


def test_a_turn_that_is_too_long_is_cut_in_a_pause(kennedy: Path):
    found = list(turn_parts(kennedy, Cutting(longest_s=3.0)))
    assert all(part.end_s - part.start_s <= 3.5 for part in found)
    assert any(7.4 < part.end_s < 8.3 for part in found)
