"""Forms as OpenAI's clients and people with curl write them, read into the same request."""

import pytest

from bot.local.errors import RequestError
from bot.local.transcription_form import transcription_request, translation_request, uploaded
from bot.local.upload import Form
from bot.speech.requests import ServerVad, TranscriptionRequest, TranslationRequest


def form(**fields: str | list[str]) -> Form:
    return Form({name: [value] if isinstance(value, str) else value for name, value in fields.items()})


def test_a_model_is_all_that_is_needed():
    assert transcription_request(form(model="whisper-1")) == TranscriptionRequest("whisper-1")
    assert translation_request(form(model="whisper-1")) == TranslationRequest("whisper-1")


def test_every_field_is_read():
    request = transcription_request(
        form(
            model="gpt-transcribe", response_format="text", language="en", languages=["en", "de"], keywords=["Offhook"],
            prompt="Hello.", temperature="0.3", timestamp_granularities=["word", "segment"], include=["logprobs"],
            stream="true", known_speaker_names=["a", "b"], known_speaker_references=["data:,", "data:,"],
        )
    )  # fmt: skip
    assert request == TranscriptionRequest(
        "gpt-transcribe", "text", "en", ("en", "de"), ("Offhook",), "Hello.", 0.3, ("word", "segment"), ("logprobs",),
        True, None, ("a", "b"), ("data:,", "data:,"),
    )  # fmt: skip


@pytest.mark.parametrize("text", ["auto", '"auto"'])
def test_chunks_may_be_left_to_the_server(text: str):
    assert transcription_request(form(model="m", chunking_strategy=text)).chunking == "auto"


@pytest.mark.parametrize(
    "fields",
    [
        {"chunking_strategy": '{"type": "server_vad", "threshold": 0.3, "silence_duration_ms": 400}'},
        {
            "chunking_strategy[type]": "server_vad",
            "chunking_strategy[threshold]": "0.3",
            "chunking_strategy[silence_duration_ms]": "400",
        },
    ],
)
def test_chunks_may_be_described_as_json_or_field_by_field(fields: dict[str, str]):
    assert transcription_request(form(model="m", **fields)).chunking == ServerVad(0.3, 300, 400)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({}, "model"),
        ({"model": "m", "temperature": "warm"}, "temperature"),
        ({"model": "m", "temperature": "nan"}, "temperature"),
        ({"model": "m", "stream": "perhaps"}, "stream"),
        ({"model": "m", "chunking_strategy": "often"}, "chunking_strategy"),
        ({"model": "m", "chunking_strategy": '{"type": "semantic_vad"}'}, "chunking_strategy"),
        (
            {"model": "m", "chunking_strategy[type]": "server_vad", "chunking_strategy[threshold]": "x"},
            "chunking_strategy",
        ),
    ],
)
def test_a_value_of_the_wrong_kind_is_named(fields: dict[str, str], param: str):
    with pytest.raises(RequestError) as refused:
        transcription_request(form(**fields))
    assert refused.value.param == param


def test_a_form_without_a_file_is_refused():
    with pytest.raises(RequestError, match="Missing required parameter: 'file'"):
        uploaded(form(model="m"))
