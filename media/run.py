"""One run: a stretch that a carrier plays without a pause. When it began, as far as marks have told.

Positions are bytes on the *wire*, counted from the first byte of the call. Times are seconds as they appear here, see
media/playout.py. A carrier fills its packets from the beginning of a run on, so what it has played is whole frames.
"""

import math

from media.frame import PTIME_MS, AudioFormat

FRAMING_S = PTIME_MS / 2000
"""Carriers play whole frames: what arrives waits for the next one to begin, half a frame on average."""
_STEADY_MARKS = 8  # corrections are averaged over so many marks: enough against jitter, few enough to follow a stall
_STALL_S = 0.25  # a mark this far from the sum is a stalled carrier, not jitter: believe it at once
_EDGE = 1e-6  # frames: where a moment lies on the edge of two, rounding must not decide


class Run:
    def __init__(self, audio: AudioFormat, start: int, now: float, round_trip_s: float) -> None:
        """A run whose first byte is `start` and is sent now."""
        self.start = start
        self.sent_at = now
        self.began_at = now + round_trip_s + FRAMING_S
        """When its first byte sounded, or will."""
        self._audio = audio
        self._rate = audio.bytes_per_second
        self._frame = audio.payload_bytes(PTIME_MS)
        self._marks = 0

    def time_of(self, wire: int) -> float:
        """When the byte at a position sounds, if the run does not pause before it."""
        return self.began_at + (wire - self.start) / self._rate

    def sounded(self, now: float) -> int:
        """The position at which the ear is."""
        return self.start + self._audio.payload_bytes(max(0.0, now - self.began_at) * 1000)

    def begun(self, now: float) -> int:
        """The position to which the ear comes if all is dropped now: the frame that sounds is played to its end."""
        frames = math.ceil(max(0.0, now - self.began_at) * 1000 / PTIME_MS - _EDGE)
        return self.start + frames * self._frame

    def opened(self, at: float, *, is_expected: bool) -> None:
        """The mark ahead of the run was there at `at`. `is_expected`: the round trip had told when that would be."""
        if self._marks == 0:
            self._correct(at + FRAMING_S, 2 if is_expected else 1)

    def reached(self, wire: int, at: float) -> None:
        """The mark behind a position came back. It knows the frames; what was believed before it did not."""
        self._marks = min(self._marks + 1, _STEADY_MARKS)
        self._correct(at - (wire - self.start) / self._rate, self._marks)

    def _correct(self, began_at: float, words: int) -> None:
        error_s = began_at - self.began_at
        self.began_at += error_s if abs(error_s) > _STALL_S else error_s / words
