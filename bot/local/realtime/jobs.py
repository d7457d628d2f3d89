"""Slow work that a session asks for; what comes of it are the results of `bot/events.py`."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.events import CancelJob, Transcribe
from bot.speech.links import Said


@dataclass(frozen=True, slots=True)
class Think:
    """Find out what to say next; the answer comes in parts (`PartComposed`, then `Composed`)."""

    job_id: int
    history: Sequence[Said]


@dataclass(frozen=True, slots=True)
class Speak:
    """Make the sound of one sentence (`SoundMade`, then `Synthesized`)."""

    job_id: int
    text: str
    speed: float


@dataclass(frozen=True, slots=True)
class Close:
    """End the connection."""

    code: int
    reason: str


Job = Transcribe | Think | Speak
Output = str | Job | CancelJob | Close
"""A string is a message for the client."""
