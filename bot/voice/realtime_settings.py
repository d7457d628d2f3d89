"""From a bot's configuration to what its realtime session is told, and what the voice must know of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.config import BotConfig, PriceConfig, RealtimeConfig
from bot.speech.prices import Price, price_of
from bot.tools import ToolSpec
from media.frame import L16_24K, PCMA_8K, PCMU_8K, AudioFormat

_WIRES: Mapping[str, tuple[AudioFormat, Mapping[str, Any]]] = {
    "pcm": (L16_24K, {"type": "audio/pcm", "rate": 24000}),
    "pcmu": (PCMU_8K, {"type": "audio/pcmu"}),
    "pcma": (PCMA_8K, {"type": "audio/pcma"}),
}
_STOCK_VOICES = frozenset(["alloy", "ash", "ballad", "cedar", "coral", "echo", "marin", "sage", "shimmer", "verse"])
_SURELY_MS = 300  # a detector needs a moment more than its silence
_SEMANTIC_WAIT_MS = 8000  # the longest that semantic_vad waits, with low eagerness
_WITHOUT_LANGUAGE = frozenset({"gpt-transcribe", "gpt-live-transcribe"})  # they take a list of languages instead


@dataclass(frozen=True, slots=True)
class RealtimeSettings:
    session: Mapping[str, Any]  # for session.update
    core_session: Mapping[str, Any]  # the same, without what a server may not know
    model: str
    wire: AudioFormat  # what the model hears and speaks
    price: Price
    is_turn_local: bool = False
    answers_itself: bool = True
    is_interruptible: bool = True
    is_transcribed: bool = True
    padding_ms: int = 0  # so long before the caller's first sound a detected utterance begins
    silence_ms: int = 0  # so long after their last one it ends
    calm_after_ms: int = 4000  # so long after their last sound it has certainly ended
    connect_timeout_s: float = 5.0
    reconnect_s: float = 8.0
    stall_s: float = 5.0
    renew_before_s: float = 120.0


def settings_of(bot: BotConfig, tools: Sequence[ToolSpec], prices: Mapping[str, PriceConfig]) -> RealtimeSettings:
    realtime = bot.realtime
    wire, _ = _WIRES[realtime.audio]
    is_server_vad = realtime.turn_detection == "server_vad"
    core = _core(bot, tools)
    return RealtimeSettings(
        session=_laid_over(_laid_over(core, _extras(bot)), realtime.session),
        core_session=core,
        model=realtime.model,
        wire=wire,
        price=price_of(realtime.model, prices),
        is_turn_local=realtime.turn_detection == "local",
        answers_itself=realtime.create_response,
        is_interruptible=realtime.interrupt_response,
        is_transcribed=bool(realtime.transcription_model),
        padding_ms=realtime.prefix_padding_ms if realtime.turn_detection != "semantic_vad" else 0,
        silence_ms=realtime.silence_ms if is_server_vad else 0,
        calm_after_ms=realtime.silence_ms + _SURELY_MS if is_server_vad else _SEMANTIC_WAIT_MS,
        connect_timeout_s=realtime.connect_timeout_s,
        reconnect_s=realtime.reconnect_s,
        stall_s=realtime.stall_s,
        renew_before_s=realtime.renew_before_s,
    )


def voice_on_wire(name: str) -> str | Mapping[str, str]:
    """One of OpenAI's by its name, a custom one by its id."""
    return name if name in _STOCK_VOICES else {"id": name}


def _core(bot: BotConfig, tools: Sequence[ToolSpec]) -> dict[str, Any]:
    """What every server that speaks the protocol must understand."""
    realtime = bot.realtime
    _, wire_format = _WIRES[realtime.audio]
    return {
        "type": "realtime",
        "output_modalities": ["audio"],
        "instructions": bot.instructions,
        "audio": {
            "input": {"format": wire_format, "turn_detection": _turn_detection(realtime)},
            "output": {"format": wire_format, "voice": voice_on_wire(realtime.speaker)},
        },
        "tools": [
            {"type": "function", "name": tool.name, "description": tool.description, "parameters": tool.parameters}
            for tool in tools
        ],
    }


def _turn_detection(realtime: RealtimeConfig) -> dict[str, Any] | None:
    does = {"create_response": realtime.create_response, "interrupt_response": realtime.interrupt_response}
    match realtime.turn_detection:
        case "server_vad":
            idle = {} if realtime.idle_timeout_ms is None else {"idle_timeout_ms": realtime.idle_timeout_ms}
            return {
                "type": "server_vad",
                "threshold": realtime.threshold,
                "prefix_padding_ms": realtime.prefix_padding_ms,
                "silence_duration_ms": realtime.silence_ms,
                **idle,
                **does,
            }
        case "semantic_vad":
            return {"type": "semantic_vad", "eagerness": realtime.eagerness, **does}
        case "local":
            return None


def _extras(bot: BotConfig) -> dict[str, Any]:
    realtime = bot.realtime
    named = {"auto", "none", "required"}
    choice: Any = realtime.tool_choice
    extras: dict[str, Any] = {
        "audio": {
            "input": {
                "noise_reduction": None if realtime.noise_reduction == "off" else {"type": realtime.noise_reduction},
                "transcription": _transcription(bot),
            },
            "output": {"speed": realtime.speed},
        },
        "tool_choice": choice if choice in named else {"type": "function", "name": choice},
        "max_output_tokens": "inf" if realtime.max_output_tokens is None else realtime.max_output_tokens,
        "truncation": _truncation(realtime),
    }
    if realtime.tracing == "auto":
        extras["tracing"] = "auto"
    if realtime.prompt_id:
        version = {"version": realtime.prompt_version} if realtime.prompt_version else {}
        extras["prompt"] = {"id": realtime.prompt_id, **version, "variables": realtime.prompt_variables}
    if realtime.reasoning_effort is not None:
        extras["reasoning"] = {"effort": realtime.reasoning_effort}
    if realtime.parallel_tool_calls is not None:
        extras["parallel_tool_calls"] = realtime.parallel_tool_calls
    return extras


def _transcription(bot: BotConfig) -> dict[str, Any] | None:
    realtime = bot.realtime
    if not realtime.transcription_model:
        return None
    is_listed = realtime.transcription_model in _WITHOUT_LANGUAGE
    language: dict[str, Any] = {"languages": [bot.language]} if is_listed else {"language": bot.language}
    prompt = {"prompt": realtime.transcription_prompt} if realtime.transcription_prompt else {}
    return {"model": realtime.transcription_model, **language, **prompt}


def _truncation(realtime: RealtimeConfig) -> Any:
    if realtime.retention_ratio is None:
        return realtime.truncation
    tokens = realtime.retention_tokens
    limits = {} if tokens is None else {"token_limits": {"post_instructions": tokens}}
    return {"type": "retention_ratio", "retention_ratio": realtime.retention_ratio, **limits}


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` wins; objects are joined key by key."""
    joined = dict(below)
    for key, value in above.items():
        under = joined.get(key)
        is_joined = isinstance(under, Mapping) and isinstance(value, Mapping)
        joined[key] = _laid_over(under, value) if is_joined else value  # type: ignore[arg-type]
    return joined
