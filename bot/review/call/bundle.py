"""A call as one zip, written piece by piece: a recording of any length passes through and is never held whole."""

import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

_BLOCK_BYTES = 1 << 20
_ZIP64_FROM_BYTES = 1 << 31


class _Sink:
    """What `ZipFile` writes to where it cannot go back."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes, /) -> int:
        self._written += data
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing is open."""

    def take(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken


def zip_pieces(files: Sequence[tuple[str, bytes]], recording: Path | None, at: datetime) -> Iterator[bytes]:
    """The zip's bytes one after the other; the recording comes last, as `recording.wav`, and is not compressed.

    Blocking. `at` is the time that all files bear (the format knows no zone). Raises `OSError` where the recording
    cannot be read.
    """
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files:
            archive.writestr(_entry(name, at, zipfile.ZIP_DEFLATED), body)
            yield sink.take()
        if recording is not None:
            yield from _with_recording(archive, sink, recording, at)
    yield sink.take()


def _with_recording(archive: zipfile.ZipFile, sink: _Sink, recording: Path, at: datetime) -> Iterator[bytes]:
    entry = _entry("recording.wav", at, zipfile.ZIP_STORED)
    is_huge = recording.stat().st_size >= _ZIP64_FROM_BYTES
    with recording.open("rb") as sound, archive.open(entry, "w", force_zip64=is_huge) as target:
        while block := sound.read(_BLOCK_BYTES):
            target.write(block)
            yield sink.take()


def _entry(name: str, at: datetime, compression: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, at.timetuple()[:6])
    entry.compress_type = compression
    entry.external_attr = 0o600 << 16
    return entry
