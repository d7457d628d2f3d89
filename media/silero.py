"""Silero's voice detection for the endpointer: a recurrent network that knows speech better than our few weights do.

It needs onnxruntime and the network's file, which faster-whisper carries along (`bundled_model`). The network hears
16,000 Hz in steps of 32 ms, so each sample of the line is given to it twice: the images that this puts above 4 kHz look
more like wide-band sound to it than the void which a clean resampler leaves. A judgement is up to 12 ms older than its
frame. While a line is no louder than its noise the network rests, and a silent line costs next to nothing.
"""

import math
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from media.detector import FRAME_SAMPLES, NoiseFloor

_STEP = 512
_CONTEXT = 64  # the end of the step before, which the network wants in front of each
_FRAME = 2 * FRAME_SAMPLES
_GATE_DB = 3.0
_REST_AFTER = 15  # quiet frames; long enough for the network to have noticed the silence itself
_EVEN_CHANCE = 0.35  # the network's figure that misses as much as it invents, on a line of 8,000 Hz doubled


def bundled_model() -> Path:
    """The network that faster-whisper ships. Raises `FileNotFoundError` where that is not installed."""
    package = find_spec("faster_whisper")
    folders = package.submodule_search_locations if package else None
    for folder in folders or ():
        for model in sorted(Path(folder, "assets").glob("silero_vad_v6*.onnx")):
            return model
    raise FileNotFoundError("no Silero model: faster-whisper is not installed, or carries none")


def load_silero(model: Path) -> Any:
    """An onnxruntime session on one thread, to be shared by the detectors of all lines. Takes some 50 ms."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


class SileroDetector:
    """For one line; about 2 ms of CPU for a second of sound, next to none for a second of silence."""

    def __init__(self, session: Any) -> None:
        """`session` as `load_silero` gives it."""
        self._session = session
        self.reset()

    def reset(self) -> None:
        self._floor = NoiseFloor(1)
        self._quiet_frames = _REST_AFTER
        self._waiting = np.zeros((1, _CONTEXT + _STEP + _FRAME), np.float32)
        self._filled = _CONTEXT
        self._forget()

    def _forget(self) -> None:
        self._h = np.zeros((1, 1, 128), np.float32)
        self._c = np.zeros((1, 1, 128), np.float32)
        self._probability = 0.0

    def likelihood(self, samples: NDArray[np.int16]) -> float:
        wave = samples * np.float32(1 / 32768)
        self._waiting[0, self._filled : self._filled + _FRAME] = np.repeat(wave, 2)
        self._filled += _FRAME
        self._quiet_frames = self._quiet_frames + 1 if self._is_quiet(wave) else 0
        if self._filled >= _CONTEXT + _STEP:
            if self._quiet_frames < _REST_AFTER:
                self._step()
            else:
                self._forget()
            self._filled -= _STEP
            self._waiting[0, : self._filled] = self._waiting[0, _STEP : _STEP + self._filled]
        return min(1.0, 0.5 * self._probability / _EVEN_CHANCE)

    def _is_quiet(self, wave: NDArray[np.float32]) -> bool:
        level_db = 10 * math.log10(float(wave.dot(wave)) / FRAME_SAMPLES + 1e-9)
        over_db = level_db - float(self._floor.levels[0])
        self._floor.learn(np.array([level_db]))
        return over_db < _GATE_DB

    def _step(self) -> None:
        sound = self._waiting[:, : _CONTEXT + _STEP]
        heard, self._h, self._c = self._session.run(None, {"input": sound, "h": self._h, "c": self._c})
        self._probability = float(heard.reshape(-1)[0])
