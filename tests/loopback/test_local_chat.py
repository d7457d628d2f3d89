"""Chat completions with audio, through OpenAI's own client: every way in and out, several turns, and refusals."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import openai
import pybase64
import pytest
import pytest_asyncio

from bot.config import ChainedConfig, ModelServerConfig, OpenAIConfig
from bot.local.chat_answers import UpstreamAnswerer
from bot.local.errors import RequestError
from bot.speech.openai_client import OpenAIClient
from tests.support.local_server import BUSINESS, local_client, samples_of, sound_file
from tests.support.words import word_errors

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOURS = "We are open from nine to six, Monday to Saturday."
BRIDGE = "The Brooklyn Bridge was opened in 1883."
ASK_HOURS = {"role": "user", "content": "What are your opening hours?"}
SPOKEN: dict[str, Any] = {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client() -> AsyncIterator[openai.AsyncOpenAI]:
    async with local_client() as connected:
        yield connected


@pytest.fixture
def question(data: Path) -> dict[str, Any]:
    """A person asks how old the Brooklyn Bridge is."""
    samples, rate_hz = samples_of((data / "speech-en" / "google-brooklyn-bridge.flac").read_bytes())
    return recording(sound_file(samples, rate_hz), "wav")


def recording(content: bytes, kind: str) -> dict[str, Any]:
    return {"type": "input_audio", "input_audio": {"data": pybase64.b64encode(content).decode(), "format": kind}}


async def chat(client: openai.AsyncOpenAI, *messages: Any, model: str = "gpt-audio-1.5", **how: Any) -> Any:
    return await client.chat.completions.create(model=model, messages=list(messages), **how)


async def says_hours(client: openai.AsyncOpenAI, sound: bytes) -> bool:
    """Whether Whisper hears the opening hours, but for two words at most: Piper reads differently each time."""
    heard = await client.audio.transcriptions.create(file=("answer.wav", sound), model="whisper-1")
    return word_errors(HOURS, heard.text.replace("9", "nine").replace("6", "six"))[0] <= 2


async def test_text_is_answered_in_text_and_sound(client: openai.AsyncOpenAI):
    answer = await chat(client, ASK_HOURS, **SPOKEN)
    message = answer.choices[0].message
    assert (message.content, message.refusal, answer.choices[0].finish_reason) == (None, None, "stop")
    assert message.audio.transcript == HOURS
    assert 3500 < message.audio.expires_at - answer.created < 3700
    sound = pybase64.b64decode(message.audio.data)
    assert await says_hours(client, sound)
    details = answer.usage.completion_tokens_details
    assert details.audio_tokens == pytest.approx(samples_of(sound)[0].shape[1] / 24 / 50, abs=1)
    assert answer.usage.completion_tokens == details.audio_tokens + details.text_tokens


async def test_sound_is_answered_in_text_and_sound(client: openai.AsyncOpenAI, question: dict[str, Any]):
    answer = await chat(client, {"role": "user", "content": [question]}, **SPOKEN)
    assert answer.choices[0].message.audio.transcript == BRIDGE
    assert answer.usage.prompt_tokens_details.audio_tokens == 19  # tenths of 1.8 seconds


async def test_sound_is_answered_in_text(client: openai.AsyncOpenAI, question: dict[str, Any]):
    answer = await chat(client, {"role": "user", "content": [question]}, modalities=["text"])
    assert answer.choices[0].message.content == BRIDGE
    assert answer.choices[0].message.audio is None


@pytest.mark.parametrize("how", [SPOKEN, {}])
async def test_text_and_sound_are_one_question(client: openai.AsyncOpenAI, question: dict[str, Any], how: Any):
    content = [{"type": "text", "text": "Please tell me:"}, question]
    message = (await chat(client, {"role": "user", "content": content}, **how)).choices[0].message
    assert (message.audio.transcript if how else message.content) == BRIDGE


async def test_mp3_is_understood(client: openai.AsyncOpenAI, data: Path):
    samples, rate_hz = samples_of((data / "speech-en" / "google-brooklyn-bridge.flac").read_bytes())
    question = recording(sound_file(samples, rate_hz, "mp3", "libmp3lame"), "mp3")
    assert (await chat(client, {"role": "user", "content": [question]})).choices[0].message.content == BRIDGE


@pytest.mark.parametrize("kind", ["wav", "mp3", "flac", "opus", "aac", "pcm16"])
async def test_the_answer_comes_in_every_format(client: openai.AsyncOpenAI, kind: str):
    answer = await chat(client, ASK_HOURS, **SPOKEN | {"audio": {"voice": "marin", "format": kind}})
    sound = pybase64.b64decode(answer.choices[0].message.audio.data)
    if kind == "pcm16":
        sound = sound_file(np.frombuffer(sound, "<i2")[np.newaxis], 24_000)
    samples, rate_hz = samples_of(sound)
    assert 2 < samples.shape[1] / rate_hz < 5


async def test_the_next_turn_names_the_answer_by_its_id(client: openai.AsyncOpenAI):
    first = await chat(client, ASK_HOURS, **SPOKEN)
    before = {"role": "assistant", "audio": {"id": first.choices[0].message.audio.id}}
    again = {"role": "user", "content": "Sorry, could you repeat that?"}
    second = await chat(client, ASK_HOURS, before, again, **SPOKEN)
    assert second.choices[0].message.audio.transcript == HOURS


async def test_an_answer_that_is_not_there_any_more_has_to_be_sent_as_text(client: openai.AsyncOpenAI):
    gone = {"role": "assistant", "audio": {"id": "audio_0123"}}
    with pytest.raises(openai.BadRequestError, match="has expired: send what was said") as caught:
        await chat(client, ASK_HOURS, gone, {"role": "user", "content": "Again?"}, **SPOKEN)
    assert caught.value.param == "messages[1].audio.id"


async def test_a_stream_is_spoken_while_it_is_written(client: openai.AsyncOpenAI):
    stream = await chat(
        client,
        ASK_HOURS,
        modalities=["text", "audio"],
        audio={"voice": "alloy", "format": "pcm16"},
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]
    *body, last = chunks
    assert last.choices == []
    assert last.usage.completion_tokens_details.audio_tokens > 40
    deltas = [chunk.choices[0].delta for chunk in body]
    assert deltas[0].role == "assistant"
    assert deltas[0].audio.id.startswith("audio_")
    assert "".join(delta.audio.transcript or "" for delta in deltas if delta.audio) == HOURS
    pieces = [
        pybase64.b64decode(delta.audio.data, validate=True) for delta in deltas if delta.audio and delta.audio.data
    ]
    assert all(len(piece) % 2 == 0 for piece in pieces)
    assert len(pieces) > 5
    reasons = [chunk.choices[0].finish_reason for chunk in body]
    assert deltas[-2].audio.expires_at > chunks[0].created
    assert (reasons[-2:], deltas[-1].audio) == ([None, "stop"], None)
    wav = sound_file(np.frombuffer(b"".join(pieces), "<i2")[np.newaxis], 24_000)
    assert await says_hours(client, wav)


async def test_a_stream_of_text_is_text(client: openai.AsyncOpenAI, question: dict[str, Any]):
    stream = await chat(client, {"role": "user", "content": [question]}, stream=True)
    assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream]) == BRIDGE


async def test_functions_that_the_receptionist_knows_are_called(client: openai.AsyncOpenAI):
    tools = [{"type": "function", "function": {"name": "take_message", "parameters": {"type": "object"}}}]
    elephants = {"role": "user", "content": "Do you sell elephants?"}
    first = await chat(client, elephants, model="facts", tools=tools)
    said = {"role": "assistant", "content": first.choices[0].message.content}
    yes = {"role": "user", "content": "Yes, please."}
    second = (await chat(client, elephants, said, yes, model="facts", tools=tools)).choices[0]
    assert second.finish_reason == "tool_calls"
    assert second.message.content == "Please leave your message after the tone."
    call = second.message.tool_calls[0]
    assert call.function.name == "take_message"
    result = {"role": "tool", "tool_call_id": call.id, "content": "Please call me back about the elephants."}
    made = {"role": "assistant", "content": second.message.content, "tool_calls": [call.model_dump()]}
    third = await chat(client, elephants, said, yes, made, result, model="facts", tools=tools)
    assert "pass your message on" in third.choices[0].message.content


@pytest.mark.parametrize(
    ("how", "status", "param", "words"),
    [
        ({"model": "gpt-4.1"}, 404, "model", "configure a text model"),
        ({"model": "whisper-1"}, 400, "model", "not supported for /v1/chat/completions"),
        ({}, 400, "model", "either input content or output modality contain audio"),
        ({"modalities": ["audio"]}, 400, "modalities", "['text', 'audio']"),
        ({"modalities": ["text", "audio"]}, 400, "audio", "Missing required parameter: 'audio'"),
        (SPOKEN | {"stream": True}, 400, "audio.format", "Supported values are: 'pcm16'"),
        (SPOKEN | {"audio": {"voice": "darth", "format": "wav"}}, 400, "audio.voice", "'alloy'"),
        (SPOKEN | {"audio": {"voice": "alloy", "format": "wma"}}, 400, "audio.format", "'pcm16'"),
        (SPOKEN | {"n": 2}, 400, "n", "one answer"),
        (SPOKEN | {"tool_choice": "required", "tools": []}, 400, "tool_choice", "configure a text model"),
        (SPOKEN | {"response_format": {"type": "json_object"}}, 400, "response_format", "configure a text model"),
    ],
)
async def test_what_the_facts_cannot_do_is_refused(
    client: openai.AsyncOpenAI, how: dict[str, Any], status: int, param: str, words: str
):
    with pytest.raises(openai.APIStatusError) as caught:
        await chat(client, ASK_HOURS, **how)
    assert (caught.value.status_code, caught.value.param) == (status, param)
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("part", "param", "words"),
    [
        (recording(b"no sound", "wav"), "messages[0].content[0].input_audio.data", "corrupted or unsupported"),
        (recording(b"", "wav"), "messages[0].content[0].input_audio.data", "empty"),
        (recording(b"x", "flac"), "messages[0].content[0].input_audio.format", "'wav' and 'mp3'"),
        (
            {"type": "input_audio", "input_audio": {"data": "%%%", "format": "wav"}},
            "messages[0].content[0].input_audio.data",
            "not base64",
        ),
        (
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
            "messages[0].content[0].type",
            "'input_audio', not 'image_url'",
        ),
    ],
)
async def test_what_is_no_recording_is_refused_with_its_place(
    client: openai.AsyncOpenAI, part: dict[str, Any], param: str, words: str
):
    with pytest.raises(openai.BadRequestError) as caught:
        await chat(client, {"role": "user", "content": [part]}, **SPOKEN)
    assert caught.value.param == param
    assert words in caught.value.message


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def freely(client: openai.AsyncOpenAI) -> AsyncIterator[openai.AsyncOpenAI]:
    """A server whose answers come from a text model; as such stands the other one, which speaks the same protocol."""
    bot = msgspec.structs.replace(BUSINESS, chained=ChainedConfig(responder="openai:facts"))
    async with local_client(bot, OpenAIConfig(base_url=str(client.base_url))) as connected:
        yield connected


async def test_a_text_model_answers_what_was_said(freely: openai.AsyncOpenAI, question: dict[str, Any]):
    answer = await chat(freely, {"role": "user", "content": [question]}, **SPOKEN)
    assert answer.choices[0].message.audio.transcript == BRIDGE


async def test_with_a_text_model_every_name_is_good(freely: openai.AsyncOpenAI):
    assert (await chat(freely, ASK_HOURS, model="gpt-4.1")).choices[0].message.content == HOURS


async def test_a_text_models_functions_and_refusals_come_through(freely: openai.AsyncOpenAI):
    tools = [{"type": "function", "function": {"name": "hang_up", "parameters": {"type": "object"}}}]
    answer = await chat(freely, {"role": "user", "content": "Goodbye!"}, model="any", tools=tools)
    assert answer.choices[0].message.tool_calls[0].function.name == "hang_up"
    with pytest.raises(openai.BadRequestError, match=r"The text model facts did not answer: .*plain text") as caught:
        await chat(freely, ASK_HOURS, model="any", response_format={"type": "json_object"})
    assert caught.value.param == "response_format"


async def test_a_text_model_out_of_reach_is_told_before_anything_is_sent():
    nobody = OpenAIClient(ModelServerConfig(base_url="http://127.0.0.1:9/v1"), retries=0)
    answerer = UpstreamAnswerer(nobody, "gpt")
    await answerer.start()
    with pytest.raises(RequestError, match="cannot be reached") as caught:
        await asyncio.wait_for(anext(answerer.answer([], {})), 10)
    assert caught.value.status == 502
    await answerer.close()
