"""When each word of a call was said: its turns, one after the other, aligned with their stretch of the recording.

Blocking, and made for a process of its own (`word_finding_process.py`): only the stretch of one turn is in memory. What
the transcript has is not heard again, unless a turn is longer than what the model takes in at once: then what is heard
in it is matched with its words, and those between two that match share the time between them.
"""

import io
import wave
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.analysis.call_words import Order, SaidTurn, TurnWords, WordTime
from bot.calllog.words import spans_of
from bot.errors import VoiceError
from bot.local import models
from bot.local.alignment import LONGEST_S, AlignedWord, Aligner
from bot.local.sound_files import SoundFile
from bot.local.transcription import Wanted
from bot.local.whisper_files import FileWhisper
from media.resample import Resampler

_RATE_HZ = 16_000
_MARGIN_MS = 250
"""Taken before and after a turn: what finds its ends is not exact."""
_LONGEST_TURN_MS = 10 * 60 * 1000

Pcm = NDArray[np.int16]


def words_of_call(order: Order) -> Iterator[TurnWords]:
    """Raises `VoiceError` for a model or a recording that cannot be used."""
    folder = models.whisper_folder(order.model)
    finder = _Finder(folder, order.language)
    try:
        with wave.open(order.recording, "rb") as file:
            if file.getsampwidth() != 2 or file.getnchannels() != 2:
                raise VoiceError(f"{order.recording} has no channel for each side")
            for turn in order.turns:
                yield TurnWords(turn.index, finder.find(file, turn))
    except (OSError, EOFError, wave.Error) as exc:
        raise VoiceError(f"cannot read {order.recording}: {exc}") from exc


class _Finder:
    def __init__(self, folder: Path, language: str) -> None:
        self._folder, self._language = folder, language
        self._aligner = Aligner(folder)
        self._listener: FileWhisper | None = None  # only long turns need it

    def find(self, file: wave.Wave_read, turn: SaidTurn) -> list[WordTime]:
        from_ms = max(0, turn.from_ms - _MARGIN_MS)
        to_ms = min(turn.to_ms + _MARGIN_MS, from_ms + _LONGEST_TURN_MS)
        sound = _stretch(file, from_ms, to_ms, 0 if turn.role == "caller" else 1)
        if len(sound) <= LONGEST_S * _RATE_HZ:
            samples = sound.astype(np.float32) / np.float32(32768)
            found = self._aligner.align(samples, turn.text, self._language)
        else:
            found = self._listened(sound, turn.text)
        return [
            WordTime(
                word.letter, word.letters, from_ms + round(word.start_s * 1000), from_ms + round(word.end_s * 1000)
            )
            for word in found
        ]

    def _listened(self, sound: Pcm, text: str) -> list[AlignedWord]:
        if self._listener is None:
            self._listener = FileWhisper(self._folder)
        language = self._language if self._listener.is_multilingual else "en"
        listening = self._listener.listen(SoundFile(_wav(sound), "turn.wav"), Wanted(language=language))
        heard = [
            (word.text, word.start_s, word.end_s)
            for segment in listening
            if segment is not None
            for word in segment.words
        ]
        return matched(text, heard)


def _on_the_clock(word: AlignedWord, from_ms: int) -> WordTime:
    begins_ms, ends_ms = (from_ms + round(at_s * 1000) for at_s in (word.start_s, word.end_s))
    return WordTime(word.letter, word.letters, begins_ms, ends_ms)


def matched(text: str, heard: Sequence[tuple[str, float, float]]) -> list[AlignedWord]:
    """The words of a text with the times of the words that were heard: text, from, to in seconds, in their order.

    Words that were heard otherwise share the time between their neighbours by their letters. Empty where fewer than a
    third were heard as they are written.
    """
    wanted = list(_written(text))
    sounds = ["".join(span.word for span in spans_of(word)) for word, _, _ in heard]
    matcher = SequenceMatcher(None, [sound for _, _, sound in wanted], sounds, autojunk=False)
    times: list[tuple[float, float] | None] = [None] * len(wanted)
    for block in matcher.get_matching_blocks():
        for at in range(block.size):
            times[block.a + at] = heard[block.b + at][1:]
    if not wanted or sum(time is not None for time in times) * 3 < len(wanted):
        return []
    filled = _filled(times, [letters for _, letters, _ in wanted], heard[0][1], heard[-1][2])
    return [AlignedWord(at, letters, *time) for (at, letters, _), time in zip(wanted, filled, strict=True)]


def _written(text: str) -> Iterator[tuple[int, int, str]]:
    """Letter, letters and sound of each word between spaces."""
    at = 0
    for word in text.split():
        at = text.index(word, at)
        yield at, len(word), "".join(span.word for span in spans_of(word))
        at += len(word)


def _filled(
    times: Sequence[tuple[float, float] | None], letters: Sequence[int], begin_s: float, end_s: float
) -> list[tuple[float, float]]:
    """The same with times for all: those without share what is between the others."""
    filled: list[tuple[float, float]] = []
    for at, time in enumerate(times):
        if time is not None:
            filled.append(time)
            continue
        starts_s = filled[-1][1] if filled else begin_s
        after = next((place for place in range(at, len(times)) if times[place] is not None), len(times))
        following = times[after] if after < len(times) else None
        ends_s = max(starts_s, end_s if following is None else following[0])
        share = letters[at] / max(1, sum(letters[at:after]))
        filled.append((starts_s, starts_s + (ends_s - starts_s) * share))
    return filled


def _stretch(file: wave.Wave_read, from_ms: int, to_ms: int, channel: int) -> Pcm:
    """One channel between two moments, at 16,000 Hz; shorter where the recording ends."""
    rate_hz = file.getframerate()
    begin = min(from_ms * rate_hz // 1000, file.getnframes())
    file.setpos(begin)
    stereo = np.frombuffer(file.readframes(max(0, to_ms * rate_hz // 1000 - begin)), "<i2").reshape(-1, 2)
    pcm = np.ascontiguousarray(stereo[:, channel]).tobytes()
    if rate_hz != _RATE_HZ:
        resampler = Resampler(rate_hz, _RATE_HZ)
        pcm = resampler.push(pcm) + resampler.flush()
    return np.frombuffer(pcm, "<i2")


def _wav(sound: Pcm) -> bytes:
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE_HZ)
        file.writeframes(sound.tobytes())
    return content.getvalue()
