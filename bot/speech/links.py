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
    text: str  # of a tool: its result
    tag: str = ""  # what kind of sentence the responder meant it to be, or the tool's name; "" where nobody said
    call_id: str = ""  # of a tool: which call of the model's this is the result of; "" where none asked
    arguments: str = ""  # of a tool: what the model gave it, as JSON


@dataclass(frozen=True, slots=True)
class Transcript:
    """What one utterance says; an empty text means that nobody spoke words."""

    text: str
    no_speech: float = 0.0  # the model's own probability, 0 to 1, that this was no speech
    mean_logprob: float = 0.0  # how sure the model is of its words, 0 (certain) downwards
    spent: "Spent | None" = None


@dataclass(frozen=True, slots=True)
class Say:
    """One sentence to be spoken."""

    text: str
    tag: str = ""


@dataclass(frozen=True, slots=True)
class UseTool:
    """Something to be done: what ends or changes the call once the sentences before it were heard, all else at once."""

    name: str
    arguments: Mapping[str, str] = field(default_factory=dict)  # each value as text
    call_id: str = ""  # the model's own name for this use; "" where the responder is no model
    json: str = ""  # the arguments as the model wrote them


@dataclass(frozen=True, slots=True)
class Spent:
    """What a request cost: tokens by kind (`text_in`, `audio_out` …), and dollars; zero where no price is known."""

    model: str
    tokens: Mapping[str, int]
    usd: float


class Transcriber(Protocol):
    name: str

    async def start(self) -> None:
        """Load and warm whatever is needed; raises `VoiceError` saying what to install."""

    async def close(self) -> None:
        """Let go of it: a link whose owner is done may be held by others for long."""

    async def transcribe(self, pcm: bytes, *, speculative: bool = False) -> Transcript:
        """The words in one utterance (8,000 Hz). A speculative request gives way to those that callers wait for."""


class Responder(Protocol):
    name: str

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    def respond(self, history: Sequence[Said]) -> AsyncIterator[Say | UseTool | Spent]:
        """The bot's next turn, sentence by sentence; `history` ends with what the caller (or a tool) said."""


class Speaker(Protocol):
    name: str
    rate_hz: int

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    def speak(self, text: str) -> AsyncIterator[bytes | Spent]:
        """One sentence as sound: 16-bit mono at `rate_hz`, in pieces as they are made; its cost, if any, at the end."""


async def whole_sound(speaker: Speaker, text: str) -> bytes:
    """One sentence in one piece: 16-bit mono at the speaker's rate; raises `VoiceError`."""
    return b"".join([piece async for piece in speaker.speak(text) if isinstance(piece, bytes)])
