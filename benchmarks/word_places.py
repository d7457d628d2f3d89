"""Where each word of a recording is said, by a forced aligner that has nothing to do with Whisper.

PocketSphinx (`pip install pocketsphinx`; its wheel holds the English acoustic model) is told the words, and finds where
its phones lie: of a LibriSpeech sentence whose words' times were published with it, the boundaries lie in the gaps
between the published words. Each speaker of a two-channel call is aligned on a channel alone, turn by turn.

An aligner errs as well, above all where the words it is told are not those that are said. So it is asked three times:
as recorded, with noise 25 dB below the sound, and slowed by 7 %. A place is called exact where all three agree.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from tests.support.words import normalised

try:
    from pocketsphinx import Decoder, get_model_path
except ImportError as exc:
    raise SystemExit("Words' places are found with PocketSphinx: pip install pocketsphinx") from exc

RATE_HZ = 16_000
_EXACT_S = 0.05
_AROUND_S = 0.25  # a turn
_SILENCE = RATE_HZ * 3 // 10  # samples put before and after: the aligner wants some
_NOISE_DB = -25.0
_SLOWER = 1.07
_BEAMS = (1e-80, 1e-120, 1e-60, 1e-100, 1e-48)  # a narrow one may lose the path, and a wide one the end
_SPELT = {"mr": "mister", "mrs": "missus", "0": "zero", "1": "one", "2": "two", "3": "three", "4": "four", "5": "five"}
_SPELT |= {"7": "seven", "8": "eight", "10": "ten"}
_SOUNDS = {  # of words that are not in the aligner's dictionary
    "aligner": "AH L AY N ER",
    "alders": "AO L D ER Z",
    "avonlea": "AE V AH N L IY",
    "diarization": "D AY ER AH Z EY SH AH N",
    "diarize": "D AY ER AY Z",
    "eardrops": "IH R D R AA P S",
    "eastwards": "IY S T W ER D Z",
    "fringed": "F R IH N JH D",
    "quickeneth": "K W IH K AH N AH TH",
    "reciter": "R IH S AY T ER",
    "seest": "S IY AH S T",
    "thundery": "TH AH N D ER IY",
    "undelete": "AH N D AH L IY T",
    "unmuted": "AH N M Y UW T IH D",
    "vad": "V AE D",
    "waldo's": "W AO L D OW Z",
}

Pcm = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Place:
    word: str
    begin_s: float
    end_s: float
    channel: int
    is_exact: bool
    is_overlapped: bool = False  # another speaker says something meanwhile


def spelt(text: str) -> list[str]:
    """Words as they sound, those of one figure and titles written out."""
    return [_SPELT.get(word, word) for word in normalised(text)]


class Aligner:
    def __init__(self) -> None:
        self._decoders = [_decoder(beam) for beam in _BEAMS]
        self._chance = np.random.default_rng(1)

    def places(self, path: Path, entry: Mapping[str, Any]) -> list[Place]:
        """Of the words that the manifest's `entry` has of a recording, in order; none where it has no words."""
        sound, rate_hz = soundfile.read(path, dtype="float64", always_2d=True)
        found = []
        for channel, begin_s, end_s, words in _said(entry):
            part = sound[int(begin_s * rate_hz) : int(end_s * rate_hz), min(channel, sound.shape[1] - 1)]
            pcm = _pcm(soxr.resample(part, rate_hz, RATE_HZ))
            found += [
                replace(one, begin_s=one.begin_s + begin_s, end_s=one.end_s + begin_s, channel=channel)
                for one in self._aligned_thrice(pcm, words)
            ]
        ordered = sorted(found, key=lambda one: one.begin_s)
        return [replace(one, is_overlapped=_is_overlapped(one, ordered)) for one in ordered]

    def _aligned_thrice(self, pcm: Pcm, words: Sequence[str]) -> list[Place]:
        loudness = np.sqrt(np.mean(np.square(pcm.astype(float)))) * 10 ** (_NOISE_DB / 20)
        noisy = _pcm((pcm + self._chance.normal(0, max(1, loudness), len(pcm))) / 32768)
        slow = _pcm(soxr.resample(pcm / 32768, RATE_HZ, RATE_HZ * _SLOWER))
        plain, other, third = (self._aligned(sound, words) for sound in (pcm, noisy, slow))
        if not len(plain):
            return []
        is_exact = np.zeros(len(plain), bool)
        if len(other) and len(third):
            is_exact = (np.maximum(abs(other - plain), abs(third / _SLOWER - plain)) < _EXACT_S).all(axis=1)
        return [
            Place(word, float(begin), float(end), 0, bool(exact))
            for word, (begin, end), exact in zip(words, plain, is_exact, strict=True)
        ]

    def _aligned(self, pcm: Pcm, words: Sequence[str]) -> NDArray[np.float64]:
        """A begin and an end for each word, in seconds; empty where no way through was found."""
        padded = np.pad(pcm, _SILENCE) + np.random.default_rng(0).integers(-4, 5, len(pcm) + 2 * _SILENCE)
        for decoder in self._decoders:
            decoder.set_align_text(" ".join(words))
            decoder.start_utt()
            decoder.process_raw(padded.clip(-32768, 32767).astype(np.int16).tobytes(), full_utt=True)
            decoder.end_utt()
            parts = [one for one in decoder.seg() or () if one.word[0] not in "<["]
            if [re.sub(r"\(\d+\)$", "", one.word) for one in parts] == list(words):
                frames = np.array([(one.start_frame, one.end_frame + 1) for one in parts])
                return frames / 100 - _SILENCE / RATE_HZ
        return np.zeros((0, 2))


def _decoder(beam: float) -> Any:
    folder = Path(get_model_path()) / "en-us"
    beams = dict.fromkeys(("beam", "pbeam", "wbeam"), beam)
    decoder = Decoder(
        hmm=str(folder / "en-us"), dict=str(folder / "cmudict-en-us.dict"), lm=None, loglevel="FATAL", **beams
    )
    for word, sounds in _SOUNDS.items():
        decoder.add_word(word, sounds, True)
    return decoder


def _said(entry: Mapping[str, Any]) -> Iterator[tuple[int, float, float, list[str]]]:
    """Channel, from when to when, and what."""
    seconds = float(entry["seconds"])
    if entry.get("transcript"):
        yield 0, 0.0, seconds, spelt(entry["transcript"])
        return
    for turn in entry.get("turns") or ():
        if turn.get("text"):
            begin_s, end_s = turn.get("start", 0.0) - _AROUND_S, turn.get("end", seconds) + _AROUND_S
            yield turn["channel"], max(0.0, begin_s), min(seconds, end_s), spelt(turn["text"])


def _is_overlapped(one: Place, others: Sequence[Place]) -> bool:
    return any(
        other.channel != one.channel and other.begin_s < one.end_s and other.end_s > one.begin_s for other in others
    )


def _pcm(samples: NDArray[np.float64]) -> Pcm:
    return (samples * 32768).clip(-32768, 32767).astype(np.int16)
