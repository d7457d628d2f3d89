"""How loud each moment of a recording is, for drawing: one pass over the file, a byte a moment and channel."""

import base64
import wave
from collections import OrderedDict
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

MOST_BUCKETS = 24_000  # of an hour, that is one in 150 ms
_FINEST_MS = 20
_BLOCK_FRAMES = 1 << 19
_KEPT = 64

Samples = NDArray[np.int16]


class Peaks(msgspec.Struct, frozen=True, kw_only=True):
    """`caller` and `bot` hold a byte for each `bucket_ms`: the root of the loudest sample's share of full scale."""

    bucket_ms: float
    caller: bytes
    bot: bytes


def read_peaks(path: Path) -> Peaks:
    """Blocking. Raises `OSError`, `wave.Error` or `EOFError` where there is no recording to be read."""
    with wave.open(str(path), "rb") as file:
        rate_hz, channels, frames = file.getframerate(), file.getnchannels(), file.getnframes()
        if file.getsampwidth() != 2 or rate_hz <= 0:
            raise wave.Error("not 16 bits a sample")
        width = max(rate_hz * _FINEST_MS // 1000, -(-frames // MOST_BUCKETS), 1)
        found: list[list[Samples]] = [[], []]
        while block := file.readframes(max(1, _BLOCK_FRAMES // width) * width):
            samples = np.frombuffer(block[: len(block) // (2 * channels) * 2 * channels], "<i2").reshape(-1, channels)
            for side, loudest in enumerate(found):
                loudest.append(_loudest(samples[:, min(side, channels - 1)], width))
    caller, bot = (_as_bytes(loudest) for loudest in found)
    return Peaks(bucket_ms=width * 1000 / rate_hz, caller=caller, bot=bot)


def _loudest(samples: Samples, width: int) -> Any:
    """Of each `width` samples; the last ones may be fewer."""
    starts = np.arange(0, len(samples), width)
    if not len(starts):
        return samples
    # -32768 has no positive twin, so both ends are compared as wider numbers.
    return np.maximum(
        np.maximum.reduceat(samples, starts).astype(np.int32), -np.minimum.reduceat(samples, starts).astype(np.int32)
    )


def _as_bytes(loudest: list[Any]) -> bytes:
    if not loudest:
        return b""
    share = np.clip(np.concatenate(loudest), 0, 32767) / 32767
    drawn: bytes = (np.sqrt(share) * 255).astype(np.uint8).tobytes()
    return drawn


def as_json(peaks: Peaks) -> bytes:
    """Bytes as base64."""
    values = {
        "bucket_ms": peaks.bucket_ms,
        "caller": base64.b64encode(peaks.caller).decode(),
        "bot": base64.b64encode(peaks.bot).decode(),
    }
    return msgspec.json.encode(values)


class PeaksKept:
    """The peaks of the recordings that were looked at last; a file that has grown is read again."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int, int], Peaks] = OrderedDict()

    def of(self, path: Path) -> Peaks:
        """Blocking, and for any thread. Raises what `read_peaks` does."""
        stat = path.stat()
        key = str(path), stat.st_size, stat.st_mtime_ns
        peaks = self._kept.get(key) or read_peaks(path)
        self._kept[key] = peaks
        self._kept.move_to_end(key)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return peaks
