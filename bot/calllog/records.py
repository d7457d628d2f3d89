"""What is written of a call, as it goes on: the vocabulary of the call log.

Times in ms are on the call's one clock, which starts with the media stream; wall times are UTC. A record is final once
handed over: the dictionaries inside it must not be changed afterwards. `TurnRecord`, `MessageTaken` and
`RecordingWritten` may be written again with the same key (named at each) as more becomes known; the last one stands.
"""

from datetime import datetime
from typing import Any, Literal

import msgspec

Role = Literal["caller", "bot"]
INTERRUPTED = "interrupted"
"""The end reason of a call whose process died: nobody was left to write a better one."""


class CallStarted(msgspec.Struct, frozen=True, kw_only=True):
    """A call was answered. Everything else that is written of a call needs this first."""

    call_id: str
    carrier: str
    carrier_call_id: str
    bot: str
    direction: Literal["inbound", "outbound"] = "inbound"
    from_number: str
    to_number: str
    started_at: datetime
    """When the call's clock stood at zero: a UTC time with its zone."""
    config: dict[str, Any] = {}
    """What the bot ran with, secrets removed by whoever writes this."""


class TurnRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One turn of the conversation; written again, under the same `call_id` and `index`, as more of it is heard."""

    call_id: str
    index: int  # 0, 1, 2, … through the call, both sides counted together
    role: Role
    kind: str  # speech, greeting, reply, idle_prompt, goodbye, apology, …
    started_ms: int
    ended_ms: int | None = None  # None while the turn lasts
    text: str = ""  # caller: the transcript; bot: everything generated
    heard_text: str | None = None  # bot: as much of `text` as reached the ear; None for the caller
    generated_ms: int = 0  # bot: how much sound of this turn was made, sent, and heard
    sent_ms: int = 0
    heard_ms: int = 0
    interrupted: bool = False

    # Where the time before a reply went; None where nobody measured it.
    endpointing_ms: int | None = None
    transcription_ms: int | None = None
    response_ms: int | None = None
    synthesis_ms: int | None = None
    reply_ms: int | None = None  # the caller's last sound → the reply's first sound in the ear


class TimelineEvent(msgspec.Struct, frozen=True):
    """Something happened; `data` holds what JSON can hold."""

    call_id: str
    at_ms: int
    kind: str
    data: dict[str, Any] = {}


class MessageTaken(msgspec.Struct, frozen=True, kw_only=True):
    """The caller left a message; written again, under the same `call_id` and `at_ms`, when its text is known."""

    call_id: str
    turn_index: int
    at_ms: int
    duration_ms: int
    text: str
    from_number: str


class RecordingWritten(msgspec.Struct, frozen=True, kw_only=True):
    """A recording exists; written again, under the same `call_id` and `path`, when it has grown or is complete."""

    call_id: str
    path: str
    format: str = "wav"
    rate_hz: int
    channels: int
    duration_ms: int
    size_bytes: int


class CallEnded(msgspec.Struct, frozen=True, kw_only=True):
    """The call is over, for exactly one reason."""

    call_id: str
    ended_at: datetime
    duration_ms: int
    end_reason: str
    turns: int
    interruptions: int
    reply_p50_ms: int | None = None
    reply_p95_ms: int | None = None
    counters: dict[str, int] = {}  # frames_in, frames_lost, …


Record = CallStarted | TurnRecord | TimelineEvent | MessageTaken | RecordingWritten | CallEnded
