"""How much one frame sounds like somebody speaking: the cheap judge under media/endpointing.py.

A detector sees a line frame by frame, in order, and keeps what it must know of the past (the noise floor). It knows
no utterances: when speech begins and ends is decided one file up.
"""

import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

FRAME_SAMPLES = 160
"""What a detector is given at a time: 20 ms at 8,000 Hz."""


class Detector(Protocol):
    def likelihood(self, samples: NDArray[np.int16]) -> float:
        """How sure it is that the next 20 ms of the line (160 samples at 8,000 Hz) hold speech, from 0 to 1."""

    def reset(self) -> None:
        """Forget the line: the next frame is another call's."""


_LOWEST_FLOOR_DB = -62.0  # below it lies only comfort noise; codes of mu-law are coarser than that
_FIRST_FLOOR_DB = -55.0
_MARGIN_DB = 9.0  # speech stands so much above the floor
_BLOCK_FRAMES = 10
_BLOCKS = 8  # the floor is the quietest frame of the last 1.6 s: no one speaks that long without a gap


class EnergyDetector:
    """Speech is what stands out of the noise of the last second and a half. Needs numpy and a few microseconds."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._floor_db = _FIRST_FLOOR_DB
        self._quietest = [_FIRST_FLOOR_DB] * _BLOCKS
        self._block_db = 0.0
        self._frames = 0

    def likelihood(self, samples: NDArray[np.int16]) -> float:
        wave = samples.astype(np.float32)
        level_db = 10 * math.log10(float(wave.dot(wave)) / (len(wave) * 32768.0**2) + 1e-10)
        self._learn(level_db)
        over_db = level_db - self._floor_db - _MARGIN_DB
        return min(1.0, max(0.0, 0.5 + over_db / 12))

    def _learn(self, level_db: float) -> None:
        self._block_db = min(self._block_db, level_db)
        self._frames += 1
        if self._frames == _BLOCK_FRAMES:
            self._quietest = [*self._quietest[1:], self._block_db]
            self._block_db = 0.0
            self._frames = 0
            self._floor_db = max(_LOWEST_FLOOR_DB, min(self._quietest))
