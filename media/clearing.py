"""When one clear reached the carrier. Here are no bytes and no replies, only moments.

A clear has the carrier throw back at once all marks that are still pending there. The first of them that comes back
before the sound behind which it lay can be over was thrown back, and so tells when the clear arrived. Those that come
back in time were passed in the ordinary way: the clear came after them. Until then, and where no mark comes back, the
round trip says when the clear should have arrived. Seconds as they appear here, see media/playout.py.
"""

from collections.abc import Collection

_EARLY_S = 0.05  # a mark can come back so much before its time by jitter alone
_PATIENCE_S = 0.1
_LONGEST_PATIENCE_S = 0.5


class Clearing:
    def __init__(self, now: float, round_trip_s: float, pending: Collection[str]) -> None:
        """A clear is sent now; `pending`: the marks that had not come back."""
        self.sent_at = now
        self.arrived_at = now + round_trip_s
        """When it took effect: what the round trip lets expect, then what the marks say."""
        self.until = now + min(2 * round_trip_s + _PATIENCE_S, _LONGEST_PATIENCE_S)
        """So long marks are waited for."""
        self._pending = set(pending)

    def mark_returned(self, name: str, at: float, due_at: float) -> None:
        """A pending mark came back at `at`; `due_at`: when the sound before it would have been over."""
        if name not in self._pending:
            return
        self._pending.discard(name)
        if at < due_at - _EARLY_S:
            self.arrived_at = at
            self._pending.clear()  # the others were thrown back with it
        else:
            self.arrived_at = max(self.arrived_at, at)

    def is_settled(self, now: float) -> bool:
        """Whether nothing more will be learned."""
        return not self._pending or now >= self.until
