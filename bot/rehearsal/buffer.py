"""The carrier's playout buffer: what the server sent and the caller has not heard yet. Pure; time is an argument.

It plays in order, 20 ms at a time, as a carrier fills its RTP packets. A frame that plays cannot be taken back: `clear`
drops what comes after it. A mark returns when what was sent before it was *heard*, that is at the end of the frame
that held its last sample, and at once if nothing plays. After a clear all pending marks return at once, in order.

    sent     media(30 ms)  mark a  media(10 ms)  mark b
    ticks    |0 ......... 20|20 .. a .. b ..... 40|     both marks return at 40
"""

from collections import deque
from dataclasses import dataclass

from bot.rehearsal.sound import FRAME_BYTES, FRAME_MS, ULAW_SILENCE

RUN_ENDS_AFTER_MS = 400
"""Silence that ends a run of speech; a shorter one is a gap in it, for a speaker's own pauses are sent as audio."""
LATE_WITHIN_MS = 200
"""No voice answers so soon after it was cleared: audio that comes earlier belongs to what was cleared."""

_BYTES_PER_MS = FRAME_BYTES // FRAME_MS


@dataclass(frozen=True, slots=True)
class Frame:
    """What the caller hears for the next 20 ms, and the marks that are returned as it begins."""

    payload: bytes  # 160 bytes of mu-law, silence where there was nothing to play
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Clear:
    """What a clear threw away."""

    at_ms: float
    dropped_ms: float
    pending_marks: tuple[str, ...]
    played_ms: float
    """Of the run that it ended: what the ear had, the frame included that played at that moment."""


@dataclass(slots=True)
class Run:
    """One run of the server's audio, from silence to silence or to a clear."""

    arrived_ms: float  # its first audio, in the buffer
    played_ms: float = 0.0


class PlayoutBuffer:
    def __init__(self) -> None:
        self.clears: list[Clear] = []
        self.runs: list[Run] = []
        self.late_audio_ms = 0.0
        """Audio that came after a clear although it belonged to what was cleared."""
        self.gap_ms = 0.0
        """Silence inside runs of speech: the buffer ran dry and was filled again too late."""
        self.gaps = 0
        self.longest_ahead_ms = 0.0
        """The most audio that ever waited to be played."""
        self._queue: deque[memoryview | str] = deque()  # payloads, and marks between them
        self._waiting_bytes = 0
        self._sounding_marks: list[str] = []  # due when the frame that plays now ends
        self._is_sounding = False
        self._dry_ms: float | None = None  # silence since the run's last sample; None outside a run
        self._run = Run(0.0)
        self._late_until_ms = float("-inf")

    @property
    def waiting_ms(self) -> float:
        """How much was sent and does not play yet."""
        return self._waiting_bytes / _BYTES_PER_MS

    def push(self, payload: bytes, at_ms: float) -> None:
        if at_ms < self._late_until_ms:
            self.late_audio_ms += len(payload) / _BYTES_PER_MS
            self._late_until_ms = at_ms + LATE_WITHIN_MS  # as long as it keeps coming, it is still the old reply
        if self._dry_ms is None and not self._waiting_bytes:
            self._run = Run(at_ms)
            self.runs.append(self._run)
        self._queue.append(memoryview(payload))
        self._waiting_bytes += len(payload)
        self.longest_ahead_ms = max(self.longest_ahead_ms, self.waiting_ms)

    def mark(self, name: str) -> tuple[str, ...]:
        """The marks to be returned at once: this one if nothing plays or waits."""
        if self._queue:
            self._queue.append(name)
        elif self._is_sounding:
            self._sounding_marks.append(name)
        else:
            return (name,)
        return ()

    def clear(self, at_ms: float) -> tuple[str, ...]:
        """Throw away what does not play yet; returns all pending marks in order."""
        pending = (*self._sounding_marks, *(item for item in self._queue if isinstance(item, str)))
        self.clears.append(Clear(at_ms, self.waiting_ms, pending, self._run.played_ms))
        self._run = Run(at_ms)  # a second clear ends nothing
        self._queue.clear()
        self._sounding_marks.clear()
        self._waiting_bytes = 0
        self._dry_ms = None
        self._late_until_ms = at_ms + LATE_WITHIN_MS
        return pending

    def tick(self) -> Frame:
        """The next 20 ms begin: what plays, and the marks whose audio has just been heard."""
        returned, self._sounding_marks = tuple(self._sounding_marks), []
        payload = self._take_frame()
        self._is_sounding = bool(payload)
        self._run.played_ms += len(payload) / _BYTES_PER_MS
        if not payload:  # marks that were left without audio before them
            returned, self._sounding_marks = returned + tuple(self._sounding_marks), []
        self._count_gap(len(payload) / _BYTES_PER_MS)
        return Frame(payload.ljust(FRAME_BYTES, ULAW_SILENCE), returned)

    def _take_frame(self) -> bytes:
        taken = bytearray()
        while self._queue:
            item = self._queue[0]
            if isinstance(item, str):
                self._sounding_marks.append(item)
                self._queue.popleft()
                continue
            if len(taken) == FRAME_BYTES:
                break
            room = FRAME_BYTES - len(taken)
            taken += item[:room]
            self._queue.popleft()
            if len(item) > room:
                self._queue.appendleft(item[room:])
        self._waiting_bytes -= len(taken)
        return bytes(taken)

    def _count_gap(self, played_ms: float) -> None:
        if played_ms > 0:
            if self._dry_ms:
                self.gaps += 1
                self.gap_ms += self._dry_ms
            self._dry_ms = FRAME_MS - played_ms
        elif self._dry_ms is not None:
            self._dry_ms += FRAME_MS
            if self._dry_ms > RUN_ENDS_AFTER_MS:
                self._dry_ms, self._run = None, Run(0.0)
