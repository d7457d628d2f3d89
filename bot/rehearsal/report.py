"""What one emulated call was like, measured where it counts: at the caller's mouth and ear.

All times are milliseconds on the carrier's clock, which starts with the media stream.
"""

import wave
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from bot.rehearsal.buffer import Clear, Run
from bot.rehearsal.callee import Dialled
from bot.rehearsal.sound import RATE_HZ, Stretch

Outcome = Literal["answered", "refused", "rejected", "failed"]
EndedBy = Literal["bot", "caller", "network"]


@dataclass(frozen=True, slots=True)
class Lateness:
    """How late the emulation itself sent the caller's frames: whether this machine kept up."""

    p50_ms: float = 0.0
    p99_ms: float = 0.0
    max_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReport:
    call_sid: str
    outcome: Outcome
    ended_by: EndedBy
    errors: tuple[str, ...] = ()  # what a real carrier would have written into its debugger, and why the call failed
    spoken_by_carrier: tuple[str, ...] = ()  # the sentences of <Say>
    dialled: tuple[Dialled, ...] = ()  # whom <Dial> put the caller through to, and what came of it
    answered_ms: float | None = None  # from dialling to the webhook's answer
    connected_ms: float | None = None  # from dialling to the open media socket
    duration_ms: float = 0.0  # of the media stream
    greeting_ms: float | None = None  # from the stream's start to the first sound of the bot in the ear
    spoke_pcm: bytes = b""  # the caller's mouth, 16-bit 8 kHz from the stream's start
    heard_pcm: bytes = b""  # the caller's ear, as long as `spoke_pcm`
    stretches: tuple[Stretch, ...] = ()  # of bot speech, as heard
    utterances: tuple[Stretch, ...] = ()  # of the caller
    reply_delays_ms: tuple[float, ...] = ()  # from a caller's last sound to the bot's next first sound
    clears: tuple[Clear, ...] = ()
    runs: tuple[Run, ...] = ()  # of the bot's audio, as the carrier got it
    late_audio_ms: float = 0.0  # arrived after a clear though it belonged to what was cleared
    gap_ms: float = 0.0  # silence inside bot speech since the playout buffer ran dry
    unheard_ms: float = 0.0  # sent by the bot, but the call was over before it was played
    sent: Mapping[str, int] = field(default_factory=dict)  # messages to the server, by event
    received: Mapping[str, int] = field(default_factory=dict)  # messages from the server; "invalid" ones by that name
    lateness: Lateness = Lateness()

    def write_wav(self, path: Path | str) -> None:
        """Both sides as a stereo WAV: the caller left, what the caller heard right."""
        left, right = (np.frombuffer(side, "<i2") for side in (self.spoke_pcm, self.heard_pcm))
        with wave.open(str(path), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(RATE_HZ)
            file.writeframes(np.column_stack((left, right)).tobytes())

    def as_dict(self) -> dict[str, Any]:
        """Everything but the audio, ready for JSON."""
        facts = asdict(self)
        del facts["spoke_pcm"], facts["heard_pcm"]
        facts["stretches"] = [list(stretch) for stretch in self.stretches]
        facts["utterances"] = [list(stretch) for stretch in self.utterances]
        return facts


def reply_delays(utterances: Sequence[Stretch], heard: Sequence[Stretch]) -> list[float]:
    """For each utterance, how long until the bot's next speech began; none where the caller spoke again first."""
    delays = []
    for index, utterance in enumerate(utterances):
        until = utterances[index + 1].start_ms if index + 1 < len(utterances) else float("inf")
        # Speech that already sounds is what the caller speaks over, not the reply.
        starts = [stretch.start_ms for stretch in heard if utterance.end_ms <= stretch.start_ms < until]
        delays += [min(starts) - utterance.end_ms] if starts else []
    return delays


def lateness(late_s: Sequence[float]) -> Lateness:
    if not late_s:
        return Lateness()
    p50, p99, worst = np.percentile(np.asarray(late_s) * 1000, (50, 99, 100)).tolist()
    return Lateness(round(p50, 3), round(p99, 3), round(worst, 3))
