"""A Piper voice on the CPU: one clause in, its sound out. Blocking; the pool runs it on a thread."""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.errors import VoiceError
from bot.local.models import INSTALL

try:
    import onnxruntime
    from onnxruntime.capi.onnxruntime_pybind11_state import Fail, RuntimeException
    from piper import PiperVoice, SynthesisConfig
    from piper.config import PiperConfig
except ImportError as exc:
    raise VoiceError(f"the local speaker needs piper-tts: {INSTALL}") from exc

# Piper by itself scales every piece to full scale, which makes a "Yes." louder than a sentence and a clause louder than
# its neighbour. At a fixed gain the voice speaks at about -20 dBFS, as a telephone expects.
_VOLUME = 1.3
_QUIET = 0.004  # of full scale
_LEAD_MS = 5
_PAUSE_MS = 120


class Piper:
    """A loaded voice; any number of threads may call it."""

    def __init__(self, weights: Path, settings: Path, *, threads: int = 2) -> None:
        """With two threads the first sound of a lone call comes 25 ms sooner than with one, and of one call among many
        no later. Raises `VoiceError` for files that do not load."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # a core that waits is not ours
        try:
            config = PiperConfig.from_dict(json.loads(settings.read_text(encoding="utf-8")))
            session = onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
        except Exception as exc:  # onnxruntime has no narrower class, and a damaged JSON raises what it likes
            raise VoiceError(f"the speaker {weights} does not load: {exc}") from exc
        self._voice = PiperVoice(session=session, config=config)
        self.rate_hz: int = config.sample_rate

    def synthesize(self, clause: str, *, is_last: bool = True, speed: float = 1.0) -> bytes:
        """16-bit mono at `rate_hz`, from the first sound on; nothing for a text without sounds.

        The silence after a clause that is not the last is cut to the pause of a comma. A `speed` of 2 is twice as fast
        as the voice was made; beyond 0.6 to 1.6 it is no longer kept. Raises `VoiceError`.
        """
        how = SynthesisConfig(
            normalize_audio=False, volume=_VOLUME, length_scale=self._voice.config.length_scale / speed
        )
        try:
            pieces = [piece.audio_float_array for piece in self._voice.synthesize(clause, how)]
        except (Fail, RuntimeException) as exc:
            raise VoiceError(f"the local speaker failed: {exc}") from exc
        sound = np.concatenate([np.zeros(0, np.float32), *pieces])
        loud = np.flatnonzero(np.abs(sound) > _QUIET)
        if not len(loud):
            return b""
        start = max(0, int(loud[0]) - self.rate_hz * _LEAD_MS // 1000)
        end = len(sound) if is_last else int(loud[-1]) + self.rate_hz * _PAUSE_MS // 1000
        pcm: NDArray[np.int16] = (np.clip(sound[start:end], -1, 1) * 32767).astype("<i2")
        return pcm.tobytes()
