"""Recordings on disk: written off the event loop by one thread for all calls, so that a slow disk delays no audio."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog

from media.wav import WavFile

log = structlog.get_logger()

CHANNELS = 2


class Recordings:
    """The folder that recordings go to, and the thread that writes them in the order in which they are handed over."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="offhook-recordings")

    async def open(self, name: str, rate_hz: int) -> "Recording":
        """Begin `name`.wav; raises `OSError` where the folder cannot be written."""
        path = self.folder / f"{name}.wav"
        file = await asyncio.get_running_loop().run_in_executor(self._thread, WavFile, path, rate_hz, CHANNELS)
        return Recording(path, rate_hz, file, self._thread)

    async def close(self) -> None:
        await asyncio.to_thread(self._thread.shutdown)


class Recording:
    """One call's file. A write that fails ends the recording, not the call."""

    def __init__(self, path: Path, rate_hz: int, file: WavFile, thread: ThreadPoolExecutor) -> None:
        self.path = path
        self.rate_hz = rate_hz
        self.size_bytes = 0
        self._file = file
        self._thread = thread
        self._is_broken = False

    def append(self, block: bytes) -> None:
        """Hand over the next stretch; returns at once."""
        self._thread.submit(self._write, block)

    async def close(self) -> None:
        """Wait until everything handed over is on disk."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._file.close)

    @property
    def duration_ms(self) -> int:
        return self.size_bytes * 1000 // (self.rate_hz * 2 * CHANNELS)

    def _write(self, block: bytes) -> None:
        if self._is_broken:
            return
        try:
            self._file.append(block)
        except OSError as exc:
            self._is_broken = True
            log.error("recording_failed", path=str(self.path), error=str(exc), remedy="make room on the disk")
        else:
            self.size_bytes += len(block)
