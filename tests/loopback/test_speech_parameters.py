"""Every parameter of speech and of chat with audio, with every model: what is allowed comes as sound, the rest is told.

The tables are those of OpenAI's documentation (November 2026), written down once more here and not taken from the code.
"""

import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pybase64
import pytest
import pytest_asyncio

from bot.config import BotConfig, FactConfig
from bot.local.serving import serving
from bot.speech.requests import SpeechRequest, speech_problem
from tests.support.wire import Wire, recorded

pytestmark = pytest.mark.asyncio(loop_scope="module")

TERSE = BotConfig(name="terse", facts=(FactConfig(ask=("Are you open?",), answer="Yes."),))
FORMATS = {
    "mp3": "audio/mpeg", "opus": "audio/opus", "aac": "audio/aac", "flac": "audio/flac", "wav": "audio/wav",
    "pcm": "audio/pcm",
}  # fmt: skip
OLD_VOICES = {"alloy", "ash", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer"}
VOICES = OLD_VOICES | {"ballad", "verse", "marin", "cedar"}
OLD, NEW = ("tts-1", "tts-1-hd"), ("gpt-4o-mini-tts", "gpt-4o-mini-tts-2025-12-15")
CHAT_MODELS = ("gpt-audio-1.5", "gpt-audio-mini", "gpt-4o-audio-preview", "gpt-4o-mini-audio-preview")
CHAT_FORMATS = ("wav", "mp3", "flac", "opus", "aac", "pcm16")
CHAT_VOICES = {"alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wire() -> AsyncIterator[Wire]:
    async with serving(TERSE) as url, recorded(url) as front:
        yield front


async def agreed(wire: Wire, wrong: str | None, **how: Any) -> str:
    """The content type of the sound; empty where both ends refuse the parameter `wrong`."""
    asked = {"input": "Yes.", "voice": "alloy", **how}
    try:
        answer = await wire.client.audio.speech.with_raw_response.create(**asked)
        assert answer.content
        refused = None
    except openai.BadRequestError as exc:
        refused = exc
    assert json.loads(wire.last.body) == asked
    problem = speech_problem(SpeechRequest(**asked))
    if problem is None or refused is None:
        assert (problem, refused, wrong) == (None, None, None), asked
        return answer.headers["content-type"]
    assert problem.param == refused.param == wrong, asked
    assert problem.message in refused.message
    assert len(problem.message.split()) > 3
    return ""


@pytest.mark.parametrize("model", [*OLD, *NEW])
async def test_each_model_has_its_voices(wire: Wire, model: str):
    known = OLD_VOICES if model in OLD else VOICES
    for voice in sorted(VOICES):
        await agreed(wire, None if voice in known else "voice", model=model, voice=voice, response_format="pcm")


@pytest.mark.parametrize("model", [*OLD, *NEW])
async def test_each_model_has_every_format(wire: Wire, model: str):
    for name, kind in FORMATS.items():
        assert await agreed(wire, None, model=model, response_format=name) == kind
    await agreed(wire, "response_format", model=model, response_format="amr")


@pytest.mark.parametrize("model", [*OLD, *NEW])
async def test_manner_and_events_are_for_the_newer_models(wire: Wire, model: str):
    await agreed(wire, "instructions" if model in OLD else None, model=model, instructions="Speak kindly.")
    assert await agreed(wire, None, model=model, stream_format="audio") == "audio/mpeg"
    kind = await agreed(wire, "stream_format" if model in OLD else None, model=model, stream_format="sse")
    assert kind.startswith("text/event-stream" if model in NEW else "")


@pytest.mark.parametrize("model", [*OLD, *NEW])
async def test_speed_and_lengths_have_limits_for_all(wire: Wire, model: str):
    for speed in (0.25, 1.0, 4.0):
        await agreed(wire, None, model=model, speed=speed)
    for speed in (0.24, 4.01, 0.0, -1.0):
        await agreed(wire, "speed", model=model, speed=speed)
    await agreed(wire, "input", model=model, input="x" * 4097)
    await agreed(wire, "input", model=model, input=" ")
    if model in NEW:
        await agreed(wire, "instructions", model=model, instructions="x" * 4097)


@pytest.mark.parametrize("model", ["whisper-1", "gpt-realtime-2.1", "gpt-audio-1.5"])
async def test_models_for_something_else_do_not_read_aloud(wire: Wire, model: str):
    await agreed(wire, "model", model=model)


# -- chat with audio -----------------------------------------------------------------------------------------------


async def chat(wire: Wire, **how: Any) -> str | None:
    """The parameter that is refused; None where an answer comes, of which all is well."""
    asked = {
        "model": "gpt-audio-1.5", "modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"},
        "messages": [{"role": "user", "content": "Are you open?"}], **how,
    }  # fmt: skip
    try:
        answer: Any = await wire.client.chat.completions.create(**asked)
    except openai.BadRequestError as exc:
        return exc.param if len(exc.message.split()) > 3 else "no reason given"
    finally:
        assert json.loads(wire.last.body) == asked
    if asked.get("stream"):
        deltas = [chunk.choices[0].delta async for chunk in answer if chunk.choices]
        assert "".join(delta.audio.transcript or "" for delta in deltas if delta.audio) == "Yes."
        assert any(delta.audio.data for delta in deltas if delta.audio)
    elif "audio" in asked["modalities"]:
        assert answer.choices[0].message.audio.transcript == "Yes."
        assert len(pybase64.b64decode(answer.choices[0].message.audio.data)) > 1000
    return None


@pytest.mark.parametrize("model", CHAT_MODELS)
async def test_each_chat_model_speaks_in_every_format_and_streams_one(wire: Wire, model: str):
    for kind in (*CHAT_FORMATS, "pcm"):
        audio = {"voice": "alloy", "format": kind}
        assert await chat(wire, model=model, audio=audio) == (None if kind in CHAT_FORMATS else "audio.format")
        assert await chat(wire, model=model, audio=audio, stream=True) == (None if kind == "pcm16" else "audio.format")


async def test_chat_has_the_voices_of_realtime(wire: Wire):
    for voice in sorted(VOICES):
        refused = await chat(wire, audio={"voice": voice, "format": "pcm16"})
        assert refused == (None if voice in CHAT_VOICES else "audio.voice"), voice


@pytest.mark.parametrize(
    ("how", "param"),
    [
        ({"modalities": ["audio"]}, "modalities"),
        ({"modalities": ["text"]}, "model"),  # an audio model wants sound at one end
        ({"modalities": ["text", "video"]}, "modalities"),
        ({"audio": None}, "audio"),
        ({"model": "gpt-4o-mini-tts"}, "model"),
        ({"model": "gpt-realtime-2.1"}, "model"),
        ({"messages": []}, "messages"),
        ({"n": 2}, "n"),
    ],
)
async def test_what_no_audio_model_answers_is_refused(wire: Wire, how: dict[str, Any], param: str):
    assert await chat(wire, **how) == param
