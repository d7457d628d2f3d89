"""Two channels on the call's one clock: the caller left, the bot right as the ear had it. Nothing here knows a file.

Each side hands in audio with the time at which it sounded. Audio that follows on stays in one piece, although the times
jitter by a few milliseconds: a piece is only moved when it is more than a frame away from where the last one ended.
Gaps are silence. What is older than `hold_ms` is final and is taken away, so that memory stays bounded; what comes in
for a place that has been taken is dropped, and counted.
"""

import numpy as np

_BYTES = 2


class Recorder:
    """16-bit little-endian mono in, 16-bit little-endian stereo out, at one rate."""

    def __init__(self, rate_hz: int = 8000, *, hold_ms: int = 400, frame_ms: int = 20) -> None:
        self._rate_hz = rate_hz
        self._hold = rate_hz * hold_ms // 1000
        slack = rate_hz * frame_ms // 1000
        self._caller = _Channel(slack)
        self._bot = _Channel(slack)
        self._taken = 0  # samples

    def caller(self, at_ms: float, pcm: bytes) -> None:
        """What the caller's line brought; `at_ms` is the time of its first sample."""
        self._caller.put(round(at_ms * self._rate_hz / 1000), pcm)

    def bot(self, at_ms: float, pcm: bytes) -> None:
        """What the caller's ear had of the bot; `at_ms` is when its first sample sounded."""
        self._bot.put(self._sample(at_ms), pcm)

    def take(self, now_ms: float) -> bytes:
        """Everything older than the hold that was not taken yet, both channels interleaved."""
        return self._take(self._sample(now_ms) - self._hold)

    def finish(self, at_ms: float) -> bytes:
        """The rest, up to the end of the call: exactly so long, silence where nothing was said."""
        return self._take(self._sample(at_ms))

    @property
    def late_ms(self) -> float:
        """How much audio came in after its place had been taken."""
        return (self._caller.late + self._bot.late) * 1000 / self._rate_hz

    @property
    def held_ms(self) -> float:
        """How much audio waits here, of the fuller channel."""
        return max(self._caller.held, self._bot.held) * 1000 / self._rate_hz

    def _take(self, upto: int) -> bytes:
        count = upto - self._taken
        if count <= 0:
            return b""
        stereo = np.empty((count, 2), "<i2")
        stereo[:, 0] = np.frombuffer(self._caller.take(upto), "<i2")
        stereo[:, 1] = np.frombuffer(self._bot.take(upto), "<i2")
        self._taken = upto
        return stereo.tobytes()

    def _sample(self, at_ms: float) -> int:
        return round(at_ms * self._rate_hz / 1000)


class _Channel:
    """One side: a stretch of samples that grows at its end and is taken from its beginning."""

    def __init__(self, slack: int) -> None:
        self._slack = slack
        self._start = self._end = 0  # the samples at which the buffer begins and ends
        self._buffer = bytearray()
        self.late = 0

    @property
    def held(self) -> int:
        return len(self._buffer) // _BYTES

    def put(self, at: int, pcm: bytes) -> None:
        gap = at - self._end
        if gap > self._slack:
            self._buffer += bytes(gap * _BYTES)
        elif gap < -self._slack:
            pcm = self._overwrite(at, pcm)
        self._buffer += pcm
        self._end = self._start + len(self._buffer) // _BYTES

    def take(self, upto: int) -> bytes:
        size = (upto - self._start) * _BYTES
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._start = upto
        self._end = max(upto, self._end)
        return taken + bytes(size - len(taken))

    def _overwrite(self, at: int, pcm: bytes) -> bytes:
        """Put what belongs before the end there; returns what goes on beyond the end."""
        too_late = min(max(0, self._start - at), len(pcm) // _BYTES)
        self.late += too_late
        pcm = pcm[too_late * _BYTES :]
        offset = (max(at, self._start) - self._start) * _BYTES
        inside = pcm[: max(0, len(self._buffer) - offset)]
        self._buffer[offset : offset + len(inside)] = inside
        return pcm[len(inside) :]
