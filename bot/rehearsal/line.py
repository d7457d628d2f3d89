"""The network between the carrier and the server, as numbers: delay, jitter, loss, duplicates, a cut.

A call's messages travel in one TCP connection, so they are late but never overtake each other. Frames can be lost or
doubled only before they get there, on the caller's leg to the carrier. Time is an argument; wire.py does the waiting.
"""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """How bad the network is, the same in both directions. With the same seed a call meets the same luck."""

    delay_ms: float = 0.0
    jitter_ms: float = 0.0  # added to the delay, evenly between none of it and all
    loss: float = 0.0  # share of the caller's frames that never reach the carrier, 0 to 1
    duplicate: float = 0.0  # share that the carrier passes on twice
    late_start_ms: float = 0.0  # between the socket's opening and the start message
    close_after_ms: float | None = None  # the connection is cut so long after the stream's start, without a goodbye
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.delay_ms, self.jitter_ms, self.late_start_ms, self.close_after_ms or 0) < 0:
            raise ValueError("a line's times cannot be negative")
        if min(self.loss, self.duplicate) < 0 or self.loss + self.duplicate > 1:
            raise ValueError("a line's loss and duplicate are shares of the same frames: 0 to 1 together")

    @property
    def is_instant(self) -> bool:
        return self.delay_ms == 0 and self.jitter_ms == 0


class Direction:
    """When each message of one direction arrives."""

    def __init__(self, line: Line, name: str) -> None:
        self._line = line
        self._luck = Random(f"{line.seed}/{name}")
        self._last_arrival = float("-inf")

    def arrival(self, now: float) -> float:
        """When a message sent now (seconds) arrives: never before the one sent ahead of it."""
        late_ms = self._line.delay_ms + self._luck.uniform(0, self._line.jitter_ms)
        self._last_arrival = max(self._last_arrival, now + late_ms / 1000)
        return self._last_arrival


class CallerLeg:
    """How often the carrier passes on each of the caller's frames: once, twice or not at all."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._luck = Random(f"{line.seed}/frames")

    def copies(self) -> int:
        draw = self._luck.random()
        if draw < self._line.loss:
            return 0
        return 2 if draw < self._line.loss + self._line.duplicate else 1
