"""The vocabulary of a call: what happened (past tense) and what we want done (imperative).

All times named `at_ms`, `start_ms`, `end_ms` are milliseconds on the call's one clock, which starts with the
media stream.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from media.endpointing import SpeechPaused, SpeechResumed, SpeechStarted, UtteranceEnded
from media.frame import AudioFormat

__all__ = [
    "AudioReceived",
    "DigitPressed",
    "Event",
    "MarkReturned",
    "SpeechPaused",
    "SpeechResumed",
    "SpeechStarted",
    "StreamStarted",
    "StreamStopped",
    "UtteranceEnded",
]


@dataclass(frozen=True, slots=True)
class StreamStarted:
    """The carrier's media stream is open: the call's clock begins."""

    stream_id: str
    carrier_call_id: str
    audio: AudioFormat
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AudioReceived:
    """One frame of the caller's line, still encoded; `at_ms` is the carrier's own stamp for its first sample."""

    payload: bytes
    at_ms: int


@dataclass(frozen=True, slots=True)
class DigitPressed:
    digit: str  # 0-9 * # A-D


@dataclass(frozen=True, slots=True)
class MarkReturned:
    """The carrier has played everything up to a mark, or thrown it away after a clear."""

    name: str


@dataclass(frozen=True, slots=True)
class StreamStopped:
    """The carrier says that the stream is over; the socket closes next."""


Event = (
    StreamStarted
    | AudioReceived
    | DigitPressed
    | MarkReturned
    | StreamStopped
    | SpeechStarted
    | SpeechPaused
    | SpeechResumed
    | UtteranceEnded
)
