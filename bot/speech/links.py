"""The three links of a chained voice, as protocols: who listens, who thinks, who speaks.

Audio towards a transcriber is the caller's line as it came: 16-bit little-endian mono at 8,000 Hz. Audio from a
speaker is 16-bit little-endian mono at the speaker's own rate. Each link is loaded once (`start`) and serves all calls;
a call's request is cancelled by cancelling the task that awaits it. Failures are `VoiceError`s.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol


class Role(Enum):
    CALLER = "caller"
    BOT = "bot"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class Said:
    """One turn of the conversation so far; a bot's turn holds only what the caller heard of it."""

    role: Role
    text: str
    tag: str = ""  # what kind of sentence the responder meant it to be, or the tool's name; "" where nobody said


@dataclass(frozen=True, slots=True)
class Transcript:
    """What one utterance says; an empty text means that nobody spoke words."""

    text: str
    no_speech: float = 0.0  # the model's own probability, 0 to 1, that this was no speech
    mean_logprob: float = 0.0  # how sure the model is of its words, 0 (certain) downwards


@dataclass(frozen=True, slots=True)
class Say:
    """One sentence to be spoken."""

    text: str
    tag: str = ""


@dataclass(frozen=True, slots=True)
class UseTool:
    """Something to be done once the sentences before it were heard: `take_message`, `hang_up`, `transfer`."""

    name: str
    arguments: Mapping[str, str] = field(default_factory=dict)


class Transcriber(Protocol):
    name: str

    async def start(self) -> None:
        """Load and warm whatever is needed; raises `VoiceError` saying what to install."""

    async def close(self) -> None: ...

    async def transcribe(self, pcm: bytes, *, speculative: bool = False) -> Transcript:
        """The words in one utterance (8,000 Hz). A speculative request gives way to those that callers wait for."""


class Responder(Protocol):
    name: str

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    def respond(self, history: Sequence[Said]) -> AsyncIterator[Say | UseTool]:
        """The bot's next turn, sentence by sentence; `history` ends with what the caller (or a tool) said."""


class Speaker(Protocol):
    name: str
    rate_hz: int

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    def speak(self, text: str) -> AsyncIterator[bytes]:
        """One sentence as sound: 16-bit mono at `rate_hz`, in pieces as they are made."""
