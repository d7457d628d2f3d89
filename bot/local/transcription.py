"""What is heard in a recording: segments, words and tokens with their times and figures. Values only.

Times are seconds from the beginning of the recording. The figures are Whisper's own: `avg_logprob` below -1 means
guesses, a `compression_ratio` above 2.4 means that something was written over and over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Token:
    text: str
    logprob: float
    content: bytes  # a token may be a part of a letter only, which `text` cannot show


@dataclass(frozen=True, slots=True)
class Word:
    text: str  # as written, with its space before and its punctuation
    start_s: float
    end_s: float
    probability: float  # 0 to 1


@dataclass(frozen=True, slots=True)
class Segment:
    text: str  # begins with a space, as Whisper writes it
    start_s: float
    end_s: float
    seek: int  # where the model's window began, in frames of 10 ms
    token_ids: tuple[int, ...]
    temperature: float
    avg_logprob: float
    compression_ratio: float
    no_speech_prob: float
    words: tuple[Word, ...] = ()
    tokens: tuple[Token, ...] = ()
    channel: int | None = None  # who speaks, where each speaker has a channel


@dataclass(frozen=True, slots=True)
class SpeechSearch:
    """Only what a voice detector takes for speech is listened to (OpenAI's `chunking_strategy`)."""

    threshold: float = 0.5  # 0 to 1
    prefix_padding_ms: int = 300
    silence_ms: int = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a recording is to be listened to."""

    task: Literal["transcribe", "translate"] = "transcribe"
    language: str | None = None  # None: as the model hears it
    prompt: str = ""  # what went before, or how to spell; only its end is read
    keywords: tuple[str, ...] = ()  # words to expect
    temperature: float = 0.0  # 0 starts there and rises where the result looks wrong
    search: SpeechSearch | None = None  # None: as is best
    by_channel: bool = False  # each of two channels is a speaker
    words_only: bool = False  # neither times nor figures are of interest


@dataclass(frozen=True, slots=True)
class Transcription:
    """A whole recording."""

    segments: Sequence[Segment]
    duration_s: float
    language: str  # ISO 639-1

    @property
    def text(self) -> str:
        return "".join(segment.text for segment in self.segments).strip()
