"""When somebody speaks on a line: utterance start, pause and end from 16-bit mono PCM at 8,000 Hz."""

from dataclasses import dataclass


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
