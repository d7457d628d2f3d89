"""What a response or a transcription would have counted at OpenAI, with every key that it has there."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from bot.local.realtime.items import Item
from bot.local.realtime.settings import STREAMING_TRANSCRIBERS
from bot.local.realtime.wire import Json
from bot.local.usage import heard_tokens, spoken_tokens, text_tokens

_BY_DURATION = STREAMING_TRANSCRIBERS | {"whisper-1"}


def input_tokens(instructions: str, tools: object, items: Iterable[Item]) -> tuple[int, int]:
    """Tokens of text and of sound that a response goes on from: everything in its context, each time again."""
    text = text_tokens(instructions)
    if tools:
        text += text_tokens(msgspec.json.encode(tools).decode())
    sound = 0
    for item in items:
        is_user = item.body.get("role") == "user"
        if item.sound_ms:
            sound += heard_tokens(item.sound_ms) if is_user else spoken_tokens(_heard_ms(item))
        else:
            text += text_tokens(_written(item))
    return text, sound


def usage(text_in: int, audio_in: int, text_out: int, audio_out: int) -> Json:
    """Nothing is cached here."""
    return {
        "total_tokens": text_in + audio_in + text_out + audio_out,
        "input_tokens": text_in + audio_in,
        "output_tokens": text_out + audio_out,
        "input_token_details": {
            "text_tokens": text_in,
            "audio_tokens": audio_in,
            "image_tokens": 0,
            "cached_tokens": 0,
            "cached_tokens_details": {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0},
        },
        "output_token_details": {"text_tokens": text_out, "audio_tokens": audio_out},
    }


def transcription_usage(wanted: Mapping[str, Any], length_ms: float, text: str) -> Json:
    """By duration or by tokens, as the model has it that the client has named."""
    if wanted["model"] in _BY_DURATION:
        return {"type": "duration", "seconds": round(length_ms / 1000, 3)}
    heard, read, written = heard_tokens(length_ms), text_tokens(wanted.get("prompt") or ""), text_tokens(text)
    return {
        "type": "tokens",
        "total_tokens": heard + read + written,
        "input_tokens": heard + read,
        "input_token_details": {"text_tokens": read, "audio_tokens": heard},
        "output_tokens": written,
    }


def _heard_ms(item: Item) -> float:
    return item.sound_ms if item.heard_ms is None else item.heard_ms


def _written(item: Item) -> str:
    body = item.body
    parts = [part.get("text") or part.get("transcript") or "" for part in body.get("content", ())]
    return " ".join([*parts, body.get("name", ""), body.get("arguments", ""), body.get("output", "")])
