"""What `offhook transcribe` was asked for, as requests: options that do not go together are refused before any is sent.

The sentences are those of `speech/requests.py`, which the server would use as well, with the option's own name where
the command line has none of the parameter's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.errors import ConfigError
from bot.speech.engine_names import EngineName, parse
from bot.speech.model_table import Feature, lookup
from bot.speech.requests import (
    Chunking,
    ServerVad,
    TranscriptionRequest,
    TranslationRequest,
    transcription_problem,
    translation_problem,
)

FileRequest = TranscriptionRequest | TranslationRequest


class AskedWronglyError(ConfigError):
    """Options that do not go together; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Options:
    """As given; what was not given is empty."""

    response_format: str = "text"
    translate: bool = False
    languages: Sequence[str] = ()
    keywords: Sequence[str] = ()
    prompt: str = ""
    temperature: float = 0.0
    timestamps: Sequence[str] = ()
    logprobs: bool = False
    chunking: str = ""
    speaker_names: Sequence[str] = ()
    speaker_references: Sequence[str] = ()
    by_channel: bool = False  # each of two channels is a speaker
    streams: bool = False  # the words are wanted as they come, if the model can


def engine(model: str, server: str) -> EngineName:
    """`local:NAME`, `openai:NAME`, `openai:NAME@SERVER`, or a bare name at the server."""
    name = parse(model if ":" in model or "/" in model else f"openai:{model}")
    if name.kind == "openai-realtime":
        raise AskedWronglyError(f"{model} listens to what is said now: for recordings write openai: and a model")
    if not server:
        return name
    if name.kind == "local":
        raise AskedWronglyError(f"{model} is on this machine: with --server name one of the server's models")
    if name.server not in ("", server):
        raise AskedWronglyError(f"{model} names the server {name.server!r}, --server {server!r}: give one of them")
    return EngineName(name.kind, name.model, server)


def request(name: EngineName, options: Options) -> FileRequest:
    """Raises `AskedWronglyError`, saying why.

    Of one channel it is asked what puts its words in their place: times, or of single turns just words.
    """
    if options.by_channel:
        options = _of_a_channel(name, options)
    asked = _translation(name.model, options) if options.translate else _transcription(name, options)
    check = translation_problem(asked) if isinstance(asked, TranslationRequest) else transcription_problem(asked)
    if check is not None:
        raise AskedWronglyError(check.message)
    return asked


def _of_a_channel(name: EngineName, options: Options) -> Options:
    for option, is_used in (("--logprobs", options.logprobs), ("--timestamps", options.timestamps)):
        if is_used:
            raise AskedWronglyError(f"{option} does not go with --channels, which puts two transcripts together.")
    if goes_by_turn(name):
        return replace(options, response_format="json", speaker_names=(), streams=False)
    times = ("word", "segment")
    return replace(options, response_format="verbose_json", timestamps=times, speaker_names=(), streams=False)


def goes_by_turn(name: EngineName) -> bool:
    """How a channel is gone through: a server is not paid for the other speaker's turns; ours wants its context."""
    return name.kind != "local"


def _transcription(name: EngineName, options: Options) -> TranscriptionRequest:
    model = lookup(name.model)
    takes_languages = model is not None and Feature.LANGUAGES in model.features
    several = options.languages if takes_languages or len(options.languages) > 1 else ()
    streams = options.streams and options.response_format in ("text", "json", "diarized_json")
    streams = streams and (Feature.STREAM in model.features if model is not None else name.kind == "local")
    return TranscriptionRequest(
        model=name.model,
        response_format=options.response_format,
        language="" if several else next(iter(options.languages), ""),
        languages=tuple(several),
        keywords=tuple(options.keywords),
        prompt=options.prompt,
        temperature=options.temperature,
        granularities=tuple(options.timestamps),
        include=("logprobs",) if options.logprobs else (),
        stream=streams,
        chunking=_chunking(options),
        speaker_names=tuple(options.speaker_names),
        speaker_references=tuple(options.speaker_references),
    )


def _translation(model: str, options: Options) -> TranslationRequest:
    for option, is_used in (
        ("--language", options.languages),
        ("--keyword", options.keywords),
        ("--timestamps", options.timestamps),
        ("--logprobs", options.logprobs),
        ("--chunking", options.chunking),
        ("--speaker", options.speaker_names),
    ):
        if is_used:
            raise AskedWronglyError(f"{option} does not go with --translate: translations take no such parameter.")
    return TranslationRequest(model, options.response_format, options.prompt, options.temperature)


def _chunking(options: Options) -> Chunking | None:
    """`auto`, or `server_vad` with figures as in `server_vad:threshold=0.4,silence_duration_ms=300`.

    Diarization models want to be told for all but the shortest recordings, so they are.
    """
    kind, _, figures = options.chunking.partition(":")
    if kind == "auto" or (not kind and options.response_format == "diarized_json"):
        return "auto"
    if not kind:
        return None
    if kind != "server_vad":
        raise AskedWronglyError(f"Invalid chunking_strategy: {options.chunking!r} is neither auto nor server_vad.")
    return _vad(figures)


def _vad(figures: str) -> ServerVad:
    values: dict[str, float] = {}
    for figure in filter(None, figures.split(",")):
        name, _, value = figure.partition("=")
        if name not in ServerVad.__slots__:
            raise AskedWronglyError(f"Invalid chunking_strategy: server_vad has {', '.join(ServerVad.__slots__)}.")
        try:
            values[name] = float(value) if name == "threshold" else int(value)
        except ValueError as exc:
            raise AskedWronglyError(f"Invalid chunking_strategy: {name} is {value!r}, which is no number.") from exc
    return ServerVad(
        threshold=values.get("threshold", 0.5),
        prefix_padding_ms=int(values.get("prefix_padding_ms", 300)),
        silence_duration_ms=int(values.get("silence_duration_ms", 200)),
    )
