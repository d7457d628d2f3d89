"""Who is at the other end when an emulated call is put through to somebody."""

from dataclasses import dataclass
from typing import Literal

DialStatus = Literal["completed", "busy", "no-answer", "failed"]
"""How a dialled leg ended, as Twilio's `DialCallStatus` has it; completed is one that was answered."""


@dataclass(frozen=True, slots=True)
class Callee:
    """Everybody who is dialled in a call behaves like this. The default one answers at once and has nothing to say."""

    status: DialStatus = "completed"
    rings_s: float = 0.0
    """For so long it rings, until they answer or the network gives up."""
    talks_s: float = 0.0
    """So long after the answer they hang up."""

    def outcome(self, timeout_s: float) -> tuple[DialStatus, float]:
        """What comes of it for one who lets it ring for `timeout_s`, and how long it rings."""
        return ("no-answer", timeout_s) if self.rings_s > timeout_s else (self.status, self.rings_s)


@dataclass(frozen=True, slots=True)
class Dialled:
    """One number that an emulated call was put through to."""

    number: str  # E.164, or a sip: address
    caller_id: str  # what they saw
    status: DialStatus
