"""What every voice must be able to do, so that a call need not know whom it talks to. No I/O."""

from collections.abc import Sequence
from typing import Protocol

from bot.events import CancelJob, Job, JobResult, SpeechEvent, ToVoice, VoiceEvent

Effect = VoiceEvent | Job | CancelJob


class Voice(Protocol):
    def receive(self, event: SpeechEvent | JobResult | ToVoice) -> Sequence[Effect]:
        """What the voice makes of it: facts for the call, and slow work for the runner."""
