"""What transcripts cost: seconds of sound, tokens by kind, and dollars where prices are known. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.analysis.joining import Json
from bot.config import PriceConfig
from bot.speech.prices import cost_usd, price_of


@dataclass(slots=True)
class Tally:
    """Adds up answers of any number of models."""

    prices: Mapping[str, PriceConfig]
    requests: int = 0
    sound_s: float = 0.0
    tokens: Counter[str] = field(default_factory=Counter)
    usd: float = 0.0

    def add(self, model: str, usage: Json | None, sound_s: float) -> None:
        """`usage` as in the answer; where it tells no seconds, those of the sound that was sent count."""
        seconds = float(usage["seconds"]) if usage and usage.get("type") == "duration" else sound_s
        counted = tokens_of(usage or {})
        self.requests += 1
        self.sound_s += sound_s
        self.tokens.update(counted)
        self.usd += cost_usd(counted, price_of(model, self.prices), seconds)


def tokens_of(usage: Json) -> dict[str, int]:
    """By kind, from the usage of a transcript or of a chat completion."""
    read = usage.get("input_tokens") or usage.get("prompt_tokens") or 0
    kinds = usage.get("input_token_details") or usage.get("prompt_tokens_details") or {}
    heard, cached = kinds.get("audio_tokens") or 0, kinds.get("cached_tokens") or 0
    written = usage.get("output_tokens") or usage.get("completion_tokens") or 0
    spoken = (usage.get("completion_tokens_details") or {}).get("audio_tokens") or 0
    counted = {
        "audio_in": heard,
        "text_in": read - heard - cached,
        "text_cached": cached,
        "audio_out": spoken,
        "text_out": written - spoken,
    }
    return {kind: count for kind, count in counted.items() if count > 0}
