"""How much one frame sounds like somebody speaking: the judge under media/endpointing.py, in numpy alone.

A detector is given a line frame by frame, in order, and keeps what it must know of the past. It knows no utterances:
when speech begins and ends is decided one file up.

`VoiceDetector` looks at the last 40 ms in five bands of the telephone's range and asks: how far does each stand out of
its own noise floor, is there a pitch, is it only a tone, and how was it over the last tenths of a second? One weight
for each answer, and their sum, squashed, is the likelihood. While a line is no louder than its noise, it is looked at
only now and then, which makes a silent line cheap.
"""

import math
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

FRAME_SAMPLES = 160
"""What a detector is given at a time: 20 ms at 8,000 Hz."""

Floats = NDArray[np.floating[Any]]


class Detector(Protocol):
    def likelihood(self, samples: NDArray[np.int16]) -> float:
        """How sure it is that the next 20 ms of the line (160 samples at 8,000 Hz) hold speech, from 0 to 1."""

    def reset(self) -> None:
        """Forget the line: the next frame is another call's."""


_FFT = 512
_BAND_BINS = np.array([12, 32, 64, 109, 166, 237])  # 190, 500, 1,000, 1,700, 2,600 and 3,700 Hz
_BANDS = len(_BAND_BINS) - 1
_PITCH_LAGS = slice(20, 128)  # 400 to 62 Hz
_WINDOW = np.hanning(2 * FRAME_SAMPLES).astype(np.float32)
# A windowed wave resembles itself less the further it is shifted; dividing by the window's own share undoes that.
_WINDOW_SHARE = np.fft.irfft(np.abs(np.fft.rfft(_WINDOW, 2 * _FFT)) ** 2)
_PITCH_SCALE = (_WINDOW_SHARE[0] / _WINDOW_SHARE[_PITCH_LAGS]).astype(np.float32)
_SCALE = np.float32(1 / 32768)
_POWER_SCALE = 2.67 / (2 * FRAME_SAMPLES) ** 2  # makes a band's power about that of its samples, window undone

_GATE_DB = 3.0
_LOOK_EVERY = 5  # frames, while the gate is shut

_MOST = 2.5  # 25 dB above the noise is as good as any more

# Of loud frames, 0.1 % of speech, 95 % of keys (DTMF) and 80 % of a telephone network's tones have this much of their
# power in twelve of 257 lines of the spectrum: what a window makes of one or two sines.
_TONE_LINES = 12
_TONE_SHARE = 0.998

# Fitted (logistic regression) on readings in several languages, mixed with noises at 8 to 50 dB, against Silero's word
# on the reading alone. Not all those recordings are in tests/data; benchmarks/endpointing.py measures what comes of it.
_BIAS = -8.54
_WEIGHTS = np.array([1.61, -0.17, 0.05, 0.36, 0.79, 0.39, -1.9, -0.7, 7.0, -2.38, 6.64], np.float32)


class NoiseFloor:
    """The quietest a line has been in the last 1.6 s (80 frames looked at), for several levels side by side, in dB."""

    _LOWEST_DB = -75.0  # digital silence must not make everything else loud
    _FIRST_DB = -65.0
    _BLOCK = 10
    _BLOCKS = 8

    def __init__(self, count: int) -> None:
        self.levels = np.full(count, self._FIRST_DB, np.float32)
        self._blocks = np.full((self._BLOCKS, count), self._FIRST_DB, np.float32)
        self._block = 0
        self._looked = 0

    def learn(self, levels: Floats) -> None:
        block = self._blocks[self._block]
        np.minimum(block, levels, out=block)
        self._looked += 1
        if self._looked == self._BLOCK:
            self._looked = 0
            np.maximum(self._blocks.min(axis=0), self._LOWEST_DB, out=self.levels)
            self._block = (self._block + 1) % self._BLOCKS
            self._blocks[self._block] = 0.0


class VoiceDetector:
    """Pitch, bands and noise floor, weighed. About 3 µs a frame on a silent line and 40 µs while there is sound."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._recent = np.zeros(2 * FRAME_SAMPLES, np.float32)
        self._floor = NoiseFloor(_BANDS + 2)  # the bands, their sum, and the whole frame with what lies outside them
        self._gate = self._gate_power()
        self._frames = 0
        self._voicing = 0.0
        self._loudness = 0.0
        self._unrest = 0.0
        self._last_loudness = 0.0

    def likelihood(self, samples: NDArray[np.int16]) -> float:
        features = self.features(samples)
        if features is None:
            return 0.0
        return 1 / (1 + math.exp(-float(_WEIGHTS @ features) - _BIAS))

    def features(self, samples: NDArray[np.int16]) -> Floats | None:
        """What is weighed; None for a frame that is no louder than the line's noise, or a tone."""
        power = self._take(samples)
        self._frames += 1
        is_quiet = power < self._gate
        if is_quiet and self._frames % _LOOK_EVERY:
            self._remember(0.0, 0.0)
            return None
        powers = self._spectrum()
        over = self._over_floor(powers, power)
        strongest = np.partition(powers, -_TONE_LINES)[-_TONE_LINES:]
        whole = float(powers.sum()) + 1e-12
        if is_quiet or float(strongest.sum()) > _TONE_SHARE * whole:
            self._remember(0.0, 0.0)
            return None
        loudness = float(over[_BANDS])
        pitch = self._pitch(powers)
        voicing = pitch * min(loudness, 2.0)
        self._remember(voicing, loudness)
        now = (*np.minimum(over[:_BANDS], _MOST), pitch, voicing, self._narrowness(strongest, whole))
        return np.array((*now, self._voicing, min(self._loudness, _MOST), self._unrest), np.float32)

    def _take(self, samples: NDArray[np.int16]) -> float:
        """Keep the frame beside the one before, and say how strong it is (1 is full scale)."""
        self._recent[:FRAME_SAMPLES] = self._recent[FRAME_SAMPLES:]
        frame = self._recent[FRAME_SAMPLES:]
        np.multiply(samples, _SCALE, out=frame)
        return float(frame.dot(frame)) / FRAME_SAMPLES

    def _spectrum(self) -> Floats:
        """The power of the last 40 ms in steps of 15.6 Hz, and nothing outside the bands."""
        spectrum = np.fft.rfft(self._recent * _WINDOW, _FFT)
        powers = spectrum.real**2 + spectrum.imag**2
        powers[: _BAND_BINS[0]] = 0.0
        powers[_BAND_BINS[-1] :] = 0.0
        return powers

    def _over_floor(self, powers: Floats, power: float) -> Floats:
        """How far each band, and their sum, stands out of its floor, in units of 10 dB."""
        levels = np.empty(_BANDS + 2, np.float32)
        levels[:_BANDS] = np.add.reduceat(powers, _BAND_BINS)[:_BANDS]
        levels[_BANDS] = levels[:_BANDS].sum()
        levels[: _BANDS + 1] *= _POWER_SCALE
        levels[_BANDS + 1] = power
        levels = 10 * np.log10(levels + 1e-9)
        over: Floats = np.clip((levels - self._floor.levels) / 10, 0, 4)
        self._floor.learn(levels)
        self._gate = self._gate_power()
        return over

    def _gate_power(self) -> float:
        return float(10 ** ((self._floor.levels[-1] + _GATE_DB) / 10))

    @staticmethod
    def _pitch(powers: Floats) -> float:
        """How much the sound repeats itself at the pitch of a voice, from 0 to 1."""
        correlation = np.fft.irfft(powers)
        peak = float((correlation[_PITCH_LAGS] * _PITCH_SCALE).max())
        return min(1.0, max(0.0, peak / (float(correlation[0]) + 1e-9)))

    @staticmethod
    def _narrowness(strongest: Floats, whole: float) -> float:
        """More than 0 where six lines of the spectrum hold most of the power, as one harmonic or a whistle does."""
        share = float(np.partition(strongest, -6)[-6:].sum()) / whole
        return max(0.0, share - 0.7) * 3

    def _remember(self, voicing: float, loudness: float) -> None:
        """The last tenths of a second: voices come at once and fade, and do not stay as loud as they are."""
        self._voicing += (voicing - self._voicing) * (0.5 if voicing > self._voicing else 0.1)
        self._loudness += (loudness - self._loudness) * 0.3
        self._unrest += (abs(loudness - self._last_loudness) - self._unrest) * 0.2
        self._last_loudness = loudness
