"""A model that speaks, over a real socket: what is sent, and how its sound comes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.config import ModelServerConfig, PriceConfig
from bot.errors import ConfigError, RequestFailedError, VoiceError
from bot.speech.links import Spent, whole_sound
from bot.speech.openai_client import OpenAIClient
from bot.speech.openai_speaker import OpenAISpeaker, parts
from tests.support.model_server import (
    Answer,
    ModelServer,
    cut_off,
    model_server,
    refusal,
    silence,
    sound,
    unfinished,
)


@asynccontextmanager
async def speaker(
    *answers: Answer, model: str = "m", **settings: Any
) -> AsyncIterator[tuple[OpenAISpeaker, ModelServer]]:
    async with model_server(*answers) as server:
        client = OpenAIClient(ModelServerConfig(base_url=server.url), timeout_s=2, retries=0)
        made = OpenAISpeaker(client, model, **settings)
        await made.start()
        try:
            yield made, server
        finally:
            await client.close()


async def test_sound_is_handed_on_in_whole_samples_however_it_comes():
    pieces = [b"\x01", b"\x02\x03", b"\x04\x05\x06\x07", b"\x08"]
    async with speaker(sound(*pieces)) as (made, _):
        given = [piece async for piece in made.speak("Hello.")]
    *heard, spent = given
    assert b"".join(heard) == bytes(range(1, 9))  # type: ignore[arg-type]
    assert all(len(piece) % 2 == 0 for piece in heard)  # type: ignore[arg-type]
    assert isinstance(spent, Spent)


async def test_the_first_sound_is_there_while_the_rest_is_made():
    async with speaker(unfinished(bytes(4800))) as (made, _):
        assert await anext(made.speak("Hello.")) == bytes(4800)


async def test_a_sentence_costs_by_the_minute():
    async with speaker(sound(bytes(48000)), prices={"m": PriceConfig(minute=0.6)}) as (made, _):
        *_, spent = [piece async for piece in made.speak("Hello.")]
    assert spent == Spent("m", {}, pytest.approx(0.01))


@pytest.mark.parametrize(
    ("settings", "fields"),
    [
        ({}, {"voice": "marin"}),
        ({"voice": "voice_1234"}, {"voice": {"id": "voice_1234"}}),
        ({"speed": 1.5, "instructions": "Calmly."}, {"voice": "marin", "speed": 1.5, "instructions": "Calmly."}),
    ],
)
async def test_a_request_holds_what_shapes_the_voice(settings: Any, fields: Any):
    async with speaker(sound(bytes(10)), **settings) as (made, server):
        await whole_sound(made, "Hello.")
    [seen] = server.seen
    assert seen.path == "/v1/audio/speech"
    assert seen.body == {"model": "m", "input": "Hello.", "response_format": "pcm", **fields}


@pytest.mark.parametrize(
    ("model", "settings", "says"),
    [
        ("tts-1", {"voice": "alloy", "instructions": "Calmly."}, "instructions is not supported"),
        ("tts-1", {"voice": "marin"}, "Voice 'marin' is not supported"),
        ("m", {"speed": 5.0}, "speed: 5. It must be between"),
        ("whisper-1", {}, "not supported for /v1/audio/speech"),
    ],
)
def test_what_a_model_does_not_take_is_refused_before_any_request(model: str, settings: Any, says: str):
    with pytest.raises(ConfigError, match=says):
        OpenAISpeaker(OpenAIClient(ModelServerConfig(base_url="http://127.0.0.1:1/v1")), model, **settings)


async def test_a_text_too_long_for_one_request_is_said_in_several():
    text = "We are open from nine to six, and closed on Sundays. " * 100
    async with speaker(sound(b"\1\0"), sound(b"\2\0")) as (made, server):
        assert await whole_sound(made, text) == b"\1\0\2\0"
    asked = [seen.body["input"] for seen in server.seen]
    assert " ".join(asked) == text.strip()
    assert all(len(part) <= 4096 and part.endswith(".") for part in asked)


def test_a_text_without_sentences_is_cut_all_the_same():
    assert all(0 < len(part) <= 4096 for part in parts("word " * 3000))


async def test_a_file_where_samples_were_asked_for_is_never_played():
    async with speaker(sound(b"RIFF" + bytes(100))) as (made, _):
        with pytest.raises(VoiceError, match="sends files where bare samples"):
            await whole_sound(made, "Hello.")


async def test_no_sound_is_a_failure():
    async with speaker(sound()) as (made, _):
        with pytest.raises(VoiceError, match="made no sound"):
            await whole_sound(made, "Hello.")


async def test_sound_that_breaks_off_is_a_failure_after_what_came():
    async with speaker(cut_off(bytes(4800))) as (made, _):
        heard = made.speak("Hello.")
        assert await anext(heard) == bytes(4800)
        with pytest.raises(RequestFailedError, match="cannot be reached") as caught:
            await anext(heard)
    assert not caught.value.is_fatal


async def test_a_refusal_is_a_failure_that_says_what_to_do():
    async with speaker(refusal(429, "insufficient_quota")) as (made, _):
        with pytest.raises(RequestFailedError, match="no credit left"):
            await whole_sound(made, "Hello.")


@pytest.mark.parametrize("answer", [silence(), unfinished(bytes(4800))])
async def test_a_barge_in_closes_the_request_at_once(answer: Answer):
    async with speaker(answer) as (made, server):
        task = asyncio.create_task(whole_sound(made, "Hello."))
        await server.asked.wait()
        task.cancel()
        await asyncio.wait_for(server.left.wait(), 1)
    assert task.cancelled()
