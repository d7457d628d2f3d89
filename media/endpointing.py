"""When somebody speaks on a line: utterance start, pause and end from 16-bit mono PCM at 8,000 Hz.

A detector (media/detector.py) judges each 20 ms; here its judgements become events. Speech must gather `min_speech_ms`
of evidence to be believed, which a click does not, and half as much to be believed to go on. All times are on the
call's clock and come in as arguments.

Held are the sounds before a possible beginning (`prefix_ms` and the evidence), then the utterance, then the pause after
it: at most `max_utterance_ms` and a bit.
"""

from dataclasses import dataclass

import numpy as np

from media.detector import FRAME_SAMPLES, Detector, VoiceDetector

_FRAME_MS = 20
_FRAME_BYTES = 2 * FRAME_SAMPLES
_BYTES_PER_MS = 16
_LOST_FRAME = bytes(_FRAME_BYTES)
_DOUBT_MS = 500  # evidence that has stayed too thin for longer is not waited for


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Enough speech to believe in; `at_ms` is where it began, which lies before the moment of deciding."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class SpeechPaused:
    """Silence long enough to start guessing what was said; `pcm` is the utterance so far, first sound included."""

    start_ms: int
    end_ms: int  # where the speech stopped
    pcm: bytes


@dataclass(frozen=True, slots=True)
class SpeechResumed:
    """The pause was none: the same utterance goes on."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class UtteranceEnded:
    """The hangover has passed; `pcm` equals that of the last pause, so work begun then is not lost."""

    start_ms: int
    end_ms: int
    pcm: bytes


SpeechEvent = SpeechStarted | SpeechPaused | SpeechResumed | UtteranceEnded


@dataclass(frozen=True, slots=True)
class EndpointingSettings:
    pause_ms: int = 200
    """Silence after which it is worth guessing what was said."""
    hangover_ms: int = 500
    """Silence that ends an utterance; 0 ends it at the next silent frame. Up to `pause_ms` there is no pause event."""
    min_speech_ms: int = 80
    """How much speech must be heard to believe it. More bears more knocks and clicks; less silences the bot sooner."""
    prefix_ms: int = 300
    """Sound kept from before the beginning, since first consonants are quiet."""
    max_utterance_ms: int = 120_000
    """An utterance as long as this ends, whether or not the caller does."""
    threshold: float = 0.5
    """The likelihood from which a frame counts as speech."""


class Endpointer:
    """Utterances out of the sound of one line; `push` takes it, in frames of any size, and returns what happened."""

    def __init__(self, settings: EndpointingSettings | None = None, detector: Detector | None = None) -> None:
        self.settings = settings or EndpointingSettings()
        self.hangover_ms = self.settings.hangover_ms
        """May be set at any time; counts from the next frame on."""
        self._detector = detector or VoiceDetector()
        self._start_over()

    def _start_over(self) -> None:
        self._has_begun: bool = False
        self._now_ms: float = 0.0  # the time of the first sample not yet judged
        self._unjudged: bytes = b""
        self._held: bytearray = bytearray()
        self._evidence_ms: int = 0
        self._onset_ms: float = 0.0  # where the present evidence began
        self._loud_ms: float = 0.0  # the end of the last frame that counted as evidence
        self._start_ms: int | None = None  # set while an utterance is under way
        self._end_ms: float = 0.0  # the end of the last frame believed to be speech
        self._paused: SpeechPaused | None = None

    def reset(self) -> None:
        """As new, for another call; `hangover_ms` is that of the settings again."""
        self.hangover_ms = self.settings.hangover_ms
        self._detector.reset()
        self._start_over()

    @property
    def held_ms(self) -> float:
        """How much sound is held: before a beginning, of an utterance, and less than a frame not yet judged."""
        paused = len(self._paused.pcm) if self._paused else 0
        return (len(self._held) + len(self._unjudged) + paused) / _BYTES_PER_MS

    def push(self, pcm: bytes, at_ms: float) -> list[SpeechEvent]:
        """Some sound of any length, whose first sample belongs to `at_ms`.

        Where `at_ms` jumps ahead by a frame or more, frames were lost: so much silence is put in their place. A time
        that lies back is taken as that of the sample after the last.
        """
        events: list[SpeechEvent] = []
        if not self._has_begun:
            self._has_begun = True
            self._now_ms = at_ms
        lost_ms = at_ms - self._now_ms - len(self._unjudged) / _BYTES_PER_MS
        if lost_ms >= _FRAME_MS:
            self._bridge(lost_ms, events)
        if self._unjudged:
            pcm = self._unjudged + pcm
        whole = len(pcm) - len(pcm) % _FRAME_BYTES
        for offset in range(0, whole, _FRAME_BYTES):
            frame = pcm[offset : offset + _FRAME_BYTES]
            self._judge(frame, self._detector.likelihood(np.frombuffer(frame, "<i2")), events)
        self._unjudged = pcm[whole:]
        return events

    def flush(self) -> list[SpeechEvent]:
        """The line is gone: an utterance under way ends with what there is of it."""
        events: list[SpeechEvent] = []
        if self._start_ms is not None:
            if self._paused is None:
                self._held += self._unjudged
            self._end(events)
        self._detector.reset()
        self._start_over()
        return events

    def _bridge(self, lost_ms: float, events: list[SpeechEvent]) -> None:
        """Silence for lost frames; of a long loss only so much as can change anything, then the clock moves on."""
        ends_ms = self._now_ms + len(self._unjudged) / _BYTES_PER_MS + lost_ms
        if self._unjudged:
            begun = self._unjudged.ljust(_FRAME_BYTES, b"\0")
            self._unjudged = b""
            self._judge(begun, self._detector.likelihood(np.frombuffer(begun, "<i2")), events)
        enough_ms = max(self.hangover_ms, self.settings.prefix_ms) + 2 * _FRAME_MS
        for _ in range(int(min(ends_ms - self._now_ms, enough_ms) / _FRAME_MS)):
            self._judge(_LOST_FRAME, 0.0, events)
        self._now_ms = ends_ms

    def _judge(self, frame: bytes, likelihood: float, events: list[SpeechEvent]) -> None:
        began_ms, self._now_ms = self._now_ms, self._now_ms + _FRAME_MS
        self._held += frame
        self._weigh(likelihood >= self.settings.threshold, began_ms)
        if self._start_ms is None:
            self._listen(events)
        else:
            self._follow(self._start_ms, events)

    def _weigh(self, is_speech: bool, began_ms: float) -> None:
        if not is_speech:
            self._evidence_ms = max(0, self._evidence_ms - _FRAME_MS)
            return
        if not self._evidence_ms:
            self._onset_ms = began_ms
        self._evidence_ms = min(self.settings.min_speech_ms, self._evidence_ms + _FRAME_MS)
        self._loud_ms = began_ms + _FRAME_MS

    def _listen(self, events: list[SpeechEvent]) -> None:
        if self._evidence_ms >= self.settings.min_speech_ms:
            self._start_ms = round(self._onset_ms)
            self._end_ms = self._now_ms
            events.append(SpeechStarted(self._start_ms))
            self._keep(self._now_ms - self._onset_ms + self.settings.prefix_ms)
        elif len(self._held) > (self.settings.prefix_ms + 2 * _DOUBT_MS) * _BYTES_PER_MS:
            self._keep(self.settings.prefix_ms + _DOUBT_MS)  # only now and then, since it moves memory
            self._onset_ms = max(self._onset_ms, self._now_ms - _DOUBT_MS)

    def _keep(self, ms: float) -> None:
        excess = len(self._held) - 2 * int(ms * _BYTES_PER_MS / 2)
        if excess > 0:
            del self._held[:excess]

    def _follow(self, start_ms: int, events: list[SpeechEvent]) -> None:
        if 2 * self._evidence_ms >= self.settings.min_speech_ms and self._loud_ms == self._now_ms:
            self._end_ms = self._now_ms
            self._resume(events)
        silence_ms = self._now_ms - self._end_ms
        if self._now_ms - start_ms >= self.settings.max_utterance_ms or (silence_ms and silence_ms >= self.hangover_ms):
            self._end(events)
        elif self._paused is None and silence_ms >= self.settings.pause_ms:
            self._paused = SpeechPaused(start_ms, round(self._end_ms), self._take())
            events.append(self._paused)

    def _resume(self, events: list[SpeechEvent]) -> None:
        if self._paused is not None:
            events.append(SpeechResumed(round(self._onset_ms)))
            self._held[:0] = self._paused.pcm
            self._paused = None

    def _end(self, events: list[SpeechEvent]) -> None:
        assert self._start_ms is not None
        pcm = self._paused.pcm if self._paused else self._take()
        events.append(UtteranceEnded(self._start_ms, round(self._end_ms), pcm))
        self._start_ms = None
        self._paused = None
        self._evidence_ms = 0

    def _take(self) -> bytes:
        """The utterance, out of what is held: while it pauses it is held once, in the event."""
        pcm = bytes(self._held)
        self._held.clear()
        return pcm
