import errno
import wave
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.recordings import Recording, Recordings, WritingThread


@pytest.fixture
async def recordings(tmp_path: Path):
    opened = Recordings(tmp_path / "not" / "there" / "yet")
    yield opened
    await opened.close()


def read(path: Path) -> tuple[int, int, bytes]:
    with wave.open(str(path)) as file:
        return file.getframerate(), file.getnchannels(), file.readframes(file.getnframes())


async def test_blocks_are_on_disk_in_their_order_once_the_recording_is_closed(recordings: Recordings):
    recording = await recordings.open("c1", 8000)
    blocks = [bytes([number] * 320) for number in range(100)]
    for block in blocks:
        recording.append(block)
    await recording.close()
    assert recording.path == recordings.folder / "c1.wav"
    assert read(recording.path) == (8000, 2, b"".join(blocks))


async def test_calls_share_the_thread_and_not_their_sound(recordings: Recordings):
    first, second = await recordings.open("c1", 8000), await recordings.open("c2", 16_000)
    for _ in range(10):
        first.append(b"\1" * 32)
        second.append(b"\2" * 64)
    await first.close()
    await second.close()
    assert read(first.path) == (8000, 2, b"\1" * 320)
    assert read(second.path) == (16_000, 2, b"\2" * 640)


async def test_a_recordings_length_is_that_of_what_is_on_disk(recordings: Recordings):
    recording = await recordings.open("c1", 8000)
    assert (recording.size_bytes, recording.duration_ms) == (0, 0)
    recording.append(bytes(8000 * 2 * 2))
    await recording.close()
    assert (recording.size_bytes, recording.duration_ms) == (32_000, 1000)


async def test_a_recording_does_not_replace_another(recordings: Recordings):
    await (await recordings.open("c1", 8000)).close()
    with pytest.raises(FileExistsError):
        await recordings.open("c1", 8000)


async def test_a_folder_that_cannot_be_made_is_told_when_the_recording_begins(tmp_path: Path):
    (tmp_path / "taken").write_text("a file")
    recordings = Recordings(tmp_path / "taken")
    with pytest.raises(OSError, match="taken"):
        await recordings.open("c1", 8000)
    await recordings.close()


class FullDisk:
    """A file that takes one block and no more."""

    def __init__(self) -> None:
        self.tries = 0

    def append(self, block: bytes) -> None:
        self.tries += 1
        if self.tries > 1:
            raise OSError(errno.ENOSPC, "No space left on device")

    def close(self) -> None: ...


async def test_a_write_that_fails_is_logged_once_and_ends_the_recording_only():
    file = FullDisk()
    thread = WritingThread()
    with capture_logs() as lines:
        recording = Recording(Path("c1.wav"), 8000, file, thread)
        for _ in range(5):
            recording.append(bytes(32))
        await recording.close()
    await thread.close()
    assert [line["event"] for line in lines] == ["recording_failed"]
    assert "No space left" in lines[0]["error"]
    assert (lines[0]["path"], file.tries, recording.size_bytes) == ("c1.wav", 2, 32)
