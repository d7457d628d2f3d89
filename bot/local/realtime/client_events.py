"""What each event of a client may hold; anything else is refused with its path, before anything is done."""

from collections.abc import Mapping
from typing import Any, Final

from bot.local.errors import RequestError
from bot.local.realtime.settings import (
    FORMAT,
    MAX_TOKENS,
    MODALITIES,
    PROMPT,
    REASONING,
    TOOL,
    TOOL_CHOICE,
    check_modalities,
    voice_shape,
)
from bot.local.realtime.shapes import (
    Shape,
    anything,
    array,
    boolean,
    by_type,
    fields,
    integer,
    mapping,
    missing,
    nullable,
    one_of,
    text,
)
from bot.local.realtime.wire import APPEND, LONGEST_EVENT_ID, Json

LONGEST_ITEM_ID: Final = 32
_MOST_METADATA, _LONGEST_KEY, _LONGEST_VALUE = 16, 64, 512
_LONGEST_TIME_MS = 24 * 3600 * 1000

_ITEM: Mapping[str, Shape] = {
    "id": nullable(text(LONGEST_ITEM_ID)),
    "type": anything,
    "object": one_of("realtime.item"),
    "status": one_of("completed", "incomplete", "in_progress"),
}
_INPUT_TEXT = fields({"type": anything, "text": text()}, ["text"])
_INPUT_AUDIO = fields({"type": anything, "audio": nullable(text()), "transcript": nullable(text())})
_OUTPUT_TEXT = fields({"type": anything, "text": text()}, ["text"])
_CONTENT: Mapping[str, Shape] = {
    "system": by_type({"input_text": _INPUT_TEXT}),
    "user": by_type({"input_text": _INPUT_TEXT, "input_audio": _INPUT_AUDIO}),
    "assistant": by_type({"output_text": _OUTPUT_TEXT}),
}


def _message(value: Any, path: str) -> None:
    role = value.get("role")
    if role is None:
        raise missing(f"{path}.role")
    one_of(*_CONTENT)(role, f"{path}.role")
    fields({**_ITEM, "role": anything, "content": array(_CONTENT[role])}, ["content"])(value, path)


_ITEMS: Mapping[str, Shape] = {
    "message": _message,
    "function_call": fields(
        {**_ITEM, "call_id": text(LONGEST_ITEM_ID), "name": text(), "arguments": text()}, ["name", "arguments"]
    ),
    "function_call_output": fields({**_ITEM, "call_id": text(), "output": text()}, ["call_id", "output"]),
}
_REFERENCE = fields({"type": anything, "id": text()}, ["id"])


def _metadata(value: Any, path: str) -> None:
    mapping(text(_LONGEST_VALUE))(value, path)
    if len(value) > _MOST_METADATA:
        raise RequestError(f"Invalid '{path}': at most {_MOST_METADATA} pairs.", path, "object_above_max_properties")
    for key in value:
        text(_LONGEST_KEY)(key, path)


def _response(own_voices: frozenset[str]) -> Shape:
    output = fields({"format": FORMAT, "voice": voice_shape(own_voices)})
    known = fields(
        {
            "output_modalities": MODALITIES,
            "instructions": text(),
            "audio": fields({"output": output}),
            "tools": array(TOOL),
            "tool_choice": TOOL_CHOICE,
            "parallel_tool_calls": boolean,
            "reasoning": REASONING,
            "max_output_tokens": MAX_TOKENS,
            "conversation": one_of("auto", "none"),
            "metadata": nullable(_metadata),
            "prompt": PROMPT,
            "input": nullable(array(by_type({**_ITEMS, "item_reference": _REFERENCE}))),
        }
    )

    def check(value: Any, path: str) -> None:
        known(value, path)
        if "output_modalities" in value:
            check_modalities(value["output_modalities"], f"{path}.output_modalities")

    return check


class ClientEvents:
    """Checks events for a server with these `own_voices` besides OpenAI's."""

    def __init__(self, own_voices: frozenset[str]) -> None:
        item_id = {"item_id": text()}
        kinds: Mapping[str, tuple[Mapping[str, Shape], list[str]]] = {
            "session.update": ({"session": anything}, ["session"]),
            APPEND: ({"audio": text()}, ["audio"]),
            "input_audio_buffer.commit": ({}, []),
            "input_audio_buffer.clear": ({}, []),
            "output_audio_buffer.clear": ({}, []),
            "conversation.item.create": (
                {"item": by_type(_ITEMS), "previous_item_id": nullable(text())},
                ["item"],
            ),
            "conversation.item.retrieve": (item_id, ["item_id"]),
            "conversation.item.delete": (item_id, ["item_id"]),
            "conversation.item.truncate": (
                {**item_id, "content_index": integer(0, 0), "audio_end_ms": integer(0, _LONGEST_TIME_MS)},
                ["item_id", "content_index", "audio_end_ms"],
            ),
            "response.create": ({"response": nullable(_response(own_voices))}, []),
            "response.cancel": ({"response_id": nullable(text())}, []),
        }
        envelope = {"type": anything, "event_id": nullable(text(LONGEST_EVENT_ID))}
        self._check = by_type(
            {kind: fields({**envelope, **known}, required) for kind, (known, required) in kinds.items()}
        )

    def check(self, event: Json) -> None:
        """Raises `RequestError`."""
        self._check(event, "")
