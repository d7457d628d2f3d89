"""What OpenAI's audio models can do, which parameters they take, and until when they live.

A table of facts, dated by the documentation of November 2026; nothing here asks anybody. Names of models are
configuration, so a name that is not in the table is no error by itself: whoever is asked for it has to know. A dated
snapshot (`gpt-4o-mini-tts-2025-12-15`) is the model without its date unless it has a row of its own. Which combination
of parameters is allowed follows from these rows in `requests.py`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Final


class Use(Enum):
    """What a model is asked for."""

    SPEECH = "/v1/audio/speech"
    TRANSCRIPTION = "/v1/audio/transcriptions"
    TRANSLATION = "/v1/audio/translations"
    CHAT = "/v1/chat/completions"
    REALTIME = "/v1/realtime"
    LIVE_TRANSCRIPTION = "/v1/realtime?intent=transcription"
    LIVE_TRANSLATION = "/v1/realtime/translations"
    LIVE = "/v1/live/sessions"


class Feature(Enum):
    """A parameter that some models take and others do not."""

    PROMPT = "prompt"
    STREAM = "stream"
    LOGPROBS = "include[]=logprobs"
    TIMESTAMPS = "timestamp_granularities[]"
    LANGUAGES = "languages[]"
    KEYWORDS = "keywords[]"
    DIARIZATION = "known_speaker_names[]"
    INSTRUCTIONS = "instructions"
    SSE = "stream_format=sse"
    DELAY = "delay"
    TURN_DETECTION = "turn_detection"
    REASONING = "reasoning"


@dataclass(frozen=True, slots=True)
class Model:
    name: str
    uses: frozenset[Use]
    features: frozenset[Feature] = frozenset()
    formats: tuple[str, ...] = ()  # of transcripts; the first is the usual one
    voices: frozenset[str] | None = None  # None: all
    shutdown: date | None = None
    replacement: str = ""  # as OpenAI names it; "" where it names none

    def is_off(self, today: date) -> bool:
        return self.shutdown is not None and self.shutdown <= today

    def days_left(self, today: date) -> int | None:
        """None where no end is announced."""
        return None if self.shutdown is None else (self.shutdown - today).days


TRANSCRIPT_FORMATS: Final = ("json", "text", "srt", "verbose_json", "vtt", "diarized_json")
SPEECH_TYPES: Final = {
    "mp3": "audio/mpeg",
    "opus": "audio/opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",  # 24,000 Hz, 16-bit little-endian mono, without a header
}
"""The formats of speech, and the content type each comes with."""
SPEECH_FORMATS: Final = tuple(SPEECH_TYPES)
CHAT_AUDIO_FORMATS: Final = ("wav", "mp3", "flac", "opus", "aac", "pcm16")
VOICES: Final = frozenset(
    "alloy ash ballad coral echo fable nova onyx sage shimmer verse marin cedar".split()  # noqa: SIM905
)
OLD_VOICES: Final = frozenset("alloy ash coral echo fable nova onyx sage shimmer".split())  # noqa: SIM905
CONVERSING_VOICES: Final = VOICES - {"fable", "nova", "onyx"}
"""Those that models have which hear and speak: chat with audio, Realtime."""
LONGEST_INPUT: Final = 4096
"""Characters of a speech request's input, and of its instructions."""
LARGEST_UPLOAD: Final = 26_214_400
"""Bytes of an audio file."""
PROMPT_TOKENS: Final = 224
"""Whisper reads only so many tokens of a prompt, the last ones."""
TRANSLATIONS_END: Final = date(2027, 2, 26)
"""When OpenAI switches /v1/audio/translations off."""

_BETA_OFF = date(2026, 5, 7)
_SPEECH_OFF = date(2027, 1, 6)
_VOICES_OFF = date(2027, 1, 20)
_WHISPER_OFF = date(2027, 2, 26)
_FILES = frozenset({Use.TRANSCRIPTION})
_FILES_AND_LIVE = frozenset({Use.TRANSCRIPTION, Use.LIVE_TRANSCRIPTION})
_GPT_4O = frozenset({Feature.PROMPT, Feature.STREAM, Feature.LOGPROBS, Feature.TURN_DETECTION})
_READER = "gpt-realtime-2.1-mini"

_ROWS: Final = (
    # Files to text
    Model(
        "gpt-transcribe",
        _FILES_AND_LIVE,
        frozenset({Feature.PROMPT, Feature.STREAM, Feature.LANGUAGES, Feature.KEYWORDS, Feature.TURN_DETECTION}),
        ("json", "text"),
    ),
    Model(
        "whisper-1",
        frozenset({Use.TRANSCRIPTION, Use.TRANSLATION, Use.LIVE_TRANSCRIPTION}),
        frozenset({Feature.PROMPT, Feature.TIMESTAMPS, Feature.TURN_DETECTION}),
        ("json", "text", "srt", "verbose_json", "vtt"),
        shutdown=_WHISPER_OFF,
        replacement="gpt-transcribe",
    ),
    *(
        Model(name, _FILES_AND_LIVE, _GPT_4O, ("json", "text"), shutdown=_WHISPER_OFF, replacement="gpt-transcribe")
        for name in ("gpt-4o-transcribe", "gpt-4o-mini-transcribe")
    ),
    Model(
        "gpt-4o-transcribe-diarize",
        _FILES,
        frozenset({Feature.STREAM, Feature.DIARIZATION}),
        ("json", "text", "diarized_json"),
        shutdown=_WHISPER_OFF,
        replacement="gpt-transcribe",
    ),
    # Live sound to text
    Model(
        "gpt-live-transcribe",
        frozenset({Use.LIVE_TRANSCRIPTION}),
        frozenset({Feature.PROMPT, Feature.LANGUAGES, Feature.KEYWORDS}),
    ),
    Model("gpt-realtime-whisper", frozenset({Use.LIVE_TRANSCRIPTION}), frozenset({Feature.DELAY})),
    Model("gpt-realtime-translate", frozenset({Use.LIVE_TRANSLATION})),
    # Text to speech
    Model(
        "gpt-4o-mini-tts",
        frozenset({Use.SPEECH}),
        frozenset({Feature.INSTRUCTIONS, Feature.SSE}),
        shutdown=_SPEECH_OFF,
        replacement=_READER,
    ),
    *(
        Model(name, frozenset({Use.SPEECH}), voices=OLD_VOICES, shutdown=_SPEECH_OFF, replacement=_READER)
        for name in ("tts-1", "tts-1-hd")
    ),
    # Chat with audio
    Model("gpt-audio-1.5", frozenset({Use.CHAT})),
    Model("gpt-audio", frozenset({Use.CHAT})),
    Model("gpt-audio-mini", frozenset({Use.CHAT}), shutdown=_VOICES_OFF, replacement="gpt-audio-1.5"),
    *(
        Model(name, frozenset({Use.CHAT}), shutdown=_BETA_OFF, replacement="gpt-audio-1.5")
        for name in ("gpt-4o-audio-preview", "gpt-4o-mini-audio-preview")
    ),
    # Speech to speech
    *(
        Model(name, frozenset({Use.REALTIME}), frozenset({Feature.REASONING}))
        for name in ("gpt-realtime-2.1", "gpt-realtime-2.1-mini", "gpt-realtime-2")
    ),
    Model("gpt-realtime-1.5", frozenset({Use.REALTIME})),
    Model("gpt-realtime", frozenset({Use.REALTIME}), shutdown=_VOICES_OFF, replacement="gpt-realtime-2.1"),
    Model("gpt-realtime-mini", frozenset({Use.REALTIME}), shutdown=_VOICES_OFF, replacement=_READER),
    Model("gpt-4o-realtime-preview", frozenset({Use.REALTIME}), shutdown=_BETA_OFF, replacement="gpt-realtime-2.1"),
    Model("gpt-4o-mini-realtime-preview", frozenset({Use.REALTIME}), shutdown=_BETA_OFF, replacement=_READER),
    Model("gpt-live-1", frozenset({Use.LIVE})),
)

MODELS: Final[Mapping[str, Model]] = {model.name: model for model in _ROWS}

_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")


def lookup(name: str) -> Model | None:
    """A model by its name or that of a dated snapshot; None for one that the table does not know."""
    return MODELS.get(name) or MODELS.get(without_date(name))


def without_date(name: str) -> str:
    """The model of which a name like `gpt-4o-mini-tts-2025-12-15` is a snapshot."""
    return _SNAPSHOT.sub("", name)


def named_for(use: Use) -> tuple[str, ...]:
    """The models that do this, those first whose end is not announced."""
    able = [model for model in MODELS.values() if use in model.uses]
    return tuple(model.name for model in sorted(able, key=lambda model: model.shutdown or date.max, reverse=True))


def warning(name: str, today: date, ahead_days: int = 120) -> str | None:
    """A sentence for the operator about a model that OpenAI has switched off or soon will; None where all is well."""
    model = lookup(name)
    if model is None or model.shutdown is None:
        return None
    instead = f"; OpenAI names {model.replacement} as its replacement" if model.replacement else ""
    if model.is_off(today):
        return f"OpenAI switched {name} off on {model.shutdown.isoformat()}{instead}"
    if (model.shutdown - today).days <= ahead_days:
        return f"OpenAI will switch {name} off on {model.shutdown.isoformat()}{instead}"
    return None
