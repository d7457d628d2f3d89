"""Where sound is on a telephone line: the level above which we say that somebody is heard.

A threshold on single samples is all a rehearsal needs: both ends are known, and what is asked is *when* a sound began
or ended, to the sample. It is no voice activity detection (media/endpointing.py).
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from media.g711 import decode_ulaw

RATE_HZ = 8000
FRAME_MS = 20
FRAME_BYTES = 160  # of mu-law
ULAW_SILENCE = b"\xff"
THRESHOLD = 200  # of 32,768, which is -44 dBFS: above a quiet line's noise, below any spoken sound


class Stretch(NamedTuple):
    """From the first audible sample to the end of the last one, in milliseconds on the call's clock."""

    start_ms: float
    end_ms: float


def _ulaw_is_sound() -> bytes:
    levels = np.abs(np.frombuffer(decode_ulaw(bytes(range(256))), "<i2").astype(np.int32))
    return bytes((levels > THRESHOLD).astype(np.uint8))


_IS_SOUND = _ulaw_is_sound()


def first_sound_ms(payload: bytes) -> float | None:
    """How far into a mu-law payload the first audible sample is; None if it is silent."""
    index = payload.translate(_IS_SOUND).find(1)
    return None if index < 0 else index * 1000 / RATE_HZ


def last_sound_ms(payload: bytes) -> float | None:
    """Where in a mu-law payload the last audible sample ends; None if it is silent."""
    index = payload.translate(_IS_SOUND).rfind(1)
    return None if index < 0 else (index + 1) * 1000 / RATE_HZ


def stretches(pcm: bytes, merge_ms: float) -> list[Stretch]:
    """The audible stretches of 16-bit 8 kHz audio; those less than `merge_ms` apart are one."""
    samples = np.frombuffer(pcm, "<i2").astype(np.int32)
    loud = np.flatnonzero(np.abs(samples) > THRESHOLD)
    return list(_join(loud, merge_ms * RATE_HZ / 1000)) if loud.size else []


def _join(loud: "np.ndarray[tuple[int], np.dtype[np.intp]]", merge_samples: float) -> Iterator[Stretch]:
    breaks = np.flatnonzero(np.diff(loud) > merge_samples)
    starts = loud[np.concatenate(([0], breaks + 1))]
    ends = loud[np.concatenate((breaks, [loud.size - 1]))] + 1
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        yield Stretch(start * 1000 / RATE_HZ, end * 1000 / RATE_HZ)
