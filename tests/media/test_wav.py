import io
import os
import resource
import signal
import subprocess
import sys
import wave
from pathlib import Path

import pytest
import soundfile

from media import wav
from media.wav import WavFile, wav_bytes

GROWS = """
import sys
from pathlib import Path
from media.wav import WavFile
file = WavFile(Path(sys.argv[1]), 8000, 2)
while True:
    file.append(bytes(range(64)) * 250)
    print("appended", flush=True)
"""


def test_a_finished_file_holds_what_was_appended(tmp_path: Path):
    file = WavFile(tmp_path / "deep" / "er" / "call.wav", 8000, 2)
    file.append(b"\x01\x00\x02\x00" * 100)
    file.append(b"\x03\x00\x04\x00" * 100)
    file.close()
    with wave.open(str(tmp_path / "deep" / "er" / "call.wav")) as read:
        assert (read.getframerate(), read.getnchannels(), read.getnframes()) == (8000, 2, 200)
        assert read.readframes(200) == b"\x01\x00\x02\x00" * 100 + b"\x03\x00\x04\x00" * 100


def test_it_plays_before_anything_was_appended(tmp_path: Path):
    WavFile(tmp_path / "call.wav", 8000, 2)
    with wave.open(str(tmp_path / "call.wav")) as read:
        assert read.getnframes() == 0


def test_a_killed_process_leaves_a_file_that_plays(tmp_path: Path):
    path = tmp_path / "call.wav"
    process = subprocess.Popen([sys.executable, "-c", GROWS, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(20)]
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    with wave.open(str(path)) as read:
        frames = read.getnframes()
        assert len(read.readframes(frames)) == 4 * frames
    assert frames >= len(lines) * 4000
    assert soundfile.info(path).frames == frames


def test_an_existing_recording_is_never_overwritten(tmp_path: Path):
    WavFile(tmp_path / "call.wav", 8000, 2).close()
    with pytest.raises(FileExistsError):
        WavFile(tmp_path / "call.wav", 8000, 2)


def test_half_a_sample_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="whole samples"):
        WavFile(tmp_path / "call.wav", 8000, 2).append(b"\x00\x00\x00")


def test_a_file_that_would_grow_beyond_what_its_header_can_say_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(wav, "MAX_DATA_BYTES", 100)
    with pytest.raises(OSError, match="4 GiB"):
        WavFile(tmp_path / "call.wav", 8000, 2).append(bytes(104))


def test_only_its_owner_may_hear_a_recording(tmp_path: Path):
    WavFile(tmp_path / "call.wav", 8000, 2).close()
    assert (tmp_path / "call.wav").stat().st_mode & 0o777 == 0o600


def test_a_disk_that_takes_only_part_of_a_block_leaves_a_file_that_plays(tmp_path: Path):
    path = tmp_path / "call.wav"
    file = WavFile(path, 8000, 2)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    heed = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OSError, match="written"):
            file.append(bytes(4000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, heed)
        file.close()
    with wave.open(str(path)) as read:
        assert len(read.readframes(read.getnframes())) == 4 * read.getnframes() == 956


def test_a_file_in_memory_is_one_that_others_can_read():
    with wave.open(io.BytesIO(wav_bytes(b"\x01\x00\x02\x00", 16000))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16000)
        assert file.readframes(10) == b"\x01\x00\x02\x00"
