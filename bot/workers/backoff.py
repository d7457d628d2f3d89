"""How long to wait until a worker that died is replaced: not at all at first, longer if it dies again and again."""

STEADY_S = 60.0
"""A worker that lived so long was well: whatever ended it is a new matter."""
LONGEST_S = 30.0


class Backoff:
    def __init__(self) -> None:
        self._deaths = 0

    def next_pause_s(self, lived_s: float) -> float:
        """0, 1, 2, 4, ... up to `LONGEST_S` seconds for deaths in a row."""
        if lived_s >= STEADY_S:
            self._deaths = 0
        pause_s = min(2.0 ** (self._deaths - 1), LONGEST_S) if self._deaths else 0.0
        self._deaths += 1
        return pause_s
