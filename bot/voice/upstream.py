"""The caller's sound on its way to a model: transcoded, kept for a moment, and never sent long after it was spoken.

After a long quiet, quiet frames go ten at a time: nobody waits for them, and a message costs more than the sound in
it. The first loud frame goes at once, and so does everything else while the caller may be about to have finished.

The last seconds are kept as they came from the carrier. While nobody takes them (the model's socket is not ready, or
the model has stopped reading) nothing is written; when it flows again, what is younger than two seconds goes first. A
new session can be given a stretch again that the one before it took to its grave. No I/O.
"""

from collections import deque

from bot.voice.input_clock import InputClock
from media.frame import AudioFormat
from media.level import peak
from media.transcode import Transcoder

_KEPT_MS = 10_000
_BUNDLE = 10
_LOUD = 256  # a peak of -42 dBFS: the softest speech on a telephone is louder, the noise of an idle line is not
_STALE_MS = 2_000  # who waits for an answer to older words has said them again


class Upstream:
    def __init__(self, line: AudioFormat, wire: AudioFormat, *, calm_after_ms: int) -> None:
        """`line` is what the carrier sends, `wire` what the model takes.

        After `calm_after_ms` without a loud frame the model has certainly decided that the caller has finished.
        """
        self._calm_after_ms = calm_after_ms
        self._loud_ms = 0
        self._waiting: list[tuple[int, bytes, bytes]] = []  # quiet frames that go with the next ones
        self._line = line
        self._bytes_per_ms = line.bytes_per_second / 1000
        self._is_untouched = line == wire
        self._transcoder = Transcoder(line, wire)
        self._kept: deque[tuple[int, bytes]] = deque()
        self._sent_to_ms = -1  # frames stamped before this were written, or are not wanted any more
        self._is_open = False
        self.clock = InputClock()

    def frame(self, payload: bytes, pcm: bytes, at_ms: int) -> bytes:
        """One frame of the caller's line, as payload and decoded; returns what to write now, often all of it."""
        kept = self._kept
        kept.append((at_ms, payload))
        while kept[0][0] < at_ms - _KEPT_MS:
            kept.popleft()
        if not self._is_open:
            return b""
        waiting = self._waiting
        waiting.append((at_ms, payload, pcm))
        if peak(pcm) >= _LOUD:
            self._loud_ms = at_ms
        elif at_ms - self._loud_ms > self._calm_after_ms and len(waiting) < _BUNDLE:
            return b""
        if len(waiting) == 1:
            return self._write_one(at_ms, payload, pcm)
        for frame_ms, sound, _ in waiting:
            self.clock.wrote(frame_ms, len(sound) / self._bytes_per_ms)
        self._sent_to_ms = at_ms + 1
        self._waiting = []
        if self._is_untouched:
            return b"".join([sound for _, sound, _ in waiting])
        return self._transcoder.push_linear(b"".join([linear for _, _, linear in waiting]))

    def _write_one(self, at_ms: int, payload: bytes, pcm: bytes) -> bytes:
        """What follows for several frames, without the detours: most of what is spoken goes this way."""
        self.clock.wrote(at_ms, len(payload) / self._bytes_per_ms)
        self._sent_to_ms = at_ms + 1
        self._waiting.clear()
        return payload if self._is_untouched else self._transcoder.push_linear(pcm)

    @property
    def newest_ms(self) -> int:
        """The stamp of the last frame; 0 before the first."""
        return self._kept[-1][0] if self._kept else 0

    @property
    def oldest_ms(self) -> int:
        """The stamp of the first frame that is still kept; 0 before the first."""
        return self._kept[0][0] if self._kept else 0

    def close(self) -> None:
        """Nobody takes the sound for now."""
        self._is_open = False
        self._waiting = []

    def open(self, from_ms: int | None = None) -> bytes:
        """It is taken again. Returns what to write first: what was held back, but nothing stale.

        With `from_ms` all that is kept from there on, whether it was written before or not.
        """
        self._is_open = True
        self._waiting = []
        if not self._kept:
            return b""
        newest_ms = self._kept[-1][0]
        start_ms = max(self._sent_to_ms, newest_ms - _STALE_MS) if from_ms is None else from_ms
        self._transcoder.reset()
        pieces = [(at_ms, payload) for at_ms, payload in self._kept if at_ms >= start_ms]
        for at_ms, payload in pieces:
            self.clock.wrote(at_ms, self._line.ms(len(payload)))
        self._sent_to_ms = newest_ms + 1
        return self._transcoder.push(b"".join([payload for _, payload in pieces]))

    def begin_buffer(self) -> None:
        """A new session counts from zero."""
        self.clock = InputClock()
