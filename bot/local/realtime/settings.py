"""A session's settings: the session object on the wire, and what a `session.update` makes of it.

An update is a merge patch: what is not named stays. It is refused as a whole; one bad value, and nothing changes.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.local.errors import RequestError
from bot.local.realtime.shapes import (
    Shape,
    anything,
    array,
    boolean,
    by_type,
    either,
    fields,
    integer,
    mapping,
    nullable,
    number,
    one_of,
    text,
)
from bot.local.realtime.wire import FORMATS, Json
from bot.speech.model_table import CONVERSING_VOICES, Feature, Use, lookup, named_for
from bot.speech.requests import DELAYS, LiveTranscriptionRequest, live_transcription_problem
from media.frame import AudioFormat

STREAMING_TRANSCRIBERS: Final = frozenset({"gpt-realtime-whisper", "gpt-live-transcribe"})
"""Models that write while they listen."""

_READ_ONLY = ("id", "object", "expires_at", "model")
_EAGERNESS_MS: Mapping[str, int] = {"low": 1000, "medium": 600, "auto": 600, "high": 350}
_PCM: Mapping[str, Any] = {"type": "audio/pcm", "rate": 24000}
_DOES: Mapping[str, Any] = {"create_response": True, "interrupt_response": True}
_DETECTION: Mapping[str, Mapping[str, Any]] = {
    "server_vad": {
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 200,
        "idle_timeout_ms": None,
        **_DOES,
    },
    "semantic_vad": {"eagerness": "auto", **_DOES},
}

FORMAT: Final = by_type(
    {
        "audio/pcm": fields({"type": anything, "rate": one_of(24000)}),
        "audio/pcmu": fields({"type": anything}),
        "audio/pcma": fields({"type": anything}),
    }
)
TOOL: Final = by_type(
    {
        "function": fields(
            {
                "type": anything,
                "name": text(64),
                "description": text(),
                "parameters": mapping(anything),
            },
            ["name"],
        )
    }
)
TOOL_CHOICE: Final = either(
    by_type({"function": fields({"type": anything, "name": text()}, ["name"])}), one_of("auto", "none", "required")
)
MODALITIES: Final = array(one_of("audio", "text"))
MAX_TOKENS: Final = either(one_of("inf"), integer(1, 4096))
PROMPT: Final = nullable(fields({"id": text(), "version": nullable(text()), "variables": anything}, ["id"]))
REASONING: Final = fields({"effort": one_of("minimal", "low", "medium", "high", "xhigh")})
_INCLUDE = nullable(array(one_of("item.input_audio_transcription.logprobs")))
_TRANSCRIPTION = fields(
    {
        "model": one_of(*named_for(Use.LIVE_TRANSCRIPTION), "gpt-4o-mini-transcribe-2025-12-15"),
        "language": nullable(text()),
        "languages": array(text()),
        "keywords": array(text()),
        "prompt": nullable(text()),
        "delay": one_of(*DELAYS),
    }
)
_FLAGS: Mapping[str, Shape] = {"type": anything, "create_response": boolean, "interrupt_response": boolean}
_TURN_DETECTION = by_type(
    {
        "server_vad": fields(
            {
                **_FLAGS,
                "threshold": number(0, 1),
                "prefix_padding_ms": integer(0, 5000),
                "silence_duration_ms": integer(0, 10_000),
                "idle_timeout_ms": nullable(integer(5000, 30_000)),
            }
        ),
        "semantic_vad": fields({**_FLAGS, "eagerness": one_of("low", "medium", "high", "auto")}),
    },
    default="server_vad",
)
_NOISE_REDUCTION = fields({"type": one_of("near_field", "far_field"), "strength": number(0, 1)}, ["type"])
_AUDIO_INPUT = fields(
    {
        "format": FORMAT,
        "noise_reduction": nullable(_NOISE_REDUCTION),
        "transcription": nullable(_TRANSCRIPTION),
        "turn_detection": nullable(_TURN_DETECTION),
    }
)
_TRUNCATION = either(
    fields(
        {
            "type": one_of("retention_ratio"),
            "retention_ratio": number(0, 1),
            "token_limits": fields({"post_instructions": integer(0, 10_000_000)}),
        },
        ["type", "retention_ratio"],
    ),
    one_of("auto", "disabled"),
)
_TRACING = nullable(either(fields({"workflow_name": text(), "group_id": text(), "metadata": anything}), one_of("auto")))


def voice_shape(own: frozenset[str]) -> Shape:
    """OpenAI's voices, those made to order (by id), and the `own` ones of this server."""
    return either(fields({"id": text()}, ["id"]), one_of(*sorted(CONVERSING_VOICES | own)))


@dataclass(frozen=True, slots=True)
class Detection:
    """Who decides when the caller has finished, in our own terms."""

    threshold: float
    prefix_ms: int
    hangover_ms: int
    idle_s: float | None
    creates: bool
    interrupts: bool


class Settings:
    """One session's; `wire` is the session object as clients see it."""

    def __init__(self, session_id: str, model: str, expires_at: int, own_voices: frozenset[str], kind: str) -> None:
        """`kind` is `realtime` or `transcription`, and stays so; `expires_at` is seconds since 1970."""
        self.kind = kind
        self.wire = (
            _first(session_id, model, expires_at) if kind == "realtime" else _first_of_ear(session_id, expires_at)
        )
        self._shape = _conversation_shape(own_voices) if kind == "realtime" else _transcription_shape()

    def update(self, patch: Any, *, has_spoken: bool) -> None:
        """Raises `RequestError` and changes nothing; a voice is fixed once it `has_spoken`."""
        if not isinstance(patch, dict) or "type" not in patch:
            raise RequestError(
                "Missing required parameter: 'session.type'.", "session.type", "missing_required_parameter"
            )
        self._check_kind(patch["type"])
        asked = {key: value for key, value in patch.items() if key not in _READ_ONLY or value != self.wire.get(key)}
        self._shape(asked, "session")
        changed = _laid_over(self.wire, asked)
        _check_together(self.wire, changed, has_spoken=has_spoken)
        self.wire = changed

    def _check_kind(self, kind: Any) -> None:
        one_of("realtime", "transcription")(kind, "session.type")
        if kind != self.kind:
            raise RequestError(
                f"Passing a {kind} session update event to a {self.kind} session is not allowed.",
                "session.type",
                "invalid_value",
            )

    @property
    def input_format(self) -> AudioFormat:
        return FORMATS[self.wire["audio"]["input"]["format"]["type"]]

    @property
    def transcription(self) -> Mapping[str, Any] | None:
        found: Mapping[str, Any] | None = self.wire["audio"]["input"]["transcription"]
        return found

    @property
    def detection(self) -> Detection | None:
        """None where the client decides."""
        wanted = self.wire["audio"]["input"]["turn_detection"]
        if wanted is None:
            return None
        is_listener = self.kind == "transcription"
        creates, interrupts = (not is_listener and wanted[key] for key in ("create_response", "interrupt_response"))
        if wanted["type"] == "semantic_vad":
            return Detection(0.5, 300, _EAGERNESS_MS[wanted["eagerness"]], None, creates, interrupts)
        idle_ms = wanted["idle_timeout_ms"]
        return Detection(
            wanted["threshold"],
            wanted["prefix_padding_ms"],
            wanted["silence_duration_ms"],
            None if idle_ms is None or is_listener else idle_ms / 1000,
            creates,
            interrupts,
        )


def _first(session_id: str, model: str, expires_at: int) -> Json:
    return {
        "type": "realtime",
        "object": "realtime.session",
        "id": session_id,
        "model": model,
        "output_modalities": ["audio"],
        "instructions": "",
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "expires_at": expires_at,
        "audio": {
            "input": _first_input(),
            "output": {"format": dict(_PCM), "voice": "marin", "speed": 1.0},
        },
        "include": None,
    }


def _first_of_ear(session_id: str, expires_at: int) -> Json:
    """The settings of a session that only writes down what it hears."""
    return {
        "type": "transcription",
        "object": "realtime.transcription_session",
        "id": session_id,
        "expires_at": expires_at,
        "audio": {"input": _first_input()},
        "include": None,
    }


def _first_input() -> Json:
    return {
        "format": dict(_PCM),
        "transcription": None,
        "noise_reduction": None,
        "turn_detection": {"type": "server_vad", **_DETECTION["server_vad"]},
    }


def _conversation_shape(own_voices: frozenset[str]) -> Shape:
    output = fields({"format": FORMAT, "voice": voice_shape(own_voices), "speed": number(0.25, 1.5)})
    return fields(
        {
            "type": anything,
            "output_modalities": MODALITIES,
            "instructions": text(),
            "tools": array(TOOL),
            "tool_choice": TOOL_CHOICE,
            "parallel_tool_calls": boolean,
            "reasoning": REASONING,
            "max_output_tokens": MAX_TOKENS,
            "tracing": _TRACING,
            "truncation": _TRUNCATION,
            "prompt": PROMPT,
            "audio": fields({"input": _AUDIO_INPUT, "output": output}),
            "include": _INCLUDE,
        }
    )


def _transcription_shape() -> Shape:
    return fields({"type": anything, "audio": fields({"input": _AUDIO_INPUT}), "include": _INCLUDE})


def _laid_over(below: Json, patch: Json) -> Json:
    changed = copy.deepcopy(below)
    changed |= {key: copy.deepcopy(value) for key, value in patch.items() if key != "audio"}
    for side, values in patch.get("audio", {}).items():
        changed["audio"][side] |= copy.deepcopy(values)
    asked = patch.get("audio", {}).get("input", {})
    before, after = below["audio"]["input"], changed["audio"]["input"]
    if asked.get("turn_detection") is not None:
        after["turn_detection"] = _detection(before["turn_detection"] or {}, asked["turn_detection"])
    if asked.get("transcription") is not None:
        after["transcription"] = _transcription(before["transcription"] or {}, asked["transcription"])
    return changed


def _detection(before: Json, asked: Json) -> Json:
    kind: str = asked.get("type") or before.get("type") or "server_vad"
    kept = before if before.get("type") == kind else {}
    return {"type": kind, **_DETECTION[kind], **kept, **asked}


def _transcription(before: Json, asked: Json) -> Json:
    """Another model begins anew, since it may not take what the one before did."""
    kept = before if asked.get("model", before.get("model")) == before.get("model") else {}
    return {"model": "whisper-1", "language": None, "prompt": None, **kept, **asked}


def check_modalities(modalities: Any, path: str) -> None:
    if modalities not in (["audio"], ["text"]):
        raise RequestError(
            f"Invalid value: {modalities!r}. Supported values are: ['audio'] and ['text'].", path, "invalid_value"
        )


def _check_together(before: Json, changed: Json, *, has_spoken: bool) -> None:
    """What single values cannot tell."""
    _check_transcription(changed["audio"]["input"])
    if before["type"] == "transcription":
        return
    _check_reasoning(changed)
    check_modalities(changed["output_modalities"], "session.output_modalities")
    if has_spoken and changed["audio"]["output"]["voice"] != before["audio"]["output"]["voice"]:
        raise voice_is_fixed("session.audio.output.voice")
    if before["tracing"] is not None and changed["tracing"] != before["tracing"]:
        raise RequestError("Tracing cannot be changed once it is enabled.", "session.tracing", "invalid_value")


def _check_transcription(listening: Json) -> None:
    wanted = listening["transcription"]
    if wanted is None:
        return
    request = LiveTranscriptionRequest(
        model=wanted["model"],
        language=wanted["language"] or "",
        languages=wanted.get("languages", ()),
        keywords=wanted.get("keywords", ()),
        prompt=wanted["prompt"] or "",
        delay=wanted.get("delay", ""),
        has_turn_detection=listening["turn_detection"] is not None,
    )
    problem = live_transcription_problem(request)
    if problem is not None:
        where = "" if problem.param == "turn_detection" else "transcription."
        raise RequestError(problem.message, f"session.audio.input.{where}{problem.param}", problem.code)


def _check_reasoning(session: Json) -> None:
    model = lookup(session["model"])
    for param in ("reasoning", "parallel_tool_calls"):
        if param in session and model is not None and Feature.REASONING not in model.features:
            message = f"{param} is not supported with model '{session['model']}'."
            raise RequestError(message, f"session.{param}", "unsupported_value")


def voice_is_fixed(path: str) -> RequestError:
    message = "Cannot update a conversation's voice if assistant audio is present."
    return RequestError(message, path, "cannot_update_voice")
