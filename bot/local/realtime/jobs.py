"""Slow work that a session asks for; what comes of it are the results of `bot/events.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.events import CancelJob, JobResult, Transcribe
from bot.local.chat_answers import Turn
from bot.speech.links import Said


@dataclass(frozen=True, slots=True)
class Think:
    """Find out what to say next; the answer comes in parts (`PartComposed`, then `Composed`)."""

    job_id: int
    history: Sequence[Said]


@dataclass(frozen=True, slots=True)
class Converse:
    """The same of a text model, which can follow instructions and call any function; results as of `Think`."""

    job_id: int
    turns: Sequence[Turn]
    options: Mapping[str, Any]  # as in chat completions


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


@dataclass(frozen=True, slots=True)
class FunctionWanted:
    """A text model calls a function; `arguments` is its JSON."""

    job_id: int
    name: str
    arguments: str


Job = Transcribe | Think | Converse | Speak
Result = JobResult | FunctionWanted
Output = str | Job | CancelJob | Close
"""A string is a message for the client."""
