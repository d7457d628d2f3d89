"""Whisper on whole recordings: segments with times, words, tokens and figures, window after window. Blocking.

`whisper.py` is made for one caller's utterance and gives a text as soon as can be; here everything that the model knows
is wanted. A recording of any length goes through in parts of two minutes, each cut in a quiet place, so that neither
memory nor the time between two results grows with it. The generators yield None where a part held no words: whoever
runs them on a shared thread can put something more urgent in between.

A recording is searched for speech first, and listened to a window at a time, each by itself; where speech was found but
no words, it is listened to again. Whisper's own way, from one window's last time stamp to the next with the text so far
as context, skips sentences and repeats itself with the small models: of 88 people's readings in a row, 11 minutes, it
got 13.7 % of the words wrong, without the context 8.8 %, and this way 8.1 %, against 7.9 % for each reading by itself
(`benchmarks/recordings.py`). For the same reason a prompt and keywords are given to the first window only, as OpenAI
does: in every window, a prompt of three words doubled the errors. Windows begin half a second before speech was found,
since what finds it is late now and then, which cost first syllables.
"""

import copy
import math
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.errors import VoiceError
from bot.local.byte_level import token_bytes
from bot.local.errors import SoundFileError
from bot.local.lateness import lateness_in
from bot.local.models import INSTALL
from bot.local.phantoms import is_made_up, spoken_words
from bot.local.sound_files import RATE_HZ, Samples, SoundFile
from bot.local.stretches import WINDOW_S, Stretch, missed, room, widened, windows
from bot.local.transcription import Segment, SpeechSearch, Token, Wanted, Word
from bot.local.word_shares import shared
from bot.local.word_times import Heard, fitted

try:
    from faster_whisper import WhisperModel
    from faster_whisper.tokenizer import Tokenizer
    from faster_whisper.vad import VadOptions, get_speech_timestamps
except ImportError as exc:
    raise VoiceError(f"transcribing files needs faster-whisper: {INSTALL}") from exc

_PART_S = 120.0
_LONG_S = 30.0  # more than one window
_SEARCH = SpeechSearch(threshold=0.3, prefix_padding_ms=300, silence_ms=500)
_WIDER_S = (0.6, 0.0)  # before and after a window; together with it less than the model hears at once
_PROMPT_TOKENS = 223  # the last ones: half of the model's context, less the token that says what they are
_TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_MAYBE_SILENCE = 0.4  # no_speech_prob
_LEAST_LOGPROB = -100.0  # a probability of 0 has no logarithm


class FileWhisper:
    """A loaded model; any number of threads may use it."""

    def __init__(self, folder: Path, *, parallel: int = 1) -> None:
        """`folder` holds a CTranslate2 model. Raises `VoiceError`."""
        try:
            self._model = WhisperModel(
                str(folder), device="cpu", compute_type="int8", cpu_threads=1, num_workers=parallel
            )
            self._late_s = lateness_in(folder)
        except Exception as exc:  # ctranslate2 and tokenizers have no narrower class for a damaged file
            raise VoiceError(f"the transcriber in {folder} does not load: {exc}") from exc
        self.is_multilingual: bool = self._model.model.is_multilingual
        self.languages: frozenset[str] = frozenset(self._model.supported_languages)

    def listen(self, sound: SoundFile, wanted: Wanted) -> "Listening":
        return Listening(self._model, sound, wanted, late_s=self._late_s)


class Listening:
    """One recording being listened to; `language` is right from the first segment on."""

    def __init__(self, model: WhisperModel, sound: SoundFile, wanted: Wanted, *, late_s: float = 0.0) -> None:
        """`late_s` is how late the model finds words."""
        self._model, self._sound, self.wanted = model, sound, wanted
        self._late_s = late_s
        self._parts: Iterator[Samples] = sound.parts(_PART_S)
        self.language = wanted.language or "en"
        self._is_language_known = wanted.language is not None
        prompt = " ".join(filter(None, [", ".join(wanted.keywords), wanted.prompt]))
        written = model.hf_tokenizer.encode(prompt, add_special_tokens=False).ids
        self.prompt_tokens = len(written)
        self._prompt = model.hf_tokenizer.decode(written[-_PROMPT_TOKENS:]).strip()

    @property
    def duration_s(self) -> float:
        """Of what was read so far; the whole recording's at the end."""
        return round(self._sound.seconds_read, 3)

    def utterance(self) -> bytes | None:
        """All of it, as 16-bit mono at 16,000 Hz, if it fits a window; raises `SoundFileError`."""
        first = next(self._parts)
        rest = next(self._parts, None)
        if rest is None and first.shape[1] <= WINDOW_S * RATE_HZ:
            mono: NDArray[np.int16] = first.mean(axis=0).astype("<i2")
            return mono.tobytes()
        self._parts = chain([first] if rest is None else [first, rest], self._parts)
        return None

    def __iter__(self) -> Iterator[Segment | None]:
        """Segments in the order of their beginnings, and None now and then. Raises `VoiceError`, `SoundFileError`."""
        start = 0
        for part in self._parts:
            heard: list[Segment] = []
            for channel, samples in self._channels(part):
                for segment in self._listen(samples, start, channel):
                    heard.append(segment)
                    if channel is None:
                        yield segment
            if self.wanted.by_channel:
                yield from sorted(heard, key=lambda segment: segment.start_s)
            start += part.shape[1]
            yield None

    def _channels(self, part: Samples) -> Iterator[tuple[int | None, NDArray[np.float32]]]:
        scaled = part.astype(np.float32) / np.float32(32768)
        if self.wanted.by_channel:
            if np.array_equal(part[0], part[-1]) and part.any():
                raise SoundFileError("Both channels hold the same sound, so they do not tell speakers apart.")
            yield from enumerate(scaled)
        else:
            yield None, scaled.mean(axis=0)

    def _listen(self, samples: NDArray[np.float32], start: int, channel: int | None) -> Iterator[Segment]:
        speech = self._speech(samples, self.wanted.search or _SEARCH)
        groups = windows(speech)
        wide = widened([(group[0][0], group[-1][1]) for group in groups], *_WIDER_S)
        by_window = list(zip(wide, groups, strict=True))
        if self.wanted.search is None and start == 0 and len(samples) <= _LONG_S * RATE_HZ:
            by_window = [((0.0, len(samples) / RATE_HZ), speech)]
        for window, stretches in by_window:
            heard = self._hear(samples, start, window, channel)
            places = [(segment.start_s - start / RATE_HZ, segment.end_s - start / RATE_HZ) for segment in heard]
            for stretch in missed(stretches, places):
                earliest_s, latest_s = room(stretch, places)
                begin_s = _quietest(samples, earliest_s, stretch[0])  # else the first syllable may stay behind
                end_s = _quietest(samples, stretch[1], latest_s)
                heard += self._hear(samples, start, (begin_s, end_s), channel)
            for segment in sorted(heard, key=lambda segment: segment.start_s):
                if not self._is_made_up(segment):
                    yield segment

    def _hear(self, samples: NDArray[np.float32], start: int, stretch: Stretch, channel: int | None) -> list[Segment]:
        """What is said in a stretch of the samples, which begin at sample `start` of the recording."""
        begin, end = (round(at * RATE_HZ) for at in stretch)
        prompt, self._prompt = self._prompt, ""
        model = copy.copy(self._model)  # shares the weights
        model.model = recorder = _TokenRecorder(self._model.model)
        try:
            found, info = model.transcribe(
                samples[begin:end],
                language=self.language if self._is_language_known else None,
                task=self.wanted.task,
                temperature=_TEMPERATURES if not self.wanted.temperature else self.wanted.temperature,
                initial_prompt=prompt or None,
                condition_on_previous_text=False,
                word_timestamps=True,
            )
            self.language, self._is_language_known = info.language, True
            tokenizer = Tokenizer(
                model.hf_tokenizer, model.model.is_multilingual, task=self.wanted.task, language=info.language
            )
            written = [(one, recorder.take(one.tokens, tokenizer)) for one in found]
            heard = Heard(samples[begin:end], RATE_HZ, (start + begin) / RATE_HZ)
            return _segments(written, heard, channel, self._late_s)
        except RuntimeError as exc:
            raise VoiceError(f"the local transcriber failed: {exc}") from exc

    def _is_made_up(self, segment: Segment) -> bool:
        if is_made_up(segment.text, segment.no_speech_prob, segment.avg_logprob):
            return True
        is_prompt = spoken_words(segment.text) == spoken_words(self.wanted.prompt)
        return is_prompt and segment.no_speech_prob > _MAYBE_SILENCE  # where nobody speaks, the prompt may come back

    def _speech(self, samples: NDArray[np.float32], search: SpeechSearch) -> list[Stretch]:
        options = VadOptions(
            threshold=search.threshold,
            min_silence_duration_ms=search.silence_ms,
            speech_pad_ms=search.prefix_padding_ms,
        )
        found = get_speech_timestamps(samples, options)
        return [(stretch["start"] / RATE_HZ, stretch["end"] / RATE_HZ) for stretch in found]


class _TokenRecorder:
    """The model, but what aligning words with sound shows of each token's probability is kept.

    faster-whisper asks for these probabilities, averages them over words and drops them.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._aligned: deque[tuple[int, float]] = deque()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def align(self, encoded: Any, start: Sequence[int], texts: Sequence[Sequence[int]], *args: Any, **how: Any) -> Any:
        results = self._model.align(encoded, start, texts, *args, **how)
        self._aligned.clear()  # what is left belongs to a window whose end was thrown away
        for tokens, result in zip(texts, results, strict=True):
            self._aligned.extend(zip(tokens, result.text_token_probs, strict=False))
        return results

    def take(self, token_ids: Sequence[int], tokenizer: Tokenizer) -> tuple[Token, ...]:
        """The text's tokens of the next segment in the window that was aligned last."""
        taken = []
        for token_id in token_ids:
            if token_id >= tokenizer.eot:
                continue
            while self._aligned and self._aligned[0][0] != token_id:
                self._aligned.popleft()
            probability = self._aligned.popleft()[1] if self._aligned else 0.0
            content = token_bytes(tokenizer.tokenizer.id_to_token(token_id))
            logprob = max(math.log(probability), _LEAST_LOGPROB) if probability > 0 else _LEAST_LOGPROB
            taken.append(Token(content.decode(errors="replace"), logprob, content))
        return tuple(taken)


def _quietest(samples: NDArray[np.float32], earliest_s: float, latest_s: float) -> float:
    """The quietest place between two, to a fiftieth of a second."""
    width = RATE_HZ // 50
    begin, end = round(earliest_s * RATE_HZ), round(latest_s * RATE_HZ)
    between = samples[begin:end]
    if len(between) < width:
        return latest_s
    power = np.square(between[: len(between) // width * width]).reshape(-1, width).sum(axis=1)
    return (begin + (int(power.argmin()) + 0.5) * width) / RATE_HZ


def _segments(
    written: Sequence[tuple[Any, tuple[Token, ...]]], heard: Heard, channel: int | None, late_s: float
) -> list[Segment]:
    """What the model wrote, each with its tokens, on the recording's clock."""
    longest_s = len(heard.samples) / RATE_HZ

    def at(seconds: float) -> float:
        return round(heard.start_s + min(max(float(seconds), 0.0), longest_s), 3)

    aligned = [
        [Word(word.word, at(word.start - late_s), at(word.end - late_s), float(word.probability)) for word in one.words]
        for one, _ in written
    ]
    segments: list[Segment] = []
    for number, (one, tokens) in enumerate(written):
        before_s = next((words[0].start_s for words in aligned[number + 1 :] if words), math.inf)
        after_s = segments[-1].end_s if segments else -math.inf
        words = shared(fitted(aligned[number], heard, after_s, before_s))
        segments.append(
            Segment(
                text=one.text,
                start_s=words[0].start_s if words else at(one.start),
                end_s=words[-1].end_s if words else at(one.end),
                seek=one.seek + round(heard.start_s * 100),
                token_ids=tuple(one.tokens),
                temperature=one.temperature,
                avg_logprob=one.avg_logprob,
                compression_ratio=one.compression_ratio,
                no_speech_prob=one.no_speech_prob,
                words=words,
                tokens=tokens,
                channel=channel,
            )
        )
    return segments
