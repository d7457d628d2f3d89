"""How loud sound is, and quiet sound to order: 16-bit little-endian mono throughout.

Levels are dBFS: 0 is a full-scale square wave, so a full-scale sine is -3.01 (ITU-T G.100.1 calls it dBov).
"""

import math
import warnings

import numpy as np
from numpy.typing import NDArray

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # as in g711.py
    import audioop

_FULL_SCALE = 32768.0
SILENCE_DBFS = -100.0
"""What digital silence counts as, since its logarithm does not exist."""


def dbfs(pcm: bytes) -> float:
    """The mean level (root mean square) of some sound; `SILENCE_DBFS` for none."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    if not len(samples):
        return SILENCE_DBFS
    return _decibels(math.sqrt(float(np.mean(samples * samples))))


def peak_dbfs(pcm: bytes) -> float:
    """The level of the loudest sample; `SILENCE_DBFS` for none."""
    samples = np.frombuffer(pcm, "<i2").astype(np.int32)
    return _decibels(float(np.max(np.abs(samples)))) if len(samples) else SILENCE_DBFS


def peak(pcm: bytes) -> int:
    """The loudest sample, 0 to 32768, in a microsecond a frame."""
    return audioop.max(pcm, 2)


def is_silent(pcm: bytes, below_dbfs: float = -50.0) -> bool:
    """Whether the mean level stays under a threshold."""
    return dbfs(pcm) < below_dbfs


def comfort_noise(ms: float, rate_hz: int, level_dbfs: float = -65.0, seed: int = 0) -> bytes:
    """White noise at a level, the same for the same seed: a line that is alive and says nothing."""
    samples = np.random.default_rng(seed).normal(0.0, _amplitude(level_dbfs), int(ms * rate_hz / 1000))
    return _as_pcm(samples)


def tone(freq_hz: float, ms: float, rate_hz: int, level_dbfs: float = -14.0, ramp_ms: float = 5.0) -> bytes:
    """A sine at a mean level, faded in and out so that it does not click."""
    count = int(ms * rate_hz / 1000)
    samples = np.sin(2 * np.pi * freq_hz / rate_hz * np.arange(count)) * _amplitude(level_dbfs) * math.sqrt(2)
    ramp = min(int(ramp_ms * rate_hz / 1000), count // 2)
    if ramp:
        fade = np.sin(np.linspace(0.0, np.pi / 2, ramp, endpoint=False)) ** 2
        samples[:ramp] *= fade
        samples[-ramp:] *= fade[::-1]
    return _as_pcm(samples)


def _decibels(amplitude: float) -> float:
    return max(SILENCE_DBFS, 20 * math.log10(amplitude / _FULL_SCALE)) if amplitude > 0 else SILENCE_DBFS


def _amplitude(level_dbfs: float) -> float:
    return float(_FULL_SCALE * 10 ** (level_dbfs / 20))


def _as_pcm(samples: NDArray[np.float64]) -> bytes:
    return np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes()
