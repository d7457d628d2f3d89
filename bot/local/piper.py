"""A Piper voice on the CPU: one clause in, its sound out. Blocking; the pool runs it on a thread."""

import json
from pathlib import Path

import numpy as np

from bot.errors import VoiceError
from bot.local.models import INSTALL

try:
    import onnxruntime
    from piper import PiperVoice, SynthesisConfig
    from piper.config import PiperConfig
except ImportError as exc:
    raise VoiceError(f"the local speaker needs piper-tts: {INSTALL}") from exc

_QUIET = 0.004  # of full scale: what precedes the first sound


class Piper:
    """A loaded voice; any number of threads may call it."""

    def __init__(self, weights: Path, settings: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            config = PiperConfig.from_dict(json.loads(settings.read_text(encoding="utf-8")))
            session = onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
        except Exception as exc:
            raise VoiceError(f"the speaker {weights} does not load: {exc}") from exc
        self._voice = PiperVoice(session=session, config=config)
        self.rate_hz: int = config.sample_rate

    def synthesize(self, clause: str) -> bytes:
        """16-bit mono at `rate_hz`."""
        pieces = [piece.audio_float_array for piece in self._voice.synthesize(clause, SynthesisConfig(volume=0.7))]
        if not pieces:
            return b""
        sound = np.concatenate(pieces)
        loud = np.flatnonzero(np.abs(sound) > _QUIET)
        start = max(0, int(loud[0]) - self.rate_hz // 200) if len(loud) else 0
        return (sound[start:] * 32767).astype("<i2").tobytes()
