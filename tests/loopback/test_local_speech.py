"""Texts sent to the local server by OpenAI's own client: spoken in every format, and understood again."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import openai
import pybase64
import pytest
import pytest_asyncio

from tests.support.local_server import local_client, samples_of
from tests.support.words import word_errors

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEXT = "The library opens early in the morning. Please bring your passport and some recent photographs."
FORMATS = {
    "mp3": "audio/mpeg",
    "opus": "audio/opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client() -> AsyncIterator[openai.AsyncOpenAI]:
    async with local_client() as connected:
        yield connected


async def speak(client: openai.AsyncOpenAI, text: str = TEXT, **how: Any) -> bytes:
    given: dict[str, Any] = {"model": "gpt-4o-mini-tts", "voice": "marin", **how}
    return (await client.audio.speech.create(input=text, **given)).read()


async def is_understood(client: openai.AsyncOpenAI, sound: bytes, name: str) -> bool:
    """Whether Whisper hears the text, but for two words at most: Piper reads it differently each time."""
    heard = await client.audio.transcriptions.create(file=(name, sound), model="whisper-1")
    return word_errors(TEXT, heard.text)[0] <= 2


def as_samples(pcm: bytes) -> np.ndarray:
    return np.frombuffer(pcm, "<i2").astype(float)


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind != "pcm"])
async def test_every_format_can_be_played_and_understood(client: openai.AsyncOpenAI, kind: str):
    answer = await client.audio.speech.with_raw_response.create(
        model="gpt-4o-mini-tts", voice="alloy", input=TEXT, response_format=kind
    )
    assert answer.headers["content-type"] == FORMATS[kind]
    sound = answer.content
    samples, rate_hz = samples_of(sound)
    assert rate_hz == (48_000 if kind == "opus" else 24_000)
    assert 4 < samples.shape[1] / rate_hz < 6.5
    assert await is_understood(client, sound, f"speech.{kind}")


async def test_mp3_is_what_comes_unless_something_else_is_asked_for(client: openai.AsyncOpenAI):
    assert (await speak(client, "Yes."))[:1] == b"\xff"


async def test_pcm_is_24_khz_without_a_header(client: openai.AsyncOpenAI):
    pcm = await speak(client, response_format="pcm")
    wav = await speak(client, response_format="wav")
    assert len(pcm) / 48_000 == pytest.approx((len(wav) - 44) / 48_000, rel=0.15)  # no two readings are the same
    assert abs(as_samples(pcm)[:200]).mean() < 500  # a header would be loud


async def test_a_streamed_wav_says_the_longest_length_there_is(client: openai.AsyncOpenAI):
    assert (await speak(client, "Yes.", response_format="wav"))[:44] == (
        b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\1\0\1\0\xc0\x5d\0\0\x80\xbb\0\0\2\0\x10\0data\xff\xff\xff\xff"
    )


@pytest.mark.parametrize(
    ("speed", "least", "most"), [(0.25, 3.0, 4.4), (0.5, 1.6, 2.3), (2.0, 0.4, 0.65), (4.0, 0.2, 0.4)]
)
async def test_speed_changes_how_long_it_takes(client: openai.AsyncOpenAI, speed: float, least: float, most: float):
    plain = len(await speak(client, response_format="pcm"))
    changed = len(await speak(client, response_format="pcm", speed=speed))
    assert least < changed / plain < most


async def test_slow_and_fast_speech_is_still_understood(client: openai.AsyncOpenAI):
    for speed in (0.5, 1.5):
        assert await is_understood(client, await speak(client, speed=speed), "speech.mp3")


async def test_the_first_sound_comes_long_before_the_last(client: openai.AsyncOpenAI):
    began = time.monotonic()
    async with client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="nova", input=TEXT * 10, response_format="pcm"
    ) as answer:
        assert answer.headers["transfer-encoding"] == "chunked"
        arrivals = [time.monotonic() - began async for _ in answer.iter_bytes()]
    assert arrivals[0] < arrivals[-1] / 4


async def test_events_carry_the_sound_and_count_it(client: openai.AsyncOpenAI):
    async with client.audio.speech.with_streaming_response.create(
        model="gpt-4o-mini-tts", voice="coral", input=TEXT, response_format="pcm", stream_format="sse"
    ) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = [line async for line in answer.iter_lines() if line]
    assert all(line.startswith("data: ") for line in lines)
    *deltas, done = [json.loads(line.removeprefix("data: ")) for line in lines]
    assert {event["type"] for event in deltas} == {"speech.audio.delta"}
    pcm = b"".join(pybase64.b64decode(event["audio"], validate=True) for event in deltas)
    assert done["type"] == "speech.audio.done"
    assert done["usage"]["output_tokens"] == pytest.approx(len(pcm) / 48 / 50, abs=2)
    assert done["usage"]["total_tokens"] == done["usage"]["input_tokens"] + done["usage"]["output_tokens"]


async def test_instructions_are_taken_where_the_model_takes_them(client: openai.AsyncOpenAI):
    assert await speak(client, "Yes.", instructions="Speak kindly.")


@pytest.mark.parametrize("voice", ["piper-joe", {"id": "piper-joe"}, "shimmer"])
async def test_voices_go_by_our_names_and_by_openais(client: openai.AsyncOpenAI, voice: Any):
    assert await speak(client, "Yes.", voice=voice)


@pytest.mark.parametrize(
    ("how", "status", "param", "words"),
    [
        ({"voice": "darth"}, 400, "voice", "'alloy'"),
        ({"voice": {"id": "voice_1234"}}, 400, "voice", "'voice_1234'"),
        ({"text": "x" * 4097}, 400, "input", "maximum length 4096"),
        ({"text": ""}, 400, "input", "empty"),
        ({"text": "… !"}, 400, "input", "nothing in it that can be spoken"),
        ({"speed": 0.2}, 400, "speed", "between 0.25 and 4.0"),
        ({"speed": "fast"}, 400, "speed", "Expected 'float"),
        ({"response_format": "aiff"}, 400, "response_format", "'mp3', 'opus', 'aac', 'flac', 'wav', 'pcm'"),
        ({"model": "tts-1", "instructions": "Kindly."}, 400, "instructions", "not supported with model 'tts-1'"),
        ({"model": "tts-1", "stream_format": "sse"}, 400, "stream_format", "not supported with model 'tts-1'"),
        ({"model": "tts-1", "voice": "marin"}, 400, "voice", "not supported with model 'tts-1'"),
        ({"model": "whisper-1"}, 400, "model", "not supported for /v1/audio/speech"),
        ({"model": "tts-9"}, 404, "model", "does not exist"),
    ],
)
async def test_what_cannot_be_said_is_refused(
    client: openai.AsyncOpenAI, how: dict[str, Any], status: int, param: str, words: str
):
    with pytest.raises(openai.APIStatusError) as caught:
        await speak(client, **how)
    assert (caught.value.status_code, caught.value.param) == (status, param)
    assert words in caught.value.message


async def test_4096_characters_are_all_spoken(client: openai.AsyncOpenAI):
    text = ("one two three four five. " * 170)[:4095] + "."
    seconds = 0.0
    async with client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="alloy", input=text, response_format="pcm", speed=4.0
    ) as answer:
        async for piece in answer.iter_bytes():
            seconds += len(piece) / 48_000
    assert seconds > 60


async def test_many_texts_at_a_time_are_all_spoken(client: openai.AsyncOpenAI):
    assert all(await asyncio.gather(*(speak(client, f"This is number {number}.") for number in range(8))))
