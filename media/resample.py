"""Streaming sample-rate conversion of 16-bit mono PCM with a stated, small delay.

A polyphase FIR filter: a windowed sinc (Kaiser) at the least common multiple of both rates, linear in phase, half way
down at half the lower rate. With 8 kHz on either side it is flat to 3.4 kHz and 60 dB down from 4.6 kHz; the edges
move with the lower rate. What does fold lies within 600 Hz of 4 kHz, outside the band of a telephone.

The arithmetic is exact: samples are whole numbers, coefficients whole multiples of 2^-24, so every partial sum fits a
double without rounding and the order of summing (BLAS, chunk sizes) cannot change a bit of the output.

It is no general-purpose resampler: the passband ends at 42.5 % of the lower rate, to keep the delay under 1.6 ms.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import gcd

import numpy as np
from numpy.typing import NDArray

SAMPLE_BYTES = 2
_MAX_DELAY = 12.8  # samples of the lower rate, 1.6 ms at 8 kHz: all of it is spent on the steepness of the filter
_KAISER_BETA = 5.85  # the most stop-band from 0.575 of the lower rate at this length
_COEFFICIENT_STEPS = 2.0**24
_MAX_TERM = 2000  # of the reduced ratio; its two terms multiplied are the size of the matrix
_BLOCK_SAMPLES = 40  # aim for blocks of so many samples on the faster side
_PIECE_MS = 60  # longer input is taken in pieces, so that the work buffers stay small


@dataclass(frozen=True, slots=True)
class _Filter:
    """Every block of `inputs` samples, and the `history` before it, times `matrix` gives `outputs` samples."""

    inputs: int
    outputs: int
    history: int
    matrix: NDArray[np.float64]  # (history + inputs, outputs)
    delay_ms: float
    waiting: int  # so many more inputs bring out the newest one


class Resampler:
    """One direction of one call, from `in_hz` to `out_hz`.

    After n samples in, exactly floor(n * out_hz / in_hz) have come out, whatever the chunks were: a 20 ms frame in
    gives a 20 ms frame out from the first one on. Equal rates pass through untouched.
    """

    def __init__(self, in_hz: int, out_hz: int) -> None:
        """Raises ValueError for rates that are not positive, or whose ratio has no small whole terms."""
        if in_hz <= 0 or out_hz <= 0:
            raise ValueError(f"sample rates must be positive, got {in_hz} and {out_hz} Hz")
        self._in_hz = in_hz
        self._filter = None if in_hz == out_hz else _design(in_hz, out_hz)
        if self._filter is not None:
            self._allocate(self._filter)

    @property
    def delay_ms(self) -> float:
        """How much later a sound lies in the output than in the input, both counted from their first sample."""
        return self._filter.delay_ms if self._filter else 0.0

    def push(self, pcm: bytes) -> bytes:
        """Convert 16-bit little-endian mono samples; any number of them, but whole ones (else ValueError)."""
        if len(pcm) % SAMPLE_BYTES:
            raise ValueError(f"PCM must be whole samples of {SAMPLE_BYTES} bytes, got {len(pcm)} bytes")
        if self._filter is None:
            return bytes(pcm)
        samples = np.frombuffer(pcm, "<i2")
        if len(samples) <= self._piece:
            return self._convert(self._filter, samples)
        starts = range(0, len(samples), self._piece)
        return b"".join([self._convert(self._filter, samples[start : start + self._piece]) for start in starts])

    def flush(self) -> bytes:
        """The last `delay_ms` of the sound, which are still inside; afterwards the resampler is as new."""
        if self._filter is None:
            return b""
        tail = self.push(bytes(SAMPLE_BYTES * self._filter.waiting))
        self.reset()
        return tail

    def reset(self) -> None:
        """Forget the sound so far; the next sample is the first."""
        if self._filter is not None:
            self._line.fill(0)
            self._begun = 0

    def _allocate(self, fir: _Filter) -> None:
        blocks = -(-self._in_hz * _PIECE_MS // 1000 // fir.inputs) + 1
        self._piece = (blocks - 1) * fir.inputs
        self._begun = 0  # samples of a block that has begun and is not yet whole
        # The line holds the history, then that block from its first sample; new samples are written behind.
        self._line: NDArray[np.float64] = np.zeros(fir.history + blocks * fir.inputs)
        windows = np.lib.stride_tricks.sliding_window_view(self._line, fir.history + fir.inputs)
        self._windows = windows[:: fir.inputs]
        self._rows = np.empty(self._windows.shape)  # the windows overlap, which BLAS does not take
        self._products = np.empty((blocks, fir.outputs))
        self._pcm = np.empty((blocks, fir.outputs), "<i2")
        self._pcm_flat = self._pcm.reshape(-1)

    def _convert(self, fir: _Filter, samples: NDArray[np.int16]) -> bytes:
        line, begun = self._line, self._begun
        end = begun + len(samples)
        line[fir.history + begun : fir.history + end] = samples
        blocks = -(-end // fir.inputs)
        rows, products, pcm = self._rows[:blocks], self._products[:blocks], self._pcm[:blocks]
        # Behind the newest sample lie old ones, but what is returned below has only zeros against them.
        np.copyto(rows, self._windows[:blocks])
        np.matmul(rows, fir.matrix, out=products)
        np.rint(products, out=products)
        np.maximum(products, -32768.0, out=products)
        np.minimum(products, 32767.0, out=products)
        np.copyto(pcm, products, casting="unsafe")
        converted = self._pcm_flat[begun * fir.outputs // fir.inputs : end * fir.outputs // fir.inputs].tobytes()
        self._begun = end % fir.inputs
        done = end - self._begun
        if done:
            line[: fir.history + self._begun] = line[done : fir.history + end]
        return converted


@lru_cache(maxsize=32)
def _design(in_hz: int, out_hz: int) -> _Filter:
    """The filter as one matrix for a block of whole periods of the two rates.

    On the grid of the common multiple (ticks), input n lies at n * up and output m at m * down. Output m is due once
    the last input before tick (m + 1) * down is there, so the filter may look `down - 1` ticks ahead of m * down.
    """
    divisor = gcd(in_hz, out_hz)
    up, down = out_hz // divisor, in_hz // divisor
    if max(up, down) > _MAX_TERM:
        raise ValueError(f"cannot resample {in_hz} to {out_hz} Hz: {down}:{up} has terms over {_MAX_TERM}")
    ticks_per_sample = max(up, down)  # of the lower rate
    ahead = down - 1
    half = int(_MAX_DELAY * ticks_per_sample) + ahead
    taps = _windowed_sinc(half, ticks_per_sample, up)
    periods = max(1, _BLOCK_SAMPLES // ticks_per_sample)
    inputs, outputs = periods * down, periods * up
    history = (2 * half - ahead) // up + 1
    newest = up * np.arange(-history, inputs)[:, None]
    lag = down * np.arange(outputs) + ahead - newest  # (history + inputs, outputs), in ticks
    matrix = np.where((lag >= 0) & (lag <= 2 * half), taps[np.clip(lag, 0, 2 * half)], 0.0)
    delay_ms = 1000 * (half - ahead) / (in_hz * up)
    return _Filter(inputs, outputs, history, np.ascontiguousarray(matrix), delay_ms, -(-(half + 1) // up) - 1)


def _windowed_sinc(half: int, ticks_per_sample: int, up: int) -> NDArray[np.float64]:
    """2 * half + 1 taps, in steps of 2^-24; each of the `up` phases sums to exactly one, so a constant stays one."""
    sinc = np.sinc(np.arange(-half, half + 1) / ticks_per_sample) * np.kaiser(2 * half + 1, _KAISER_BETA)
    for phase in range(up):
        taps = sinc[phase::up]
        steps = np.rint(taps / taps.sum() * _COEFFICIENT_STEPS)
        steps[np.argmax(steps)] += _COEFFICIENT_STEPS - steps.sum()
        sinc[phase::up] = steps / _COEFFICIENT_STEPS
    return sinc
