"""What every voice must be able to do, so that a call need not know whom it talks to. No I/O."""

from collections.abc import Sequence
from typing import Protocol

from bot.events import CancelJob, Job, JobResult, LinkCommand, LinkEvent, SpeechEvent, ToVoice, VoiceEvent

Effect = VoiceEvent | SpeechEvent | Job | CancelJob | LinkCommand


class Voice(Protocol):
    @property
    def deadline(self) -> float:
        """When `on_deadline` wants calling if nothing else happens (seconds, monotonic); infinity: never."""

    def receive(self, event: SpeechEvent | JobResult | LinkEvent | ToVoice, now: float) -> Sequence[Effect]:
        """What the voice makes of it: facts for the call, and work and messages for the runner."""

    def hear(self, payload: bytes, pcm: bytes, at_ms: int) -> Sequence[Effect]:
        """One frame of the caller's line, as it came and decoded (16-bit mono, the line's rate)."""

    def on_deadline(self, now: float) -> Sequence[Effect]: ...

    def close(self) -> Sequence[Effect]:
        """The call is over: let go of what is held elsewhere."""
