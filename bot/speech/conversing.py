"""The link of a voice that hears and speaks in one model: what it is told of the conversation, and what it gives back.

The model keeps nothing between two requests but the sound of its own answers, and that for a limited time. So each
request tells the whole conversation. Failures are `VoiceError`s.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.speech.links import Spent, UseTool

# -- what the model is told, in order ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallerTurn:
    """What the caller said: as sound where there is some, else in words."""

    text: str
    pcm: bytes = b""  # 16-bit mono, 8,000 Hz


@dataclass(frozen=True, slots=True)
class BotTurn:
    """What the caller heard of an answer, by the name that the server keeps its sound under, else in words."""

    text: str
    audio_id: str = ""
    tools: Sequence[UseTool] = ()


@dataclass(frozen=True, slots=True)
class ToolTurn:
    call_id: str
    output: str


@dataclass(frozen=True, slots=True)
class Aside:
    """An instruction for this one answer, from nobody in the conversation."""

    text: str


Turn = CallerTurn | BotTurn | ToolTurn | Aside


# -- what it gives back, as it comes ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Words:
    """More of what the answer's sound says; they run ahead of it."""

    text: str


@dataclass(frozen=True, slots=True)
class Sound:
    pcm: bytes  # 16-bit mono at the link's rate; a piece may end within a sample


@dataclass(frozen=True, slots=True)
class Written:
    """More of an answer that has no sound of its own."""

    text: str


@dataclass(frozen=True, slots=True)
class Kept:
    """The server keeps the answer's sound under this name."""

    audio_id: str
    expires_at: float  # seconds since 1970


@dataclass(frozen=True, slots=True)
class Finished:
    """Why the model stopped: `stop`, `length`, `tool_calls`, `content_filter`, or what a server says besides."""

    reason: str


@dataclass(frozen=True, slots=True)
class Forgotten:
    """The server does not know a sound any more that the conversation names: nothing was answered."""

    message: str


Part = Words | Sound | Written | UseTool | Kept | Finished | Forgotten | Spent


class Converser(Protocol):
    name: str
    rate_hz: int

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    def converse(self, turns: Sequence[Turn], *, may_use_tools: bool = True) -> AsyncIterator[Part]:
        """The bot's next answer; tools come when the answer is otherwise complete."""
