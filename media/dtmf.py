"""Keys of a telephone as sound in the line: generation and streaming detection (ITU-T Q.23 and Q.24).

A key is two sines at once, one of a low group and one of a high group. The detector looks at overlapping windows, finds
the strongest frequency of each group, and measures how far off it is from how its phase turns between two windows. It
believes a window in which no third line stands out, and a key that several windows in a row agree on. Noise, even loud
noise, is spread too thin to make such a line; a voice has its other harmonics and is betrayed by them.

"Q.24" below means AT&T's figures in its annex, the most often asked for. Carriers that report keys as messages of
their own need none of this.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

DTMF_HZ = 8000
"""The rate the detector listens at."""

_ROW_HZ = (697.0, 770.0, 852.0, 941.0)
_COLUMN_HZ = (1209.0, 1336.0, 1477.0, 1633.0)
_KEYS = "123A456B789C*0#D"  # row by row
_SAMPLE_BYTES = 2
_FULL_SCALE = 32768.0
_RAMP_MS = 1.0

_WINDOW = 160  # samples, 20 ms: short enough to lie whole within the shortest tone, 40 ms, several times over
_HOP = 40  # samples, 5 ms
_OFF_FREQUENCY = 0.025  # Q.24: 1.5 % off must pass, 3.5 % must not
_TWIST_MIN, _TWIST_MAX = 10**-1.0, 10**0.6  # power of high against low, -10 and +6 dB; Q.24: -8 to +4 must pass
_LEVEL = 10**-4.0  # power of the weaker sine, -40 dBFS; Q.24: -25 dBm0, -31 dBFS, must pass and -55 dBm0 must not
_THIRD_LINE = 0.03  # of the power of the two sines; white noise 10 dB below them peaks at 0.027, vowels start at 0.04
_PURITY = 0.65  # least share of the two sines in the energy of a window; less if the tone does not fill it
_PASSED = 0.4  # least part of its power that the window passes of a sine which is off but still fits: 2.5 % at 1,633 Hz
_BESIDE_HZ = 150.0  # so far around a sine the window smears it
_WINDOWS_TO_PRESS = 5
_WINDOWS_TO_RELEASE = 5

_hann = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(_WINDOW) + 0.5) / _WINDOW)
_radians = 2 * np.pi * np.array(_ROW_HZ + _COLUMN_HZ) / DTMF_HZ  # per sample
_spectrum_hz = np.fft.rfftfreq(_WINDOW, 1 / DTMF_HZ)
_is_beside = np.abs(_spectrum_hz - np.array(_ROW_HZ + _COLUMN_HZ)[:, None]) <= _BESIDE_HZ  # (8, spectrum)
_waves = np.exp(-1j * np.outer(np.arange(_WINDOW), _radians))
_analysis = np.hstack([_waves.real, _waves.imag])  # (window, 16)
_weights = _hann / _FULL_SCALE
_mean_square = 2 / float(_hann.sum()) ** 2  # of a sine, from the square of its spectral line
_quietest_peak = int(_FULL_SCALE * (_PASSED * _LEVEL / 2) ** 0.5)  # no sine of `_LEVEL` fits in less


def generate(
    digits: str,
    *,
    tone_ms: float = 100.0,
    pause_ms: float = 100.0,
    low_dbfs: float = -16.0,
    twist_db: float = 2.0,
    rate_hz: int = DTMF_HZ,
) -> bytes:
    """The keys `0-9 * # A-D` as 16-bit little-endian mono, each tone followed by its pause.

    `low_dbfs` is the mean level of the low sine (0 is full scale), `twist_db` how much louder the high one is, to make
    up for what a long line takes from high frequencies. ValueError for other keys.
    """
    pause = bytes(_SAMPLE_BYTES * round(pause_ms * rate_hz / 1000))
    return b"".join([_tone(digit, tone_ms, low_dbfs, twist_db, rate_hz) + pause for digit in digits])


class DtmfDetector:
    """One direction of one call, at 8,000 Hz; says every key once, some 35 ms after it was pressed.

    As Q.24 has it: tones from 40 ms up are heard and those under 23 ms are not; pauses from 40 ms up part two presses
    of one key, and an interruption of 10 ms does not.
    """

    def __init__(self) -> None:
        self._samples = np.zeros(_HOP, "<i2")  # from the first one of the last window on
        self._key: str | None = None  # held down, and already said
        self._absent = 0  # windows since it was last seen
        self._candidate: str | None = None
        self._seen = 0  # windows in a row

    def push(self, pcm: bytes) -> list[str]:
        """The keys that 16-bit little-endian mono samples complete; any number of them, but whole ones (ValueError)."""
        if len(pcm) % _SAMPLE_BYTES:
            raise ValueError(f"PCM must be whole samples of {_SAMPLE_BYTES} bytes, got {len(pcm)} bytes")
        samples = np.concatenate([self._samples, np.frombuffer(pcm, "<i2")])
        count = max(0, (len(samples) - _WINDOW) // _HOP)
        self._samples = samples[count * _HOP :]
        return [key for seen in _look(samples, count) if (key := self._press(seen)) is not None] if count else []

    def _press(self, seen: str | None) -> str | None:
        """Follow one window; the key if it has just been pressed."""
        self._absent = 0 if seen == self._key else self._absent + 1
        if self._absent >= _WINDOWS_TO_RELEASE:
            self._key = None
        self._seen = self._seen + 1 if seen == self._candidate else 1
        self._candidate = seen
        if seen is None or seen == self._key or self._seen < _WINDOWS_TO_PRESS:
            return None
        self._key, self._absent = seen, 0
        return seen


def _look(samples: NDArray[np.int16], count: int) -> Sequence[str | None]:
    """Which key each of `count` windows shows; one more, in front of them, is there to compare phases with."""
    nothing = (None,) * count
    if max(int(samples.max()), -int(samples.min())) < _quietest_peak:
        return nothing
    windows = np.ndarray((count + 1, _WINDOW), "<i2", samples, strides=(_HOP * _SAMPLE_BYTES, _SAMPLE_BYTES))
    weighted = windows * _weights
    parts = weighted @ _analysis
    energy = np.einsum("ij,ij->i", weighted[1:], weighted[1:]) / float(_hann @ _hann)
    if not _may_show_key(parts[1:], energy).any():
        return nothing
    shows_key, row, column = _judge(parts[:, :8] + 1j * parts[:, 8:], weighted[1:], energy)
    return [_KEYS[4 * r + c - 4] if shows else None for r, c, shows in zip(row, column, shows_key, strict=True)]


def _may_show_key(parts: NDArray[np.float64], energy: NDArray[np.float64]) -> NDArray[np.bool_]:
    """A cheap look that lets every key of `_judge` pass, and next to nothing of speech."""
    squares = parts * parts
    power = squares[:, :8] + squares[:, 8:]
    low, high = power[:, :4].max(axis=1), power[:, 4:].max(axis=1)
    loud = np.minimum(low, high) * _mean_square >= _PASSED * _LEVEL
    verdict: NDArray[np.bool_] = loud & ((low + high) * _mean_square >= _PASSED * _PURITY * energy)
    return verdict


def _judge(
    spectra: NDArray[np.complex128], weighted: NDArray[np.float64], energy: NDArray[np.float64]
) -> tuple[NDArray[np.bool_], NDArray[np.intp], NDArray[np.intp]]:
    """Whether each window shows a key, its row, and its column from 4 up; `spectra` has one more, in front."""
    turned = spectra[1:] * np.conj(spectra[:-1] * np.exp(1j * _radians * _HOP))
    strength = np.abs(spectra[1:])
    at = np.arange(len(strength))
    row, column = strength[:, :4].argmax(axis=1), 4 + strength[:, 4:].argmax(axis=1)
    low, low_fits = _sine(strength[at, row], np.angle(turned[at, row]), row)
    high, high_fits = _sine(strength[at, column], np.angle(turned[at, column]), column)
    shows_key = (
        (np.minimum(low, high) >= _LEVEL)
        & low_fits
        & high_fits
        & (low * _TWIST_MIN <= high)
        & (high <= low * _TWIST_MAX)
        & (low + high >= _PURITY * energy)
        & (_third_line(weighted, row, column) <= _THIRD_LINE * (low + high))
    )
    return shows_key, row, column


def _sine(
    strength: NDArray[np.float64], turn: NDArray[np.float64], which: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The mean square of the sine behind a spectral line, and whether its frequency is near enough.

    `turn` is how far, in radians, its phase ran ahead of the nominal frequency within a hop.
    """
    fits = np.abs(turn) <= _OFF_FREQUENCY * _radians[which] * _HOP
    # Off the nominal frequency the window passes less of it; this is the Hann window's response. Where the sine
    # does not fit anyway, 0.9 bins keep clear of the 0/0 at one bin.
    bins = np.clip(turn * _WINDOW / (2 * np.pi * _HOP), -0.9, 0.9)
    passed = np.sinc(bins) / (1 - bins**2)
    return _mean_square * (strength / passed) ** 2, fits


def _third_line(weighted: NDArray[np.float64], row: NDArray[np.intp], column: NDArray[np.intp]) -> NDArray[np.float64]:
    """The mean square of the strongest spectral line away from the two sines."""
    lines = np.abs(np.fft.rfft(weighted))
    lines[_is_beside[row] | _is_beside[column]] = 0.0
    strongest: NDArray[np.float64] = lines.max(axis=1)
    return _mean_square * strongest**2


def _tone(digit: str, tone_ms: float, low_dbfs: float, twist_db: float, rate_hz: int) -> bytes:
    place = _KEYS.find(digit.upper())
    if place < 0:
        raise ValueError(f"not a telephone key: {digit!r}")
    count = round(tone_ms * rate_hz / 1000)
    at = 2 * np.pi * np.arange(count) / rate_hz
    low, high = np.sin(_ROW_HZ[place // 4] * at), np.sin(_COLUMN_HZ[place % 4] * at)
    peak = _FULL_SCALE * np.sqrt(2.0) * 10 ** (low_dbfs / 20)
    edge = np.minimum(np.arange(count) + 0.5, np.arange(count)[::-1] + 0.5) / (_RAMP_MS * rate_hz / 1000)
    samples = peak * (low + high * 10 ** (twist_db / 20)) * np.minimum(edge, 1.0)
    pcm: bytes = np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes()
    return pcm
