"""WAV (RIFF, linear PCM): a file that plays at every moment while it grows, also after the process was killed, and
one that is whole, in memory.
"""

import errno
import os
import struct
from pathlib import Path
from typing import BinaryIO

_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_PCM, _BITS = 1, 16
MAX_DATA_BYTES = 2**32 - 1 - _HEADER.size  # the format counts bytes with 32 bits


def wav_bytes(pcm: bytes, rate_hz: int, channels: int = 1) -> bytes:
    """A whole file around 16-bit little-endian samples, interleaved."""
    return _header(len(pcm), rate_hz, channels) + pcm


class WavFile:
    """16-bit little-endian samples. Blocking: whoever must not wait gives it a thread."""

    def __init__(self, path: Path, rate_hz: int, channels: int) -> None:
        """Create the file and the folders above it; raises `FileExistsError`, or another `OSError`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        # Only its owner may hear it, whatever the process's umask says.
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        self._file: BinaryIO = open(descriptor, "wb", buffering=0)  # noqa: SIM115
        self._data_bytes = 0
        self._block = 2 * channels
        self._rate_hz, self._channels = rate_hz, channels
        self._file.write(self._header())

    def append(self, pcm: bytes) -> None:
        """Write interleaved samples, then say in the header that they are there."""
        if len(pcm) % self._block:
            raise ValueError(f"{len(pcm)} bytes are no whole samples of {self._block} bytes")
        if self._data_bytes + len(pcm) > MAX_DATA_BYTES:
            raise OSError("a WAV file holds at most 4 GiB; begin another one")
        # A full disk may take only part of it.
        written = os.pwrite(self._file.fileno(), pcm, _HEADER.size + self._data_bytes)
        self._data_bytes += written - written % self._block
        # In one write: sizes that do not fit each other are refused by some players, also for a moment.
        os.pwrite(self._file.fileno(), self._header(), 0)
        if written < len(pcm):
            raise OSError(errno.ENOSPC, f"only {written} of {len(pcm)} bytes were written")

    def close(self) -> None:
        self._file.close()

    def _header(self) -> bytes:
        return _header(self._data_bytes, self._rate_hz, self._channels)


def _header(data_bytes: int, rate_hz: int, channels: int) -> bytes:
    block = 2 * channels
    return _HEADER.pack(
        b"RIFF", _HEADER.size - 8 + data_bytes, b"WAVE", b"fmt ", 16, _PCM, channels, rate_hz, rate_hz * block, block,
        _BITS, b"data", data_bytes,
    )  # fmt: skip
