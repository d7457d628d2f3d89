"""What requests to models cost: tokens by kind, minutes of sound, and a price for each. US dollars.

A realtime model reads the whole conversation again for each response, most of it remembered and cheap. Prices are
OpenAI's of November 2026; they change, so the operator's table wins. A model in neither costs nothing that we know of.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from bot.config import PriceConfig
from bot.speech.model_table import without_date
from bot.voice.realtime_wire import InputKinds, Kinds, Usage

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """For a million tokens, and for a minute of sound where that is what is charged."""

    audio_in: float = 0.0
    audio_cached: float = 0.0
    audio_out: float = 0.0
    text_in: float = 0.0
    text_cached: float = 0.0
    text_out: float = 0.0
    minute: float = 0.0


def _text(text_in: float, text_cached: float, text_out: float) -> Price:
    return Price(text_in=text_in, text_cached=text_cached, text_out=text_out)


KNOWN: Mapping[str, Price] = {
    "gpt-realtime-2.1": Price(32, 0.40, 64, 4, 0.40, 24),
    "gpt-realtime-2": Price(32, 0.40, 64, 4, 0.40, 24),
    "gpt-realtime-1.5": Price(32, 0.40, 64, 4, 0.40, 16),
    "gpt-realtime-2.1-mini": Price(10, 0.30, 20, 0.60, 0.06, 2.40),
    "gpt-4.1": _text(2, 0.50, 8),
    "gpt-4.1-mini": _text(0.40, 0.10, 1.60),
    "gpt-4o": _text(2.50, 1.25, 10),
    "gpt-4o-mini": _text(0.15, 0.075, 0.60),
    "gpt-transcribe": Price(minute=0.0045),
    "gpt-live-transcribe": Price(minute=0.017),
    "gpt-realtime-whisper": Price(minute=0.017),
    "gpt-4o-transcribe": Price(minute=0.006),
    "gpt-4o-transcribe-diarize": Price(minute=0.006),
    "gpt-4o-mini-transcribe": Price(minute=0.003),
    "whisper-1": Price(minute=0.006),
    "gpt-4o-mini-tts": Price(minute=0.015),
}


TOKEN_KINDS = ("audio_in", "audio_cached", "audio_out", "text_in", "text_cached", "text_out")


def price_of(model: str, prices: Mapping[str, PriceConfig]) -> Price:
    """The operator's own price, else the known one; a dated snapshot costs what its model does."""
    if (own := prices.get(model)) is not None:
        return Price(**msgspec.structs.asdict(own))
    return KNOWN.get(model) or KNOWN.get(without_date(model)) or Price()


def tokens(usage: Usage) -> dict[str, int]:
    """How many of each kind a realtime response took; what was remembered is counted as cached only."""
    read = usage.input_token_details or InputKinds()
    cached = read.cached_tokens_details or Kinds()
    written = usage.output_token_details or Kinds(text_tokens=usage.output_tokens)
    return {
        "audio_in": max(0, read.audio_tokens - cached.audio_tokens),
        "audio_cached": cached.audio_tokens,
        "audio_out": written.audio_tokens,
        "text_in": max(0, read.text_tokens - cached.text_tokens),
        "text_cached": cached.text_tokens,
        "text_out": written.text_tokens,
    }


def cost_usd(counted: Mapping[str, int], price: Price, seconds: float = 0.0) -> float:
    """Of tokens by kind, and of so many seconds of sound where the minute has a price."""
    dearest: float = sum(count * getattr(price, kind) for kind, count in counted.items())
    return dearest / _MILLION + seconds / 60 * price.minute


def number(told: object) -> int:
    """Of tokens, as a server tells it; none where it says nothing, or nothing that can be."""
    return max(0, told) if isinstance(told, int) else 0
