"""Recordings on disk: written off the event loop by one thread for all calls, so that a slow disk delays no audio.

What all calls hand over within a tenth of a second goes to the thread in one piece: waking it costs more than writing.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog

from media.wav import WavFile

T = TypeVar("T")
log = structlog.get_logger()

CHANNELS = 2
_GATHER_S = 0.1


class Recordings:
    """The folder that recordings go to, and the thread that writes them in the order in which they are handed over."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._thread = WritingThread()

    async def open(self, name: str, rate_hz: int) -> "Recording":
        """Begin `name`.wav; raises `OSError` where the folder cannot be written."""
        path = self.folder / f"{name}.wav"
        file = await self._thread.run(partial(WavFile, path, rate_hz, CHANNELS))
        return Recording(path, rate_hz, file, self._thread)

    async def close(self) -> None:
        await self._thread.close()


class WritingThread:
    """Does what it is given in that order; what can wait gathers for a moment, what cannot takes it along."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="offhook-recordings")
        self._gathered: list[Callable[[], None]] = []

    def soon(self, work: Callable[[], None]) -> None:
        """Returns at once; `work` must not raise."""
        if not self._gathered:
            asyncio.get_running_loop().call_later(_GATHER_S, self._hand_over)
        self._gathered.append(work)

    async def run(self, work: Callable[[], T]) -> T:
        """Do this after all that was given before, and wait for it; raises what it raises."""
        self._hand_over()
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def close(self) -> None:
        self._hand_over()
        await asyncio.to_thread(self._thread.shutdown)

    def _hand_over(self) -> None:
        if self._gathered:
            gathered, self._gathered = self._gathered, []
            self._thread.submit(_do_all, gathered)


def _do_all(works: Sequence[Callable[[], None]]) -> None:
    for work in works:
        work()


class Recording:
    """One call's file. A write that fails ends the recording, not the call."""

    def __init__(self, path: Path, rate_hz: int, file: WavFile, thread: WritingThread) -> None:
        self.path = path
        self.rate_hz = rate_hz
        self.size_bytes = 0
        self._file = file
        self._thread = thread
        self._is_broken = False

    def append(self, block: bytes) -> None:
        """Hand over the next stretch; returns at once."""
        self._thread.soon(partial(self._write, block))

    async def close(self) -> None:
        """Wait until everything handed over is on disk."""
        await self._thread.run(self._file.close)

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
