"""Requests to OpenAI's audio endpoints as values, and what is wrong with one before anybody is asked.

The client checks a request here before it is sent, the local server when it has come: the same sentence either way.
Only combinations that the documentation names are refused; for a model that the table does not know, nothing is but
what no model takes.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.speech.model_table import (
    LONGEST_INPUT,
    SPEECH_FORMATS,
    TRANSCRIPT_FORMATS,
    VOICES,
    Feature,
    Model,
    Use,
    lookup,
)

SLOWEST, FASTEST = 0.25, 4.0
MOST_SPEAKERS = 4
GRANULARITIES = ("word", "segment")
DELAYS = ("minimal", "low", "medium", "high", "xhigh")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request is refused, in OpenAI's terms."""

    message: str
    param: str
    code: str | None = "invalid_value"


@dataclass(frozen=True, slots=True)
class ServerVad:
    """`chunking_strategy` with figures of one's own."""

    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_duration_ms: int = 200


Chunking = ServerVad | Literal["auto"]


@dataclass(frozen=True, slots=True)
class TranscriptionRequest:
    """POST /v1/audio/transcriptions, the file aside."""

    model: str
    response_format: str = "json"
    language: str = ""
    languages: Sequence[str] = ()
    keywords: Sequence[str] = ()
    prompt: str = ""
    temperature: float = 0.0
    granularities: Sequence[str] = ()
    include: Sequence[str] = ()
    stream: bool = False
    chunking: Chunking | None = None
    speaker_names: Sequence[str] = ()
    speaker_references: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    """POST /v1/audio/speech."""

    model: str
    input: str
    voice: str
    instructions: str = ""
    response_format: str = "mp3"
    speed: float = 1.0
    stream_format: str = "audio"


@dataclass(frozen=True, slots=True)
class TranslationRequest:
    """POST /v1/audio/translations, the file aside."""

    model: str
    response_format: str = "json"
    prompt: str = ""
    temperature: float = 0.0


@dataclass(frozen=True, slots=True)
class LiveTranscriptionRequest:
    """How sound that still comes is to be written down: `audio.input.transcription` of a Realtime session."""

    model: str
    language: str = ""
    languages: Sequence[str] = ()
    keywords: Sequence[str] = ()
    prompt: str = ""
    delay: str = ""
    has_turn_detection: bool = False


def transcription_problem(request: TranscriptionRequest) -> Problem | None:
    return next(_transcription_problems(request, lookup(request.model)), None)


def speech_problem(request: SpeechRequest) -> Problem | None:
    return next(_speech_problems(request, lookup(request.model)), None)


def translation_problem(request: TranslationRequest) -> Problem | None:
    return next(_translation_problems(request, lookup(request.model)), None)


def live_transcription_problem(request: LiveTranscriptionRequest) -> Problem | None:
    return next(_live_transcription_problems(request, lookup(request.model)), None)


def _transcription_problems(request: TranscriptionRequest, model: Model | None) -> Iterator[Problem]:
    yield from _wrong_use(request.model, model, Use.TRANSCRIPTION)
    yield from _format_problems(request.model, request.response_format, TRANSCRIPT_FORMATS, model)
    yield from _temperature_problems(request.temperature)
    yield from _timestamp_problems(request, model)
    yield from _logprob_problems(request, model)
    yield from _speaker_problems(request, model)
    for feature, is_used, param in (
        (Feature.PROMPT, request.prompt, "prompt"),
        (Feature.LANGUAGES, request.languages, "languages"),
        (Feature.KEYWORDS, request.keywords, "keywords"),
    ):
        if is_used and model is not None and feature not in model.features:
            yield _unsupported(param, request.model)
    if isinstance(request.chunking, ServerVad):
        yield from _chunking_problems(request.chunking)


def _format_problems(name: str, wanted: str, known: Sequence[str], model: Model | None) -> Iterator[Problem]:
    allowed = model.formats if model is not None and model.formats else known
    if wanted not in known:
        listed = ", ".join(repr(one) for one in known)
        yield Problem(f"Invalid value: '{wanted}'. Supported values are: {listed}.", "response_format")
    elif wanted not in allowed:
        listed = ", ".join(repr(one) for one in allowed)
        yield Problem(
            f"response_format '{wanted}' is not compatible with model '{name}'. Use one of {listed} instead.",
            "response_format",
            "unsupported_value",
        )


def _temperature_problems(temperature: float) -> Iterator[Problem]:
    if not 0 <= temperature <= 1:
        yield Problem(f"Invalid value for temperature: {temperature:g}. It must be between 0 and 1.", "temperature")


def _timestamp_problems(request: TranscriptionRequest, model: Model | None) -> Iterator[Problem]:
    param = "timestamp_granularities"
    for wanted in request.granularities:
        if wanted not in GRANULARITIES:
            yield Problem(f"Invalid value: '{wanted}'. Supported values are: 'word' and 'segment'.", param)
    if not request.granularities:
        return
    if model is not None and Feature.TIMESTAMPS not in model.features:
        yield _unsupported(param, request.model)
    if request.response_format != "verbose_json":
        yield Problem(
            "timestamp_granularities needs response_format 'verbose_json', "
            f"but response_format is '{request.response_format}'.",
            param,
            "unsupported_value",
        )


def _logprob_problems(request: TranscriptionRequest, model: Model | None) -> Iterator[Problem]:
    for wanted in request.include:
        if wanted != "logprobs":
            yield Problem(f"Invalid value: '{wanted}'. Supported values are: 'logprobs'.", "include")
    if not request.include:
        return
    if model is not None and Feature.LOGPROBS not in model.features:
        yield Problem(
            f"include 'logprobs' is not supported with model '{request.model}'.", "include", "unsupported_value"
        )
    if request.response_format != "json":
        yield Problem(
            f"include 'logprobs' needs response_format 'json', but response_format is '{request.response_format}'.",
            "include",
            "unsupported_value",
        )


def _speaker_problems(request: TranscriptionRequest, model: Model | None) -> Iterator[Problem]:
    names, references = request.speaker_names, request.speaker_references
    if not names and not references:
        return
    if model is not None and Feature.DIARIZATION not in model.features:
        yield _unsupported("known_speaker_names" if names else "known_speaker_references", request.model)
    if len(names) > MOST_SPEAKERS:
        yield Problem(f"known_speaker_names holds {len(names)} names; up to 4 are supported.", "known_speaker_names")
    if len(set(names)) < len(names):
        yield Problem("known_speaker_names holds the same name twice.", "known_speaker_names")
    if references and len(references) != len(names):
        yield Problem(
            f"There are {len(references)} known_speaker_references for {len(names)} known_speaker_names; "
            "each name needs one, in the same order.",
            "known_speaker_references",
        )
    for reference in references:
        if not reference.startswith("data:"):
            yield Problem("known_speaker_references must be data URLs.", "known_speaker_references")


def _chunking_problems(chunking: ServerVad) -> Iterator[Problem]:
    if not 0 <= chunking.threshold <= 1:
        yield Problem("chunking_strategy.threshold must be between 0 and 1.", "chunking_strategy")
    if chunking.prefix_padding_ms < 0 or chunking.silence_duration_ms < 0:
        yield Problem(
            "chunking_strategy.prefix_padding_ms and silence_duration_ms cannot be negative.", "chunking_strategy"
        )


def _speech_problems(request: SpeechRequest, model: Model | None) -> Iterator[Problem]:
    yield from _wrong_use(request.model, model, Use.SPEECH)
    yield from _format_problems(request.model, request.response_format, SPEECH_FORMATS, None)
    if not request.input.strip():
        yield Problem("Invalid 'input': the text is empty.", "input", "empty_string")
    for param, text in (("input", request.input), ("instructions", request.instructions)):
        if len(text) > LONGEST_INPUT:
            yield Problem(
                f"Invalid '{param}': string too long. Expected a string with maximum length {LONGEST_INPUT}, "
                f"but got a string with length {len(text)} instead.",
                param,
                "string_above_max_length",
            )
    if not SLOWEST <= request.speed <= FASTEST or math.isnan(request.speed):
        yield Problem(f"Invalid value for speed: {request.speed:g}. It must be between 0.25 and 4.0.", "speed")
    if request.stream_format not in ("audio", "sse"):
        yield Problem(
            f"Invalid value: '{request.stream_format}'. Supported values are: 'audio' and 'sse'.", "stream_format"
        )
    if model is None:
        return
    if request.instructions and Feature.INSTRUCTIONS not in model.features:
        yield _unsupported("instructions", request.model)
    if request.stream_format == "sse" and Feature.SSE not in model.features:
        yield Problem(
            f"stream_format 'sse' is not supported with model '{request.model}'.", "stream_format", "unsupported_value"
        )
    if model.voices is not None and request.voice in VOICES - model.voices:
        yield Problem(f"Voice '{request.voice}' is not supported with model '{request.model}'.", "voice")


def _translation_problems(request: TranslationRequest, model: Model | None) -> Iterator[Problem]:
    yield from _wrong_use(request.model, model, Use.TRANSLATION)
    formats = tuple(one for one in TRANSCRIPT_FORMATS if one != "diarized_json")
    yield from _format_problems(request.model, request.response_format, formats, None)
    yield from _temperature_problems(request.temperature)


def _live_transcription_problems(request: LiveTranscriptionRequest, model: Model | None) -> Iterator[Problem]:
    yield from _wrong_use(request.model, model, Use.LIVE_TRANSCRIPTION)
    if request.delay and request.delay not in DELAYS:
        listed = ", ".join(repr(one) for one in DELAYS)
        yield Problem(f"Invalid value: '{request.delay}'. Supported values are: {listed}.", "delay")
    if model is None:
        return
    if request.language and Feature.LANGUAGES in model.features:
        yield Problem(
            f"language is not supported with model '{request.model}': use languages.", "language", "unsupported_value"
        )
    for feature, is_used, param in (
        (Feature.LANGUAGES, request.languages, "languages"),
        (Feature.KEYWORDS, request.keywords, "keywords"),
        (Feature.PROMPT, request.prompt, "prompt"),
        (Feature.DELAY, request.delay, "delay"),
    ):
        if is_used and feature not in model.features:
            yield _unsupported(param, request.model)
    if request.has_turn_detection and Feature.TURN_DETECTION not in model.features:
        yield Problem(
            f"Turn detection is not supported for the transcription model '{request.model}': set it to null.",
            "turn_detection",
        )


def _wrong_use(name: str, model: Model | None, use: Use) -> Iterator[Problem]:
    if model is not None and use not in model.uses:
        yield Problem(f"The model '{name}' is not supported for {use.value}.", "model", "unsupported_value")


def _unsupported(param: str, name: str) -> Problem:
    return Problem(f"{param} is not supported with model '{name}'.", param, "unsupported_value")
