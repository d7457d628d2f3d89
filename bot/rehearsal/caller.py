"""Who calls: something with a mouth, an ear and a keypad, asked every 20 ms. Pure; time is an argument.

`ScriptedCaller` follows a list of steps as a person would: it listens before it answers, talks over the bot when told
to, and notes when it did what, on the call's clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from bot.rehearsal.audio import load_pcm
from bot.rehearsal.sound import (
    FRAME_BYTES,
    RATE_HZ,
    ULAW_SILENCE,
    Stretch,
    first_sound_ms,
    last_sound_ms,
    stretches,
)
from media.g711 import encode_ulaw


class Caller(Protocol):
    """Asked for each frame in this order: `keys`, `frame`, then `hear` with what sounded meanwhile."""

    def keys(self, at_ms: int) -> str:
        """The keys pressed during this frame, mostly none."""

    def frame(self, at_ms: int) -> bytes | None:
        """What the mouth says from `at_ms` on: 160 bytes of mu-law; None hangs up."""

    def hear(self, at_ms: int, payload: bytes) -> None:
        """What the ear heard from `at_ms` on: 160 bytes of mu-law."""

    def utterances(self) -> Sequence[Stretch] | None:
        """When the caller spoke; None if that is to be measured from the sound."""


@dataclass(frozen=True, slots=True)
class Say:
    """Speak: 16-bit 8 kHz mono, or an audio file. `text` is what is said, for the reader of a report."""

    audio: bytes | Path | str
    text: str = ""


@dataclass(frozen=True, slots=True)
class WaitForReply:
    """Listen until the bot has spoken since our last sound, and then been quiet for `quiet_ms`."""

    quiet_ms: int = 600
    timeout_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Speak over the bot, `after_ms` into the speech that sounds now or comes next."""

    after_ms: int
    audio: bytes | Path | str
    text: str = ""
    timeout_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Wait:
    ms: int


@dataclass(frozen=True, slots=True)
class Press:
    digits: str  # 0-9 * # A-D, one each 200 ms


@dataclass(frozen=True, slots=True)
class HangUp:
    pass


Step = Say | WaitForReply | Interrupt | Wait | Press | HangUp

PRESS_MS = 200
BREATH_MS = 100
"""Silence between words; while it lasts the bot counts as sounding."""
SPEECH_PAUSE_MS = 400
"""Silence after which what the bot says next is a new speech."""


@dataclass(slots=True)
class StepTaken:
    """When a step began and ended, in milliseconds on the call's clock."""

    step: Step
    start_ms: int
    end_ms: int | None = None  # None while it lasts
    spoken: Stretch | None = None  # from the first to the last audible sample of a Say or Interrupt
    timed_out: bool = False


class ScriptedCaller:
    """Follows its steps; after the last one it stays on the line in silence until the bot hangs up.

    Between words the line carries noise of about `noise_dbfs`, or digital silence (None), which no real line does.
    """

    def __init__(self, steps: Sequence[Step], *, noise_dbfs: float | None = None, seed: int = 0) -> None:
        self.taken: list[StepTaken] = []
        self._steps = list(steps)
        self._payloads = [_payload(step) for step in steps]  # files are read before the call, not during it
        self._noise = _Noise(noise_dbfs, seed)
        self._ear = _Ear()
        self._speech = b""  # what is left to say of the present step
        self._last_said_ms = -1.0  # where our last audible sample ended

    def keys(self, at_ms: int) -> str:
        self._advance(at_ms)
        step = self._current()
        if not isinstance(step, Press):
            return ""
        index, rest = divmod(at_ms - self.taken[-1].start_ms, PRESS_MS)
        return step.digits[index : index + 1] if rest == 0 else ""

    def frame(self, at_ms: int) -> bytes | None:
        self._advance(at_ms)
        if isinstance(self._current(), HangUp):
            self.taken[-1].end_ms = at_ms
            return None
        if not self._speech:
            return self._noise.frame()
        payload, self._speech = self._speech[:FRAME_BYTES], self._speech[FRAME_BYTES:]
        return payload.ljust(FRAME_BYTES, ULAW_SILENCE)

    def hear(self, at_ms: int, payload: bytes) -> None:
        self._ear.hear(at_ms, payload)

    def utterances(self) -> Sequence[Stretch]:
        return [taken.spoken for taken in self.taken if taken.spoken]

    def _current(self) -> Step | None:
        return self.taken[-1].step if self.taken and self.taken[-1].end_ms is None else None

    def _advance(self, at_ms: int) -> None:
        """Leave steps that are over and enter those that follow; some take no time at all."""
        while True:
            if self._current() is not None:
                if not self._is_over(self.taken[-1], at_ms):
                    return
                self.taken[-1].end_ms = at_ms
            if len(self.taken) == len(self._steps):
                return
            self._enter(self._steps[len(self.taken)], at_ms)

    def _enter(self, step: Step, at_ms: int) -> None:
        self.taken.append(StepTaken(step, at_ms))
        if isinstance(step, Say):
            self._speak(at_ms)

    def _is_over(self, taken: StepTaken, at_ms: int) -> bool:
        elapsed_ms = at_ms - taken.start_ms
        match taken.step:
            case Say():
                return not self._speech
            case Wait(ms):
                return elapsed_ms >= ms
            case Press(digits):
                return elapsed_ms >= len(digits) * PRESS_MS
            case WaitForReply(quiet_ms, timeout_s):
                if self._ear.has_finished(self._last_said_ms, quiet_ms, at_ms):
                    return True
                taken.timed_out = elapsed_ms >= timeout_s * 1000
                return taken.timed_out
            case Interrupt(after_ms, _, _, timeout_s):
                return self._is_interrupted(taken, after_ms, timeout_s, at_ms)
            case _:
                return False

    def _is_interrupted(self, taken: StepTaken, after_ms: int, timeout_s: float, at_ms: int) -> bool:
        if taken.spoken is not None:
            return not self._speech
        if self._ear.has_heard_for(after_ms, at_ms):
            self._speak(at_ms)
            return False
        taken.timed_out = at_ms - taken.start_ms >= timeout_s * 1000
        return taken.timed_out

    def _speak(self, at_ms: int) -> None:
        taken = self.taken[-1]
        self._speech, audible = self._payloads[len(self.taken) - 1]
        taken.spoken = Stretch(at_ms + audible.start_ms, at_ms + audible.end_ms)
        self._last_said_ms = taken.spoken.end_ms


class _Ear:
    """What the caller knows of the bot's speech."""

    def __init__(self) -> None:
        self._speech_from_ms: float | None = None
        self._last_sound_ms = float("-inf")

    def hear(self, at_ms: int, payload: bytes) -> None:
        first, last = first_sound_ms(payload), last_sound_ms(payload)
        if first is None or last is None:
            return
        if at_ms + first - self._last_sound_ms > SPEECH_PAUSE_MS:
            self._speech_from_ms = at_ms + first
        self._last_sound_ms = at_ms + last

    def has_finished(self, since_ms: float, quiet_ms: int, at_ms: int) -> bool:
        return self._last_sound_ms > since_ms and at_ms - self._last_sound_ms >= quiet_ms

    def has_heard_for(self, ms: int, at_ms: int) -> bool:
        """Whether the bot sounds now, in a speech that began at least so long ago."""
        is_sounding = at_ms - self._last_sound_ms <= BREATH_MS
        return is_sounding and self._speech_from_ms is not None and at_ms - self._speech_from_ms >= ms


class _Noise:
    """One second of even noise, repeated: the hiss of a quiet line."""

    def __init__(self, dbfs: float | None, seed: int) -> None:
        self._second = ULAW_SILENCE * RATE_HZ
        if dbfs is not None:
            peak = 32768 * 10 ** (dbfs / 20) * 3**0.5  # even noise has an RMS of its peak over the root of 3
            drawn = np.random.default_rng(seed).uniform(-peak, peak, RATE_HZ)
            self._second = encode_ulaw(np.clip(drawn, -32768, 32767).astype("<i2").tobytes())
        self._at = 0

    def frame(self) -> bytes:
        payload = self._second[self._at : self._at + FRAME_BYTES]
        self._at = (self._at + FRAME_BYTES) % RATE_HZ
        return payload


def _payload(step: Step) -> tuple[bytes, Stretch]:
    """A step's speech as mu-law, and where in it sound is audible (all of it where none is)."""
    if not isinstance(step, Say | Interrupt):
        return b"", Stretch(0, 0)
    pcm = step.audio if isinstance(step.audio, bytes) else load_pcm(step.audio)
    audible = stretches(pcm, merge_ms=float("inf")) or [Stretch(0, len(pcm) * 500 / RATE_HZ)]
    return encode_ulaw(pcm), audible[0]
