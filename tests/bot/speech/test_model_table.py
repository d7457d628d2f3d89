"""What is known of OpenAI's models: until when they live, and what they take."""

from datetime import date

import pytest

from bot.speech.model_table import MODELS, Use, lookup, named_for, warning
from bot.speech.requests import (
    ServerVad,
    SpeechRequest,
    TranscriptionRequest,
    TranslationRequest,
    speech_problem,
    transcription_problem,
    translation_problem,
)

TRANSCRIBERS = (
    "whisper-1",
    "gpt-4o-transcribe",
    "gpt-4o-mini-transcribe",
    "gpt-4o-transcribe-diarize",
    "gpt-transcribe",
)
NOVEMBER = date(2026, 11, 21)


def test_a_dated_snapshot_is_its_model():
    assert lookup("gpt-4o-mini-tts-2025-12-15") is lookup("gpt-4o-mini-tts")
    assert lookup("gpt-4o-audio-preview-2025-06-03") is lookup("gpt-4o-audio-preview")


def test_a_name_of_tomorrow_is_not_known():
    assert lookup("gpt-transcribe-9") is None


def test_a_model_that_is_off_is_told_with_its_replacement():
    assert warning("gpt-4o-audio-preview", NOVEMBER) == (
        "OpenAI switched gpt-4o-audio-preview off on 2026-05-07; OpenAI names gpt-audio-1.5 as its replacement"
    )


def test_a_model_that_soon_will_be_off_is_told_ahead_of_time():
    assert warning("tts-1", NOVEMBER) == (
        "OpenAI will switch tts-1 off on 2027-01-06; OpenAI names gpt-realtime-2.1-mini as its replacement"
    )
    assert warning("tts-1", date(2026, 6, 1)) is None


@pytest.mark.parametrize("name", ["gpt-transcribe", "gpt-realtime-2.1", "something-else"])
def test_nothing_is_told_of_a_model_without_an_end(name: str):
    assert warning(name, date(2035, 1, 1)) is None


def test_a_model_is_off_on_the_day_itself():
    model = MODELS["whisper-1"]
    assert not model.is_off(date(2027, 2, 25))
    assert model.is_off(date(2027, 2, 26))
    assert model.days_left(date(2027, 2, 16)) == 10


def test_every_replacement_is_a_model_that_lives():
    replaced = [model for model in MODELS.values() if model.replacement]
    assert replaced
    assert all(MODELS[model.replacement].shutdown is None for model in replaced)


def test_those_that_stay_are_named_first():
    assert named_for(Use.TRANSCRIPTION)[0] == "gpt-transcribe"
    assert named_for(Use.TRANSLATION) == ("whisper-1",)


# The documentation's table of models and formats, line by line.
FORMATS = {
    "whisper-1": {"json", "text", "srt", "verbose_json", "vtt"},
    "gpt-4o-transcribe": {"json", "text"},
    "gpt-4o-mini-transcribe": {"json", "text"},
    "gpt-4o-transcribe-diarize": {"json", "text", "diarized_json"},
    "gpt-transcribe": {"json", "text"},
}


@pytest.mark.parametrize("model", TRANSCRIBERS)
@pytest.mark.parametrize("response_format", ["json", "text", "srt", "verbose_json", "vtt", "diarized_json"])
def test_each_model_has_its_formats(model: str, response_format: str):
    problem = transcription_problem(TranscriptionRequest(model, response_format))
    if response_format in FORMATS[model]:
        assert problem is None
    else:
        assert problem is not None
        assert (problem.param, problem.code) == ("response_format", "unsupported_value")
        assert model in problem.message
        assert response_format in problem.message


TAKEN = {  # a parameter: a request with it, and the models that take it
    "prompt": (
        lambda model: TranscriptionRequest(model, prompt="Offhook"),
        {*TRANSCRIBERS} - {"gpt-4o-transcribe-diarize"},
    ),
    "include": (
        lambda model: TranscriptionRequest(model, include=("logprobs",)),
        {"gpt-4o-transcribe", "gpt-4o-mini-transcribe"},
    ),
    "timestamp_granularities": (
        lambda model: TranscriptionRequest(model, "verbose_json", granularities=("word",)),
        {"whisper-1"},
    ),
    "languages": (lambda model: TranscriptionRequest(model, languages=("en", "de")), {"gpt-transcribe"}),
    "keywords": (lambda model: TranscriptionRequest(model, keywords=("Offhook",)), {"gpt-transcribe"}),
    "known_speaker_names": (
        lambda model: TranscriptionRequest(model, speaker_names=("agent",)),
        {"gpt-4o-transcribe-diarize"},
    ),
    "chunking_strategy": (lambda model: TranscriptionRequest(model, chunking=ServerVad()), {*TRANSCRIBERS}),
    "stream": (lambda model: TranscriptionRequest(model, stream=True), {*TRANSCRIBERS}),
    "language": (lambda model: TranscriptionRequest(model, language="en"), {*TRANSCRIBERS}),
}


@pytest.mark.parametrize("model", TRANSCRIBERS)
@pytest.mark.parametrize("param", TAKEN)
def test_each_model_takes_its_parameters(param: str, model: str):
    request, takers = TAKEN[param]
    problem = transcription_problem(request(model))
    assert (problem is None) == (model in takers), problem


@pytest.mark.parametrize(
    ("request_", "param"),
    [
        (TranscriptionRequest("anything", "xml"), "response_format"),
        (TranscriptionRequest("anything", temperature=1.1), "temperature"),
        (TranscriptionRequest("anything", temperature=float("nan")), "temperature"),
        (TranscriptionRequest("anything", "json", granularities=("word",)), "timestamp_granularities"),
        (TranscriptionRequest("anything", "verbose_json", granularities=("letter",)), "timestamp_granularities"),
        (TranscriptionRequest("anything", "text", include=("logprobs",)), "include"),
        (TranscriptionRequest("anything", include=("everything",)), "include"),
        (TranscriptionRequest("anything", speaker_names=("a", "b", "c", "d", "e")), "known_speaker_names"),
        (TranscriptionRequest("anything", speaker_names=("a", "a")), "known_speaker_names"),
        (
            TranscriptionRequest("anything", speaker_names=("a", "b"), speaker_references=("data:,",)),
            "known_speaker_references",
        ),
        (
            TranscriptionRequest("anything", speaker_names=("a",), speaker_references=("http://x",)),
            "known_speaker_references",
        ),
        (TranscriptionRequest("anything", chunking=ServerVad(threshold=2)), "chunking_strategy"),
        (TranscriptionRequest("anything", chunking=ServerVad(silence_duration_ms=-1)), "chunking_strategy"),
        (TranscriptionRequest("tts-1"), "model"),
    ],
)
def test_what_no_model_takes_is_refused_for_any(request_: TranscriptionRequest, param: str):
    problem = transcription_problem(request_)
    assert problem is not None
    assert problem.param == param


def test_a_model_that_is_not_in_the_table_may_take_everything():
    request = TranscriptionRequest(
        "whisper-large-v3", "verbose_json", prompt="Offhook", granularities=("word", "segment"), keywords=("x",)
    )
    assert transcription_problem(request) is None


@pytest.mark.parametrize(
    ("request_", "param"),
    [
        (SpeechRequest("tts-1", "Hello.", "alloy", instructions="Whisper."), "instructions"),
        (SpeechRequest("tts-1-hd", "Hello.", "alloy", stream_format="sse"), "stream_format"),
        (SpeechRequest("tts-1", "Hello.", "marin"), "voice"),
        (SpeechRequest("gpt-4o-mini-tts", "x" * 4097, "alloy"), "input"),
        (SpeechRequest("gpt-4o-mini-tts", " ", "alloy"), "input"),
        (SpeechRequest("gpt-4o-mini-tts", "Hello.", "alloy", instructions="x" * 4097), "instructions"),
        (SpeechRequest("gpt-4o-mini-tts", "Hello.", "alloy", response_format="aiff"), "response_format"),
        (SpeechRequest("gpt-4o-mini-tts", "Hello.", "alloy", speed=0.24), "speed"),
        (SpeechRequest("gpt-4o-mini-tts", "Hello.", "alloy", speed=4.01), "speed"),
        (SpeechRequest("gpt-4o-mini-tts", "Hello.", "alloy", speed=float("nan")), "speed"),
        (SpeechRequest("gpt-4o-mini-tts", "Hello.", "alloy", stream_format="chunks"), "stream_format"),
        (SpeechRequest("whisper-1", "Hello.", "alloy"), "model"),
    ],
)
def test_speech_that_cannot_be_had_is_refused(request_: SpeechRequest, param: str):
    problem = speech_problem(request_)
    assert problem is not None
    assert problem.param == param


@pytest.mark.parametrize(
    "request_",
    [
        SpeechRequest("gpt-4o-mini-tts", "x" * 4096, "marin", instructions="Be kind.", speed=0.25, stream_format="sse"),
        SpeechRequest("tts-1", "Hello.", "nova", response_format="pcm", speed=4.0),
        SpeechRequest("piper-joe", "Hello.", "joe", instructions="Be kind.", stream_format="sse"),
    ],
)
def test_speech_within_the_limits_is_not(request_: SpeechRequest):
    assert speech_problem(request_) is None


def test_only_whisper_translates_and_into_no_speakers():
    assert translation_problem(TranslationRequest("whisper-1", "srt")) is None
    refused = translation_problem(TranslationRequest("gpt-transcribe"))
    assert refused is not None
    assert refused.param == "model"
    assert translation_problem(TranslationRequest("whisper-1", "diarized_json")) is not None
