"""Whisper on the CPU: one utterance in, its words out. Blocking; the pool runs it on a thread.

What differs from a plain use of faster-whisper, whose features and tokenizer are used here: the encoder is given a
window of 15 s instead of 30 s when the utterance is short, which takes a third of the time. The price is that the
decoder sometimes says everything twice; that is seen, and such an utterance gets the long window after all
(`benchmarks/local_models.py` compares time and word errors). And a text that the model made up is no text (`phantoms`).
"""

from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.errors import VoiceError
from bot.local.models import INSTALL
from bot.local.phantoms import is_doubtful, is_made_up
from bot.speech.links import Transcript

try:
    import ctranslate2
    import tokenizers
    from faster_whisper.feature_extractor import FeatureExtractor
    from faster_whisper.tokenizer import Tokenizer
    from faster_whisper.transcribe import get_suppressed_tokens
except ImportError as exc:
    raise VoiceError(f"the local transcriber needs faster-whisper: {INSTALL}") from exc

Samples = NDArray[np.float32]

RATE_HZ = 16000
LONG_WINDOW = 3000  # frames of 10 ms: what the model was trained on
SHORT_WINDOW = 1500
_MARGIN = 200  # frames of silence that must follow the speech in a short window
_HOP = RATE_HZ // 100
_FEW_FRAMES = 250  # so short an utterance is decoded with more hypotheses: they cost little there, and help most
_CUT_FROM_S = 20  # longer speech is cut in its quietest place between this and the window's end


class Whisper:
    """A loaded model; any number of threads may call it."""

    def __init__(
        self, folder: Path, *, language: str = "en", parallel: int = 2, short_window: int = SHORT_WINDOW
    ) -> None:
        """`short_window` is in frames of 10 ms; `LONG_WINDOW` turns the short one off. Raises `VoiceError`."""
        try:
            self._model = ctranslate2.models.Whisper(
                str(folder), device="cpu", compute_type="int8", inter_threads=parallel, intra_threads=1
            )
            vocabulary = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as exc:  # ctranslate2 and tokenizers have no narrower class for a damaged file
            raise VoiceError(f"the transcriber in {folder} does not load: {exc}") from exc
        self._tokenizer = Tokenizer(vocabulary, self._model.is_multilingual, "transcribe", language)
        self._suppressed = get_suppressed_tokens(self._tokenizer, [-1])
        self._features = FeatureExtractor(feature_size=self._model.n_mels)
        self._short_window = short_window

    def transcribe(self, samples: Samples) -> Transcript:
        """The words of 16,000 Hz samples in -1 to 1; raises `VoiceError` where the model fails."""
        heard = [self._listen(part) for part in _parts(samples)]
        return Transcript(
            " ".join(part.text for part in heard if part.text),
            min((part.no_speech for part in heard), default=1.0),
            min((part.mean_logprob for part in heard), default=0.0),
        )

    def _listen(self, samples: Samples) -> Transcript:
        frames = len(samples) // _HOP
        is_short = frames + _MARGIN <= self._short_window
        heard = self._decode(samples, self._short_window if is_short else LONG_WINDOW)
        if is_short and self._short_window < LONG_WINDOW and is_doubtful(heard.text, heard.mean_logprob):
            heard = self._decode(samples, LONG_WINDOW)
        if is_made_up(heard.text, heard.no_speech, heard.mean_logprob):
            return Transcript("", heard.no_speech, heard.mean_logprob)
        return heard

    def _decode(self, samples: Samples, window: int) -> Transcript:
        padded = np.pad(samples, (0, window * _HOP - len(samples)))
        features = self._features(padded)[np.newaxis, :, :window]
        frames = len(samples) // _HOP
        try:
            result = self._model.generate(
                ctranslate2.StorageView.from_array(np.ascontiguousarray(features)),
                [[*self._tokenizer.sot_sequence, self._tokenizer.no_timestamps]],
                beam_size=5 if frames < _FEW_FRAMES else 2,
                max_length=16 + frames // 8,  # nobody speaks more than 12 tokens a second
                return_scores=True,
                return_no_speech_prob=True,
                suppress_tokens=self._suppressed,
            )[0]
        except RuntimeError as exc:
            raise VoiceError(f"the local transcriber failed: {exc}") from exc
        text = self._tokenizer.decode(result.sequences_ids[0]).strip()
        return Transcript(text, result.no_speech_prob, result.scores[0])


def _parts(samples: Samples) -> list[Samples]:
    """Stretches that fit a window, cut where it is quietest."""
    cuts = [0]
    longest = LONG_WINDOW * _HOP - RATE_HZ
    while len(samples) - cuts[-1] > longest:
        start = cuts[-1] + _CUT_FROM_S * RATE_HZ
        tenths = samples[start : cuts[-1] + longest].copy()
        tenths.resize(len(tenths) // (RATE_HZ // 10), RATE_HZ // 10)
        cuts.append(start + int(np.square(tenths).sum(axis=1).argmin()) * (RATE_HZ // 10))
    return [samples[start:end] for start, end in pairwise([*cuts, len(samples)])]
