"""A realtime session's settings: as they are at its start, and what a `session.update` makes of them.

An update is a patch, and is refused as a whole: one bad key, and nothing changes.
"""

import copy
from collections.abc import Mapping
from typing import Any

from bot.rehearsal.tone_wire import FORMATS

_READ_ONLY = frozenset({"object", "id", "model", "expires_at"})  # sent back unchanged by some clients
_TOP = _READ_ONLY | {
    "type", "audio", "output_modalities", "instructions", "tools", "tool_choice", "parallel_tool_calls", "reasoning",
    "max_output_tokens", "tracing", "truncation", "prompt", "include",
}  # fmt: skip
_INPUT = frozenset({"format", "transcription", "noise_reduction", "turn_detection"})
_OUTPUT = frozenset({"format", "voice", "speed"})
_PCM = {"type": "audio/pcm", "rate": 24000}
_DOES = {"create_response": True, "interrupt_response": True}
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


class ParameterError(Exception):
    """An event that is refused for one of its parameters."""

    def __init__(self, code: str, message: str, param: str) -> None:
        super().__init__(message)
        self.code = code
        self.param = param


def first_settings(session_id: str, model: str, expires_at: int) -> dict[str, Any]:
    """The whole session object of a `session.created`."""
    return {
        "type": "realtime",
        "object": "realtime.session",
        "id": session_id,
        "model": model,
        "output_modalities": ["audio"],
        "instructions": "You are a tone.",
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "expires_at": expires_at,
        "audio": {
            "input": {
                "format": dict(_PCM),
                "transcription": None,
                "noise_reduction": None,
                "turn_detection": {"type": "server_vad", **_DETECTION["server_vad"]},
            },
            "output": {"format": dict(_PCM), "voice": "marin", "speed": 1.0},
        },
        "include": None,
    }


def updated(settings: Mapping[str, Any], patch: Mapping[str, Any], *, has_spoken: bool) -> dict[str, Any]:
    """The settings after an update; raises `ParameterError`. A voice cannot change once it `has_spoken`."""
    _check(patch)
    changed = copy.deepcopy(dict(settings))
    audio = patch.get("audio") or {}
    voice = (audio.get("output") or {}).get("voice", settings["audio"]["output"]["voice"])
    if has_spoken and voice != settings["audio"]["output"]["voice"]:
        message = "Cannot update a conversation's voice if assistant audio is present."
        raise ParameterError("cannot_update_voice", message, "session.audio.output.voice")
    changed |= {key: value for key, value in patch.items() if key != "audio" and key not in _READ_ONLY}
    for side, values in audio.items():
        changed["audio"][side] |= values
    detection = changed["audio"]["input"]["turn_detection"]
    if detection is not None:
        changed["audio"]["input"]["turn_detection"] = {**_DETECTION[detection["type"]], **detection}
    return changed


def _check(patch: Mapping[str, Any]) -> None:
    if "type" not in patch:
        raise ParameterError(
            "missing_required_parameter", "Missing required parameter: 'session.type'.", "session.type"
        )
    if patch["type"] != "realtime":
        raise _invalid(patch["type"], "session.type")
    _check_keys(patch, _TOP, "session")
    _check_keys(patch.get("audio") or {}, frozenset({"input", "output"}), "session.audio")
    for side, known in (("input", _INPUT), ("output", _OUTPUT)):
        values = (patch.get("audio") or {}).get(side) or {}
        _check_keys(values, known, f"session.audio.{side}")
        if "format" in values and values["format"].get("type") not in FORMATS:
            raise _invalid(values["format"].get("type"), f"session.audio.{side}.format.type")
        detection = values.get("turn_detection")
        if detection is not None and detection.get("type") not in _DETECTION:
            raise _invalid(detection.get("type"), "session.audio.input.turn_detection.type")
    if patch.get("output_modalities", ["audio"]) not in (["audio"], ["text"]):
        raise _invalid(patch["output_modalities"], "session.output_modalities")


def _check_keys(values: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    if unknown := sorted(values.keys() - known):
        path = f"{where}.{unknown[0]}"
        raise ParameterError("unknown_parameter", f"Unknown parameter: '{path}'.", path)


def _invalid(value: object, path: str) -> ParameterError:
    return ParameterError("invalid_value", f"Invalid value: {value!r}.", path)
