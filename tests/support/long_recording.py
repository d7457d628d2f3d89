"""Long recordings made of short ones, whose places are known: people's readings, pauses of any length, some noise."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from faster_whisper.vad import VadOptions, get_speech_timestamps
from numpy.typing import NDArray

from bot.local.sound_files import RATE_HZ, SoundFile

Pcm = NDArray[np.int16]

PAUSES_S = (0.25, 0.4, 0.7, 1.2, 2.5)
_NOISE_DB = -30.0  # of the speech beside it
_QUIET_DB = 25.0  # so far below its loud places a reading is over
_NEAR_S = 0.25  # of where a voice detector says so


@dataclass(frozen=True, slots=True)
class Piece:
    """A recording of a few seconds; `begin_s` and `end_s` are where somebody speaks in it."""

    name: str
    folder: str
    pcm: Pcm
    text: str
    begin_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Placed:
    """A piece in a long recording."""

    piece: Piece
    at_s: float

    @property
    def begin_s(self) -> float:
        return self.at_s + self.piece.begin_s

    @property
    def end_s(self) -> float:
        return self.at_s + self.piece.end_s


def piece(path: Path, text: str) -> Piece | None:
    """None for a recording in which no voice is found."""
    planes = np.concatenate(list(SoundFile(path.read_bytes(), path.name).blocks()), axis=1)
    pcm = planes.mean(axis=0).astype(np.int16)
    place = spoken(pcm)
    return None if place is None else Piece(path.name, path.parent.name, pcm, text, *place)


def spoken(pcm: Pcm) -> tuple[float, float] | None:
    """Where the first sound of speech is, and the last: a detector finds the voice, loudness its edge nearby.

    The detector is Silero's, which knows nothing of words; loudness alone would take breaths and clicks for speech.
    """
    silence = np.zeros(RATE_HZ // 2, np.int16)
    samples = np.concatenate([silence, pcm, silence]).astype(np.float32) / 32768
    options = VadOptions(threshold=0.5, speech_pad_ms=0, min_silence_duration_ms=100)
    found = get_speech_timestamps(samples, options)
    if not found:
        return None
    width = RATE_HZ // 50
    power = np.square(samples[: len(samples) // width * width].astype(float)).reshape(-1, width).mean(axis=1)
    level = 10 * np.log10(power + 1e-10)
    is_loud = level > np.percentile(level, 95) - _QUIET_DB
    is_loud &= np.append(is_loud[1:], False) | np.insert(is_loud[:-1], 0, False)  # a click is not two frames long
    begin, end = found[0]["start"] / RATE_HZ, found[-1]["end"] / RATE_HZ
    starts = np.flatnonzero(is_loud[_near(begin - _NEAR_S, begin + 0.15)])
    ends = np.flatnonzero(is_loud[_near(end - 0.15, end + _NEAR_S)])
    if len(starts):
        begin = (_near(begin - _NEAR_S, 1.0).start + int(starts[0])) / 50
    if len(ends):
        end = (_near(end - 0.15, end).start + int(ends[-1]) + 1) / 50
    return begin - 0.5, end - 0.5


def put_together(pieces: Sequence[Piece], seconds: float, noise: Pcm, seed: int = 1) -> tuple[Pcm, list[Placed]]:
    """About as long as asked; every third stretch of ten pieces has the noise under it."""
    chance = random.Random(seed)
    sounds: list[Pcm] = []
    placed: list[Placed] = []
    length = 0
    while length < seconds * RATE_HZ:
        one = chance.choice(pieces)
        pause = np.zeros(round(chance.choice(PAUSES_S) * chance.uniform(0.8, 1.2) * RATE_HZ), np.int16)
        placed.append(Placed(one, length / RATE_HZ))
        stretch = np.concatenate([one.pcm, pause])
        sounds.append(_noisy(stretch, noise, length) if len(placed) // 10 % 3 == 2 else stretch)
        length += len(stretch)
    return np.concatenate(sounds), placed


def _noisy(stretch: Pcm, noise: Pcm, start: int) -> Pcm:
    under = np.take(noise, np.arange(start, start + len(stretch)), mode="wrap").astype(float)
    loudness = np.sqrt(np.mean(np.square(stretch.astype(float)))) / (np.sqrt(np.mean(np.square(under))) + 1)
    mixed = stretch + under * loudness * 10 ** (_NOISE_DB / 20)
    return np.clip(mixed, -32768, 32767).astype(np.int16)


def _near(start_s: float, end_s: float) -> slice:
    return slice(max(0, int(start_s * 50)), max(0, int(end_s * 50)))
