"""What a live transcription session is told for a bot, and which configurations are refused at the start."""

from typing import Any

import pytest

from bot.config import BotConfig, ChainedConfig
from bot.errors import ConfigError
from bot.voice.live_settings import LiveSettings, check_listening, live_name, live_settings_of
from media.frame import L16_8K, L16_24K, PCMU_8K


def bot(transcriber: str, **chained: Any) -> BotConfig:
    return BotConfig(name="reception", chained=ChainedConfig(transcriber=transcriber, **chained))


def settings(transcriber: str, **chained: Any) -> LiveSettings:
    configured = bot(transcriber, **chained)
    name = live_name(configured)
    assert name is not None
    return live_settings_of(configured, name, PCMU_8K, {})


def heard(found: LiveSettings) -> Any:
    return found.session["audio"]["input"]


@pytest.mark.parametrize(
    ("model", "steering"),
    [
        ("gpt-live-transcribe", {"languages": ["en"], "keywords": ["Joe"], "prompt": "A workshop."}),
        ("gpt-transcribe", {"languages": ["en"], "keywords": ["Joe"], "prompt": "A workshop."}),
        ("gpt-4o-transcribe", {"language": "en", "prompt": "A workshop. Joe."}),
        ("whisper-1", {"language": "en", "prompt": "A workshop. Joe."}),
    ],
)
def test_each_model_is_told_in_its_own_words(model: str, steering: dict[str, Any]):
    found = settings(f"openai-realtime:{model}", keywords=("Joe",), transcriber_prompt="A workshop.")
    assert heard(found)["transcription"] == {"model": model, **steering}


def test_the_carriers_own_encoding_goes_through_untouched():
    found = settings("openai-realtime:gpt-transcribe")
    assert (found.wire, heard(found)["format"]) == (PCMU_8K, {"type": "audio/pcmu"})


def test_a_line_that_no_model_takes_is_transcoded():
    configured = bot("openai-realtime:gpt-transcribe")
    name = live_name(configured)
    assert name is not None
    found = live_settings_of(configured, name, L16_8K, {})
    assert (found.wire, heard(found)["format"]) == (L16_24K, {"type": "audio/pcm", "rate": 24000})


def test_logprobs_are_asked_for_where_the_model_tells_them():
    assert settings("openai-realtime:gpt-4o-transcribe").session["include"]
    assert "include" not in settings("openai-realtime:gpt-live-transcribe").session


def test_a_servers_detection_waits_as_long_as_ours_would():
    found = settings("openai-realtime:whisper-1", turn_detection="server_vad")
    assert heard(found)["turn_detection"]["silence_duration_ms"] == 500
    assert not found.is_turn_local


@pytest.mark.parametrize(
    ("transcriber", "chained", "told"),
    [
        ("openai-realtime:gpt-live-transcribe", {"turn_detection": "server_vad"}, "cannot tell when the caller has"),
        ("openai-realtime:gpt-realtime-whisper", {"turn_detection": "semantic_vad"}, "cannot tell when the caller has"),
        ("openai-realtime:gpt-4o-transcribe-diarize", {}, "does not transcribe live: .* openai:gpt-4o-transcribe-dia"),
        ("openai-realtime:gpt-4o-mini-tts", {}, "does not transcribe live: .*gpt-live-transcribe"),
        ("openai-realtime:gpt-realtime-whisper", {"transcriber_prompt": "Joe"}, "chained.transcriber_prompt"),
        ("openai-realtime:gpt-realtime-whisper", {"keywords": ("Joe",)}, "chained.keywords"),
        ("local:whisper-tiny.en", {"turn_detection": "server_vad"}, "needs a live transcriber"),
    ],
)
def test_what_cannot_work_is_refused_with_what_to_write(transcriber: str, chained: dict[str, Any], told: str):
    with pytest.raises(ConfigError, match=f"'reception'.*{told}"):
        check_listening(bot(transcriber, **chained))


@pytest.mark.parametrize(
    ("transcriber", "chained"),
    [
        ("openai-realtime:gpt-live-transcribe", {}),
        ("openai-realtime:gpt-transcribe", {"turn_detection": "semantic_vad"}),
        ("openai-realtime:somebody/else-s@branch", {"turn_detection": "server_vad"}),
        ("local:whisper-tiny.en", {}),
        ("tones", {}),
    ],
)
def test_what_works_is_taken(transcriber: str, chained: dict[str, Any]):
    check_listening(bot(transcriber, **chained))
