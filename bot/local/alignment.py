"""When each word of a text that is known was said: Whisper's attention over sound and text. Blocking.

Nothing is transcribed. The model is given the text and asked, in one pass, at which moment it would look for each of
its tokens; that takes a tenth of what writing it down takes, and the words are those of the transcript, whoever wrote
it. Sound that fits is given to the encoder in a window of 15 s instead of 30 s, as in `whisper.py`.

The decoder takes 448 tokens and the encoder 30 s; what is longer is not for this file.
"""

import string
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.errors import VoiceError
from bot.local.models import INSTALL
from bot.local.transcription import Word
from bot.local.whisper import LONG_WINDOW, RATE_HZ, SHORT_WINDOW
from bot.local.word_times import Heard, fitted

try:
    from faster_whisper import WhisperModel
    from faster_whisper.tokenizer import Tokenizer
except ImportError as exc:
    raise VoiceError(f"the times of words need faster-whisper: {INSTALL}") from exc

Samples = NDArray[np.float32]

LONGEST_S = 29.0
_MOST_TOKENS = 400
_LATE_S = 0.04  # Whisper turns to a word when it is in full voice, not when it begins
_HOP = RATE_HZ // 100
_UNSPACED = frozenset({"zh", "yue", "ja", "th", "lo", "my", "km"})
_LEAST_PROBABILITY = 0.015  # of a text's words; of texts that were said 0.03 to 0.9, of others 0.0003 to 0.009


@dataclass(frozen=True, slots=True)
class AlignedWord:
    """`letter` and `letters` say where it stands in the text, punctuation included."""

    letter: int
    letters: int
    start_s: float
    end_s: float


class Aligner:
    """A loaded model."""

    def __init__(self, folder: Path) -> None:
        """`folder` holds a CTranslate2 model. Raises `VoiceError`."""
        try:
            self._model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1)
        except Exception as exc:  # ctranslate2 and tokenizers have no narrower class for a damaged file
            raise VoiceError(f"the transcriber in {folder} does not load: {exc}") from exc

    def align(self, samples: Samples, text: str, language: str) -> list[AlignedWord]:
        """The words of a text said in 16,000 Hz samples in -1 to 1, with times from their beginning on.

        `language` is ISO 639-1; a model that does not know it is told another, and often finds the words all the same.
        Empty where the text is too long, or is not what was said. Raises `VoiceError`, and `ValueError` for more sound
        than `LONGEST_S`.
        """
        if len(samples) > LONGEST_S * RATE_HZ:
            raise ValueError(f"{len(samples) / RATE_HZ:.1f} s of sound are more than {LONGEST_S}")
        tokenizer = self._tokenizer(language)
        tokens = tokenizer.encode(f" {text}")
        if len(tokens) > _MOST_TOKENS or len(samples) < _HOP or not samples.any():
            return []
        try:
            found = self._model.find_alignment(tokenizer, [tokens], self._encoded(samples), len(samples) // _HOP)[0]
        except RuntimeError as exc:
            raise VoiceError(f"the words could not be aligned: {exc}") from exc
        units = [Word(one["word"], float(one["start"]), float(one["end"]), one["probability"]) for one in found]
        if "".join(unit.text for unit in units) != f" {text}" or _probability(units) < _LEAST_PROBABILITY:
            return []
        groups = list(grouped(units, is_spaced=language not in _UNSPACED))
        timed = fitted([_spoken(group) for _, group in groups], Heard(samples, RATE_HZ, 0.0))
        return [
            AlignedWord(letter, len("".join(unit.text for unit in group).strip()), word.start_s, word.end_s)
            for (letter, group), word in zip(groups, timed, strict=True)
        ]

    def _tokenizer(self, language: str) -> Tokenizer:
        known = language if language in self._model.supported_languages else "en"
        is_multilingual = self._model.model.is_multilingual
        return Tokenizer(self._model.hf_tokenizer, is_multilingual, task="transcribe", language=known)

    def _encoded(self, samples: Samples) -> object:
        window = SHORT_WINDOW if len(samples) <= SHORT_WINDOW * _HOP else LONG_WINDOW
        padded = np.pad(samples, (0, window * _HOP - len(samples)))
        return self._model.encode(self._model.feature_extractor(padded)[:, :window])


def _probability(units: Sequence[Word]) -> float:
    """The geometric mean: words that were not said have next to none, whatever the others have."""
    return float(np.exp(np.mean(np.log([unit.probability + 1e-6 for unit in units])))) if units else 0.0


def grouped(units: Sequence[Word], *, is_spaced: bool) -> Iterator[tuple[int, list[Word]]]:
    """What stands between two spaces, with the letter it begins at; where none are written, each piece that is a sound.

    The text was given to the model with a space before it, which does not count.
    """
    group: list[Word] = []
    letter, begin, was_space = -1, 0, True
    for unit in units:
        begins = was_space or unit.text[:1].isspace() or (not is_spaced and not _is_silent(unit.text))
        if begins and group and any(one.text.strip() for one in group):
            yield begin, group
            group = []
        if not any(one.text.strip() for one in group):
            group, begin = [], letter + len(unit.text) - len(unit.text.lstrip())
        group.append(unit)
        letter, was_space = letter + len(unit.text), unit.text[-1:].isspace()
    if any(one.text.strip() for one in group):
        yield begin, group


def _is_silent(text: str) -> bool:
    return all(character in string.whitespace or unicodedata.category(character)[0] == "P" for character in text)


def _spoken(group: Sequence[Word]) -> Word:
    """A word from its first sound to its last: the pause after it is given to its punctuation."""
    sounding = [unit for unit in group if not _is_silent(unit.text)] or group
    begins_s, ends_s = (max(0.0, at_s - _LATE_S) for at_s in (sounding[0].start_s, sounding[-1].end_s))
    return Word(sounding[0].text, begins_s, ends_s, sounding[0].probability)
