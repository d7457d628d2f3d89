"""Where nobody speaks in a recording, and where to cut it: found in sound that comes block by block. Pure.

A pause is at least 0.3 s without speech; inside a word the longest silence, before a "t" or a "k", is half of that. Of
the sound only its pauses are kept, so an hour costs no more memory than a minute, and about 7 s of processor time.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from media.detector import FRAME_SAMPLES, VoiceDetector
from media.resample import Resampler

SHORTEST_S = 0.3

_IN_HZ, _LINE_HZ = 16_000, 8_000  # detectors hear what a telephone does
_FRAME_S = FRAME_SAMPLES / _LINE_HZ
_FRAME_BYTES = 2 * FRAME_SAMPLES
_SPEECH = 0.5  # the likelihood from which a frame counts
_LATE_FRAMES = 5  # the first sound of a word is judged by what follows it
_CLICK_FRAMES = 2  # so few frames of speech in a pause are a click, a breath or a door


@dataclass(frozen=True, slots=True)
class Pause:
    start_s: float
    end_s: float

    @property
    def seconds(self) -> float:
        return self.end_s - self.start_s


class PauseFinder:
    """Takes 16-bit mono at 16,000 Hz, block by block; `pauses` are those that have ended so far, and the present one.

    What lies before the first word, and after the last, is a pause too.
    """

    def __init__(self) -> None:
        self._resampler = Resampler(_IN_HZ, _LINE_HZ)
        self._detector = VoiceDetector()
        self._unjudged = b""
        self._frames = 0
        self._quiet_from = 0  # the frame with which the present silence began
        self._spoken = 0  # frames of speech in a row, up to now
        self._ended: list[Pause] = []

    @property
    def ended(self) -> list[Pause]:
        return list(self._ended)

    @property
    def pauses(self) -> list[Pause]:
        present = self._pause()
        return [*self._ended, present] if present.seconds >= SHORTEST_S else list(self._ended)

    def push(self, pcm: bytes) -> None:
        line = self._unjudged + self._resampler.push(pcm)
        whole = len(line) - len(line) % _FRAME_BYTES
        for offset in range(0, whole, _FRAME_BYTES):
            frame = np.frombuffer(line, "<i2", FRAME_SAMPLES, offset)
            self._judge(self._detector.likelihood(frame) >= _SPEECH)
        self._unjudged = line[whole:]

    def forget(self, before_s: float) -> None:
        """Drop the pauses that begin before a time, which was cut at."""
        self._ended = [pause for pause in self._ended if pause.start_s >= before_s]

    def _judge(self, is_speech: bool) -> None:
        self._frames += 1
        if not is_speech:
            if self._spoken > _CLICK_FRAMES:
                self._quiet_from = self._frames - 1
            self._spoken = 0
            return
        self._spoken += 1
        if self._spoken == _CLICK_FRAMES + 1:
            pause = self._pause()
            if pause.seconds >= SHORTEST_S:
                self._ended.append(pause)
            self._quiet_from = self._frames

    def _pause(self) -> Pause:
        ends = max(self._quiet_from, self._frames - self._spoken - _LATE_FRAMES)
        return Pause(self._quiet_from * _FRAME_S, ends * _FRAME_S)


def cut_between(pauses: Iterable[Pause], earliest_s: float, latest_s: float) -> float | None:
    """The middle of the longest pause, as far as it lies between the two times; None where there is none."""
    inside = [Pause(max(pause.start_s, earliest_s), min(pause.end_s, latest_s)) for pause in pauses]
    longest = max(inside, key=lambda pause: pause.seconds, default=None)
    if longest is None or longest.seconds < SHORTEST_S:
        return None
    return (longest.start_s + longest.end_s) / 2
