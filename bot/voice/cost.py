"""What a realtime response costs: tokens by kind, and a price for each. US dollars.

The model reads the whole conversation again for each response, most of it remembered and cheap. Prices are OpenAI's of
November 2026; they change, so the operator's table wins.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.voice.realtime_wire import InputKinds, Kinds, Usage

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """For a million tokens."""

    audio_in: float = 0.0
    audio_cached: float = 0.0
    audio_out: float = 0.0
    text_in: float = 0.0
    text_cached: float = 0.0
    text_out: float = 0.0


KNOWN: Mapping[str, Price] = {
    "gpt-realtime-2.1": Price(32, 0.40, 64, 4, 0.40, 24),
    "gpt-realtime-2": Price(32, 0.40, 64, 4, 0.40, 24),
    "gpt-realtime-1.5": Price(32, 0.40, 64, 4, 0.40, 16),
    "gpt-realtime-2.1-mini": Price(10, 0.30, 20, 0.60, 0.06, 2.40),
}


TOKEN_KINDS = ("audio_in", "audio_cached", "audio_out", "text_in", "text_cached", "text_out")


def tokens(usage: Usage) -> dict[str, int]:
    """How many of each kind; what was remembered is counted as cached only."""
    read = usage.input_token_details or InputKinds()
    cached = read.cached_tokens_details or Kinds()
    written = usage.output_token_details or Kinds(text_tokens=usage.output_tokens)
    return {
        "audio_in": read.audio_tokens - cached.audio_tokens,
        "audio_cached": cached.audio_tokens,
        "audio_out": written.audio_tokens,
        "text_in": read.text_tokens - cached.text_tokens,
        "text_cached": cached.text_tokens,
        "text_out": written.text_tokens,
    }


def cost_usd(counted: Mapping[str, int], price: Price) -> float:
    dearest: float = sum(count * getattr(price, kind) for kind, count in counted.items())
    return dearest / _MILLION
