"""What was spent, whichever way a server counts."""

import pytest

from bot.analysis.spending import Tally, tokens_of
from bot.config import PriceConfig


def test_sound_is_paid_for_by_the_minute():
    tally = Tally({})
    tally.add("whisper-1", {"type": "duration", "seconds": 90}, 89.4)
    tally.add("whisper-1", None, 30.0)  # as with subtitles, which tell nothing
    assert (tally.requests, tally.sound_s) == (2, 119.4)
    assert tally.usd == pytest.approx(0.012)


def test_tokens_are_told_by_kind():
    heard = {"input_tokens": 14, "input_token_details": {"text_tokens": 10, "audio_tokens": 4}, "output_tokens": 101}
    assert tokens_of({"type": "tokens", **heard}) == {"audio_in": 4, "text_in": 10, "text_out": 101}
    chat = {
        "prompt_tokens": 50,
        "prompt_tokens_details": {"cached_tokens": 20, "audio_tokens": 0},
        "completion_tokens": 30,
        "completion_tokens_details": {"audio_tokens": 25},
    }
    assert tokens_of(chat) == {"text_in": 30, "text_cached": 20, "audio_out": 25, "text_out": 5}


def test_the_operators_own_prices_count():
    tally = Tally({"own": PriceConfig(audio_in=10.0, minute=0.6)})
    tally.add("own", {"type": "tokens", "input_tokens": 100, "input_token_details": {"audio_tokens": 100}}, 10.0)
    assert tally.usd == pytest.approx(0.001 + 0.1)


def test_what_has_no_price_costs_nothing_that_is_known():
    tally = Tally({})
    tally.add("somebodys-own", {"type": "duration", "seconds": 90}, 90.0)
    assert tally.usd == 0
