"""Every parameter of the file endpoints with every model: OpenAI's client writes it, the local server judges it.

The tables are those of OpenAI's documentation (November 2026), written down once more here and not taken from the code.
The upload is no sound, so that a request which is allowed gets as far as its file and no further, in a millisecond;
what models do with their parameters is asked for real in `test_local_transcriptions.py` and `documents/`.
"""

from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
import pytest_asyncio

from bot.local.serving import serving
from bot.local.transcription_form import transcription_request, translation_request
from bot.speech.requests import (
    ServerVad,
    TranscriptionRequest,
    TranslationRequest,
    transcription_problem,
    translation_problem,
)
from tests.support.local_server import BUSINESS
from tests.support.multilingual import multilingual_bot
from tests.support.wire import Wire, recorded

pytestmark = pytest.mark.asyncio(loop_scope="module")

FORMATS = {
    "whisper-1": {"json", "text", "srt", "vtt", "verbose_json"},
    "gpt-4o-transcribe": {"json", "text"},
    "gpt-4o-mini-transcribe": {"json", "text"},
    "gpt-4o-mini-transcribe-2025-12-15": {"json", "text"},
    "gpt-4o-transcribe-diarize": {"json", "text", "diarized_json"},
    "gpt-transcribe": {"json", "text"},  # of "text" the documentation does not speak
}
DIARIZE = "gpt-4o-transcribe-diarize"
WITH_LOGPROBS = {"gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-4o-mini-transcribe-2025-12-15"}
EVERY = set(FORMATS)
VAD = {"type": "server_vad", "threshold": 0.4, "prefix_padding_ms": 200, "silence_duration_ms": 350}
REFERENCE = "data:audio/wav;base64,UklGRg=="

# What is sent; which models take it; with which formats (None: with all they have); the parameter that is refused.
PARAMETERS: dict[str, tuple[dict[str, Any], set[str], set[str] | None, str]] = {
    "nothing": ({}, EVERY, None, ""),
    "language": ({"language": "en"}, EVERY, None, "language"),
    "languages": ({"languages": ["en", "fr"]}, {"gpt-transcribe"}, None, "languages"),
    "keywords": ({"keywords": ["Offhook", "Brooklyn"]}, {"gpt-transcribe"}, None, "keywords"),
    "prompt": ({"prompt": "Offhook, Brooklyn."}, EVERY - {DIARIZE}, None, "prompt"),
    "temperature": ({"temperature": 0.4}, EVERY, None, "temperature"),
    "words": ({"timestamp_granularities": ["word"]}, {"whisper-1"}, {"verbose_json"}, "timestamp_granularities"),
    "segments": ({"timestamp_granularities": ["segment"]}, {"whisper-1"}, {"verbose_json"}, "timestamp_granularities"),
    "both": (
        {"timestamp_granularities": ["word", "segment"]}, {"whisper-1"}, {"verbose_json"}, "timestamp_granularities"
    ),
    "logprobs": ({"include": ["logprobs"]}, WITH_LOGPROBS, {"json"}, "include"),
    "stream": ({"stream": True}, EVERY, None, "stream"),  # which whisper-1 ignores
    "chunks": ({"chunking_strategy": "auto"}, EVERY, None, "chunking_strategy"),
    "own chunks": ({"chunking_strategy": VAD}, EVERY, None, "chunking_strategy"),
    "speakers": ({"known_speaker_names": ["agent", "customer"]}, {DIARIZE}, None, "known_speaker_names"),
    "voices": (
        {"known_speaker_names": ["agent"], "known_speaker_references": [REFERENCE]}, {DIARIZE}, None,
        "known_speaker_names",
    ),
}  # fmt: skip
# No model takes these.
IMPOSSIBLE: list[tuple[dict[str, Any], str]] = [
    ({"response_format": "xml"}, "response_format"),
    ({"temperature": 1.1}, "temperature"),
    ({"temperature": -0.1}, "temperature"),
    ({"model": "whisper-1", "response_format": "verbose_json", "timestamp_granularities": ["letter"]},
     "timestamp_granularities"),
    ({"model": "gpt-4o-transcribe", "include": ["everything"]}, "include"),
    ({"chunking_strategy": {"type": "server_vad", "threshold": 1.5}}, "chunking_strategy"),
    ({"chunking_strategy": {"type": "server_vad", "silence_duration_ms": -1}}, "chunking_strategy"),
    ({"model": DIARIZE, "known_speaker_names": ["a", "b", "c", "d", "e"]}, "known_speaker_names"),
    ({"model": DIARIZE, "known_speaker_names": ["a", "b"], "known_speaker_references": [REFERENCE]},
     "known_speaker_references"),
    ({"model": DIARIZE, "known_speaker_names": ["a"], "known_speaker_references": ["voice.wav"]},
     "known_speaker_references"),
    ({"model": "gpt-4o-mini-tts"}, "model"),
    ({"model": "gpt-live-transcribe"}, "model"),  # for sound that still comes
]  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wire() -> AsyncIterator[Wire]:
    async with serving(BUSINESS) as url, recorded(url) as front:
        yield front


async def transcribe(wire: Wire, **how: Any) -> openai.BadRequestError:
    """What is said against it; of an allowed request, against its file."""
    with pytest.raises(openai.BadRequestError) as refused:
        await wire.client.audio.transcriptions.create(file=("call.wav", b"no sound"), **how)
    return refused.value


def as_asked(how: dict[str, Any]) -> TranscriptionRequest:
    """What our own client would check before it asks so."""
    ours = {"timestamp_granularities": "granularities", "chunking_strategy": "chunking",
            "known_speaker_names": "speaker_names", "known_speaker_references": "speaker_references"}  # fmt: skip
    given = {ours.get(name, name): tuple(value) if isinstance(value, list) else value for name, value in how.items()}
    if isinstance(given.get("chunking"), dict):
        given["chunking"] = ServerVad(**{key: value for key, value in given["chunking"].items() if key != "type"})
    return TranscriptionRequest(**given)


def on_the_wire(how: dict[str, Any]) -> list[tuple[str, str]]:
    """As the documentation has it: lists repeat a bracketed name, objects are flattened, the file is last."""
    fields: list[tuple[str, str]] = []
    for name, value in how.items():
        if isinstance(value, list):
            fields += [(f"{name}[]", one) for one in value]
        elif isinstance(value, dict):
            fields += [(f"{name}[{key}]", str(one)) for key, one in value.items()]
        else:
            fields.append((name, str(value).lower() if isinstance(value, bool) else str(value)))
    return [*sorted(fields), ("file", "call.wav")]


@pytest.mark.parametrize("model", FORMATS)
@pytest.mark.parametrize("name", PARAMETERS)
async def test_a_parameter_is_taken_or_refused_as_documented(wire: Wire, model: str, name: str):
    given, takers, formats, param = PARAMETERS[name]
    for kind in ("json", "text", "srt", "verbose_json", "vtt", "diarized_json"):
        how = {"model": model, "response_format": kind, **given}
        wrong = set() if kind in FORMATS[model] else {"response_format"}
        if model not in takers or (formats is not None and kind not in formats):
            wrong.add(param)
        error = await transcribe(wire, **how)
        *fields, file = wire.last.fields
        assert [*sorted(fields), file] == on_the_wire(how)
        assert transcription_request(await wire.last.form()) == as_asked(how)
        problem = transcription_problem(as_asked(how))
        if not wrong:
            assert (error.param, problem) == ("file", None), how
        else:
            assert problem is not None, how
            assert error.param in wrong, how
            assert (error.param, error.code) == (problem.param, problem.code)
            assert problem.message in error.message
            assert model in problem.message or kind in problem.message


@pytest.mark.parametrize(("how", "param"), IMPOSSIBLE)
async def test_what_no_model_takes_is_refused_at_both_ends(wire: Wire, how: dict[str, Any], param: str):
    asked = {"model": "gpt-4o-transcribe", **how}
    error, problem = await transcribe(wire, **asked), transcription_problem(as_asked(asked))
    assert problem is not None
    assert (error.param, problem.param) == (param, param)
    assert problem.message in error.message
    assert len(problem.message.split()) > 3


# -- translations --------------------------------------------------------------------------------------------------


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def multilingual(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Wire]:
    bot = multilingual_bot(tmp_path_factory)
    async with serving(bot) as url, recorded(url) as front:
        yield front


async def translate(wire: Wire, **how: Any) -> openai.BadRequestError:
    with pytest.raises(openai.BadRequestError) as refused, pytest.deprecated_call():
        await wire.client.audio.translations.create(file=("call.wav", b"no sound"), **how)
    return refused.value


@pytest.mark.parametrize("model", FORMATS)
async def test_translations_are_whispers_alone(multilingual: Wire, model: str):
    for kind in ("json", "text", "srt", "verbose_json", "vtt", "diarized_json"):
        how = {"model": model, "response_format": kind, "prompt": "Astronomy.", "temperature": 0.2}
        error, problem = await translate(multilingual, **how), translation_problem(TranslationRequest(**how))
        assert multilingual.last.fields[-1] == ("file", "call.wav")
        assert translation_request(await multilingual.last.form()) == TranslationRequest(**how)
        if model == "whisper-1" and kind != "diarized_json":
            assert (error.param, problem) == ("file", None)
        else:
            assert problem is not None
            assert (error.param, problem.message in error.message) == (problem.param, True)
            assert error.param == ("response_format" if model == "whisper-1" else "model")
