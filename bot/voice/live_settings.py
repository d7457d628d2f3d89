"""From a bot's configuration to what its live transcription session is told, and what the voice must know of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.config import BotConfig, PriceConfig
from bot.errors import ConfigError
from bot.local.phantoms import spoken_words
from bot.speech.engine_names import EngineName, parse
from bot.speech.model_table import Feature, Use, lookup, named_for
from bot.speech.openai_transcriber import request_of
from bot.speech.prices import Price, price_of
from bot.speech.requests import LiveTranscriptionRequest, live_transcription_problem
from media.frame import L16_24K, PCMA_8K, PCMU_8K, AudioFormat

LOGPROBS = "item.input_audio_transcription.logprobs"
_FORMATS: Mapping[AudioFormat, Mapping[str, Any]] = {
    PCMU_8K: {"type": "audio/pcmu"},
    PCMA_8K: {"type": "audio/pcma"},
    L16_24K: {"type": "audio/pcm", "rate": 24000},
}
_PADDING_MS = 300
_SURELY_MS = 300  # a detector needs a moment more than its silence
_SEMANTIC_WAIT_MS = 8000  # the longest that semantic_vad waits
_BUILT_IN = ("tones",)


@dataclass(frozen=True, slots=True)
class LiveSettings:
    session: Mapping[str, Any]  # for session.update
    core_session: Mapping[str, Any]  # the same, without what a server may not know
    model: str
    wire: AudioFormat  # what the model hears
    price: Price
    is_turn_local: bool = True
    prompt_words: Sequence[str] = ()  # what a near-silence may be taken for
    writes_ahead: bool = False  # while the caller speaks, not only once their utterance is committed
    padding_ms: int = _PADDING_MS  # so long before the caller's first sound an utterance begins
    silence_ms: int = 0  # so long after their last one a detected utterance ends
    calm_after_ms: int = _SEMANTIC_WAIT_MS  # so long after their last sound it has certainly ended
    connect_timeout_s: float = 5.0
    reconnect_s: float = 8.0
    stall_s: float = 5.0
    renew_before_s: float = 120.0


def live_name(bot: BotConfig) -> EngineName | None:
    """The live transcriber of a chained bot; None for a bot that has none."""
    name = parse(bot.chained.transcriber, own=_BUILT_IN) if bot.voice == "chained" else None
    return name if name is not None and name.kind == "openai-realtime" else None


def check_listening(bot: BotConfig) -> None:
    """Raises `ConfigError` for a chained bot whose settings for listening contradict each other."""
    name = live_name(bot)
    if name is None:
        if bot.voice == "chained" and bot.chained.turn_detection != "local":
            raise ConfigError(
                f"bot {bot.name!r}: chained.turn_detection = {bot.chained.turn_detection!r} needs a live transcriber: "
                "write chained.transcriber = 'openai-realtime:MODEL', or turn_detection = 'local'"
            )
        return
    if (problem := _problem(bot, name.model)) is not None:
        raise ConfigError(f"bot {bot.name!r}: {problem}")


def _problem(bot: BotConfig, name: str) -> str | None:
    model = lookup(name)
    if model is not None and Use.LIVE_TRANSCRIPTION not in model.uses:
        able = ", ".join(named_for(Use.LIVE_TRANSCRIPTION))
        also = f", or openai:{name}" if Use.TRANSCRIPTION in model.uses else ""
        return f"{name} does not transcribe live: write openai-realtime: with one of {able}{also}"
    found = live_transcription_problem(_request(bot, name))
    if found is None:
        return None
    if found.param == "turn_detection":
        return f"{name} cannot tell when the caller has finished: write chained.turn_detection = 'local'"
    setting = {"prompt": "transcriber_prompt"}.get(found.param, found.param)
    return f"chained.{setting} does not go with chained.transcriber: {found.message}"


def _request(bot: BotConfig, model: str) -> LiveTranscriptionRequest:
    """What a model is asked for, in the words that it knows."""
    wanted = request_of(model, bot.language, bot.chained.keywords, bot.chained.transcriber_prompt)
    return LiveTranscriptionRequest(
        model,
        language=wanted.language,
        languages=wanted.languages,
        keywords=wanted.keywords,
        prompt=wanted.prompt,
        has_turn_detection=bot.chained.turn_detection != "local",
    )


def live_settings_of(
    bot: BotConfig, name: EngineName, line: AudioFormat, prices: Mapping[str, PriceConfig]
) -> LiveSettings:
    """The carrier's own encoding goes through as it is; there is no more in it than the model can use."""
    model, detection = lookup(name.model), bot.chained.turn_detection
    wire = line if line in _FORMATS else L16_24K
    core = _core(bot, name.model, wire)
    is_server_vad = detection == "server_vad"
    return LiveSettings(
        session=_session(bot, name.model, core),
        core_session=core,
        model=name.model,
        wire=wire,
        price=price_of(name.model, prices),
        is_turn_local=detection == "local",
        prompt_words=spoken_words(_request(bot, name.model).prompt),
        # Those that cannot tell where an utterance ends do not wait for its end either.
        writes_ahead=model is not None and Feature.TURN_DETECTION not in model.features,
        padding_ms=0 if detection == "semantic_vad" else _PADDING_MS,
        silence_ms=bot.listening.hangover_ms if is_server_vad else 0,
        calm_after_ms=bot.listening.hangover_ms + _SURELY_MS if is_server_vad else _SEMANTIC_WAIT_MS,
        connect_timeout_s=bot.realtime.connect_timeout_s,
        reconnect_s=bot.realtime.reconnect_s,
        stall_s=bot.realtime.stall_s,
        renew_before_s=bot.realtime.renew_before_s,
    )


def _core(bot: BotConfig, model: str, wire: AudioFormat) -> dict[str, Any]:
    heard = {
        "format": _FORMATS[wire],
        "transcription": {"model": model},
        "turn_detection": _turn_detection(bot),
    }
    return {"type": "transcription", "audio": {"input": heard}}


def _turn_detection(bot: BotConfig) -> dict[str, Any] | None:
    match bot.chained.turn_detection:
        case "server_vad":
            return {
                "type": "server_vad",
                "threshold": 0.5,
                "prefix_padding_ms": _PADDING_MS,
                "silence_duration_ms": bot.listening.hangover_ms,
            }
        case "semantic_vad":
            return {"type": "semantic_vad", "eagerness": "auto"}
        case "local":
            return None


def _session(bot: BotConfig, model: str, core: Mapping[str, Any]) -> dict[str, Any]:
    known, wanted = lookup(model), _request(bot, model)
    steering = {
        "language": wanted.language,
        "languages": [*wanted.languages],
        "keywords": [*wanted.keywords],
        "prompt": wanted.prompt,
    }
    transcription = {"model": model, **{key: value for key, value in steering.items() if value}}
    heard = {**core["audio"]["input"], "transcription": transcription, "noise_reduction": {"type": "near_field"}}
    include = {"include": [LOGPROBS]} if known is not None and Feature.LOGPROBS in known.features else {}
    return {**core, "audio": {"input": heard}, **include}
