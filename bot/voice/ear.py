"""What a chained voice listens with: from the caller's sound, or utterances of it, to words. No I/O."""

from collections.abc import Sequence
from typing import Protocol

from bot.events import JobResult, LinkEvent, SpeechEvent, ToVoice
from bot.voice.base import Effect
from bot.voice.unanswered import Unanswered


class Ear(Protocol):
    unanswered: Unanswered
    """What was understood and waits for an answer; the ear adds to it."""

    @property
    def deadline(self) -> float:
        """When `on_deadline` wants calling if nothing else happens (seconds, monotonic); infinity: never."""

    def start(self, now: float) -> Sequence[Effect]:
        """Begin with what takes time, ahead of the call's first frame."""

    def hear(self, payload: bytes, pcm: bytes, at_ms: int) -> Sequence[Effect]:
        """One frame of the caller's line, as it came and decoded (16-bit mono, the line's rate)."""

    def receive(self, event: SpeechEvent | JobResult | LinkEvent | ToVoice, now: float) -> Sequence[Effect]: ...

    def on_deadline(self, now: float) -> Sequence[Effect]: ...

    def close(self) -> Sequence[Effect]:
        """The caller is gone; what they said last may still become words."""
