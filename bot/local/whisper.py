"""Whisper on the CPU: one utterance in, its words out. Blocking; the pool runs it on a thread.

Two things differ from a plain use of faster-whisper, whose features and tokenizer are used here. The encoder is given
a window of 15 s instead of 30 s when the utterance is short, which takes a third of the time (the window must be much
longer than the speech, or the decoder says everything twice; `benchmarks/local_models.py` measures both). And a text
that the model made up, as Whisper does on noise, is recognised and becomes no text.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from bot.errors import VoiceError
from bot.local.models import INSTALL
from bot.speech.links import Transcript

try:
    import ctranslate2
    import tokenizers
    from faster_whisper.feature_extractor import FeatureExtractor
    from faster_whisper.tokenizer import Tokenizer
    from faster_whisper.transcribe import get_suppressed_tokens
except ImportError as exc:
    raise VoiceError(f"the local transcriber needs faster-whisper: {INSTALL}") from exc

Samples = npt.NDArray[np.float32]

RATE_HZ = 16000
FRAMES_PER_S = 100
_SHORT_WINDOW = 1500  # frames of 10 ms
_LONG_WINDOW = 3000
_MARGIN = 300  # frames of nothing that must follow the speech in a window


class Whisper:
    """A loaded model; any number of threads may call it."""

    def __init__(self, folder: Path, *, language: str = "en", parallel: int = 2) -> None:
        try:
            self._model = ctranslate2.models.Whisper(
                str(folder), device="cpu", compute_type="int8", inter_threads=parallel, intra_threads=1
            )
            vocabulary = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as exc:  # ctranslate2 and tokenizers raise what they like for a damaged file
            raise VoiceError(f"the transcriber in {folder} does not load: {exc}") from exc
        self._tokenizer = Tokenizer(vocabulary, self._model.is_multilingual, "transcribe", language)
        self._suppressed = get_suppressed_tokens(self._tokenizer, [-1])
        self._features = FeatureExtractor(feature_size=self._model.n_mels)

    def transcribe(self, samples: Samples) -> Transcript:
        """The words of 16,000 Hz samples in -1 to 1."""
        features = self._features(samples)
        return self._decode(features, _SHORT_WINDOW if features.shape[1] + _MARGIN <= _SHORT_WINDOW else _LONG_WINDOW)

    def _decode(self, features: Samples, window: int) -> Transcript:
        frames = min(features.shape[1], window)
        padded = np.zeros((1, features.shape[0], window), np.float32)
        padded[0, :, :frames] = features[:, :frames]
        result = self._model.generate(
            ctranslate2.StorageView.from_array(padded),
            [[*self._tokenizer.sot_sequence, self._tokenizer.no_timestamps]],
            beam_size=1,
            max_length=16 + frames // 8,
            return_scores=True,
            return_no_speech_prob=True,
            suppress_tokens=self._suppressed,
        )[0]
        tokens = result.sequences_ids[0]
        return Transcript(self._tokenizer.decode(tokens).strip(), result.no_speech_prob, result.scores[0])
