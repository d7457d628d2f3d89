"""Where a model's input buffer lies on the call's clock.

A realtime model counts milliseconds of the audio written to it since its session began. What we write is the caller's
line, but not all of it: frames are lost, held back or left out. Each stretch without a hole has one anchor.
"""

from bisect import bisect_right

_SAME_MS = 1.0  # a hole smaller than this is rounding


class InputClock:
    def __init__(self) -> None:
        self._buffer_ms: list[float] = []  # where each stretch begins in the buffer, and on the call's clock
        self._call_ms: list[float] = []
        self._written_ms = 0.0
        self._next_ms = 0.0

    @property
    def written_ms(self) -> float:
        return self._written_ms

    def wrote(self, at_ms: float, length_ms: float) -> None:
        """So much audio was written, which began at this moment of the call."""
        if not self._call_ms or abs(at_ms - self._next_ms) > _SAME_MS:
            self._buffer_ms.append(self._written_ms)
            self._call_ms.append(at_ms)
        self._written_ms += length_ms
        self._next_ms = at_ms + length_ms

    def call_ms(self, buffer_ms: float) -> int:
        """The moment of the call at which the sound at this place of the buffer was spoken."""
        if not self._call_ms:
            return 0
        stretch = max(0, bisect_right(self._buffer_ms, buffer_ms) - 1)
        return max(0, round(self._call_ms[stretch] + buffer_ms - self._buffer_ms[stretch]))
