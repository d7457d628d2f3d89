"""What goes together on the command line, and what does not: refused with the sentence of the request's own table."""

import pytest

from bot.analysis.asked_for import AskedWronglyError, Options, engine, request
from bot.analysis.asking import fields
from bot.errors import ConfigError
from bot.speech.engine_names import EngineName, parse
from bot.speech.requests import ServerVad, TranscriptionRequest, TranslationRequest


def asked(model: str, **options: object) -> TranscriptionRequest:
    made = request(parse(model), Options(**options))  # type: ignore[arg-type]
    assert isinstance(made, TranscriptionRequest)
    return made


@pytest.mark.parametrize(
    ("model", "server", "name"),
    [
        ("local:whisper-tiny.en", "", EngineName("local", "whisper-tiny.en")),
        ("local:/models/whisper", "", EngineName("local", "/models/whisper")),
        ("openai:whisper-1", "", EngineName("openai", "whisper-1")),
        ("openai:whisper-1@branch", "", EngineName("openai", "whisper-1", "branch")),
        ("openai:whisper-1@branch", "branch", EngineName("openai", "whisper-1", "branch")),
        ("whisper-1", "branch", EngineName("openai", "whisper-1", "branch")),
    ],
)
def test_a_model_is_named_with_its_place(model: str, server: str, name: EngineName):
    assert engine(model, server) == name


@pytest.mark.parametrize(
    ("model", "server"),
    [
        ("local:whisper-tiny.en", "branch"),
        ("openai:whisper-1@here", "there"),
        ("openai-realtime:x", ""),
        ("elsewhere:x", ""),
    ],
)
def test_a_model_in_two_places_or_none_is_refused(model: str, server: str):
    with pytest.raises(ConfigError):
        engine(model, server)


@pytest.mark.parametrize(
    ("model", "options", "why"),
    [
        ("openai:gpt-transcribe", {"response_format": "srt"}, "'srt' is not compatible with model 'gpt-transcribe'"),
        ("openai:whisper-1", {"timestamps": ["word"]}, "needs response_format 'verbose_json'"),
        ("openai:whisper-1", {"response_format": "json", "logprobs": True}, "'logprobs' is not supported"),
        ("openai:whisper-1", {"keywords": ["Offhook"]}, "keywords is not supported with model 'whisper-1'"),
        ("openai:whisper-1", {"languages": ["en", "fr"]}, "languages is not supported"),
        ("openai:gpt-4o-transcribe", {"temperature": 2.0}, "between 0 and 1"),
        ("openai:gpt-4o-transcribe-diarize", {"prompt": "x", "response_format": "json"}, "prompt is not supported"),
        ("openai:gpt-realtime-2.1", {}, "not supported for /v1/audio/transcriptions"),
        ("openai:gpt-transcribe", {"translate": True}, "not supported for /v1/audio/translations"),
        ("openai:whisper-1", {"translate": True, "languages": ["fr"]}, "--language does not go with --translate"),
        ("openai:whisper-1", {"translate": True, "response_format": "diarized_json"}, "diarized_json"),
        ("openai:whisper-1", {"chunking": "sometimes"}, "neither auto nor server_vad"),
        ("openai:whisper-1", {"chunking": "server_vad:loudness=1"}, "server_vad has threshold"),
        ("openai:whisper-1", {"chunking": "server_vad:threshold=loud"}, "no number"),
        ("openai:whisper-1", {"chunking": "server_vad:threshold=3"}, "between 0 and 1"),
    ],
)
def test_what_does_not_go_together_is_refused_saying_why(model: str, options: dict[str, object], why: str):
    with pytest.raises(AskedWronglyError, match=why):
        request(parse(model), Options(**options))  # type: ignore[arg-type]


def test_all_that_is_asked_for_is_sent_and_nothing_else():
    made = asked(
        "openai:gpt-transcribe",
        response_format="json",
        languages=["en", "fr"],
        keywords=["Offhook"],
        prompt="Telephones.",
        temperature=0.25,
        chunking="server_vad:threshold=0.4,silence_duration_ms=300",
    )
    assert fields(made) == {
        "model": "gpt-transcribe",
        "response_format": "json",
        "languages": ["en", "fr"],
        "keywords": ["Offhook"],
        "prompt": "Telephones.",
        "temperature": 0.25,
        "chunking_strategy": {
            "type": "server_vad",
            "threshold": 0.4,
            "prefix_padding_ms": 300,
            "silence_duration_ms": 300,
        },
    }
    assert fields(asked("openai:whisper-1")) == {"model": "whisper-1", "response_format": "text"}


def test_one_language_goes_the_way_the_model_takes_it():
    assert asked("openai:whisper-1", languages=["en"]).language == "en"
    assert asked("openai:gpt-transcribe", languages=["en"]).languages == ("en",)


@pytest.mark.parametrize(
    ("model", "response_format", "streams"),
    [
        ("openai:gpt-4o-transcribe", "text", True),
        ("openai:gpt-4o-transcribe-diarize", "diarized_json", True),
        ("openai:whisper-1", "text", False),
        ("local:whisper-tiny.en", "json", True),
        ("local:whisper-tiny.en", "srt", False),
        ("openai:somebodys-own", "json", False),
    ],
)
def test_words_come_one_by_one_where_the_model_can(model: str, response_format: str, streams: bool):
    assert asked(model, response_format=response_format, streams=True).stream == streams
    assert not asked(model, response_format=response_format, streams=False).stream


def test_speakers_are_told_apart_in_chunks_of_the_models_choice_unless_told_otherwise():
    vad = ServerVad(0.5, 300, 200)
    diarize = "openai:gpt-4o-transcribe-diarize"
    assert asked(diarize, response_format="diarized_json").chunking == "auto"
    assert asked(diarize, response_format="diarized_json", chunking="server_vad").chunking == vad
    assert asked("openai:whisper-1").chunking is None


def test_a_translation_has_its_own_few_parameters():
    made = request(parse("openai:whisper-1"), Options(translate=True, prompt="Bicycles.", response_format="vtt"))
    assert made == TranslationRequest("whisper-1", "vtt", "Bicycles.", 0.0)
