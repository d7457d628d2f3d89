"""What the local server does with requests that are too slow or too long, and what a call notices of them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import openai
import pytest
import pytest_asyncio

from bot.local.limits import Limits
from bot.local.serving import serving
from bot.rehearsal.caller import HangUp, Say, ScriptedCaller, WaitForReply
from bot.rehearsal.stage import stage
from bot.rehearsal.twilio import place_call
from tests.support.local_server import BUSINESS, samples_of, sound_file
from tests.support.starved import queued_ms
from tests.support.tones import speech, tones_config

pytestmark = pytest.mark.asyncio(loop_scope="module")

HASTE = Limits(arrival_s=0.3, work_s=2.0)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hasty() -> AsyncIterator[openai.AsyncOpenAI]:
    """A server that wants to be asked in a third of a second, and to have answered in two seconds."""
    async with (
        serving(BUSINESS, limits=HASTE) as url,
        openai.AsyncOpenAI(base_url=url, api_key="any", timeout=200) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def long() -> bytes:
    """Two minutes and a half of a man who reads."""
    file = Path(__file__).parents[1] / "data" / "speech-en" / "jfk-inaugural.flac"
    samples, rate_hz = samples_of(file.read_bytes())
    return sound_file(np.concatenate([samples] * 14, axis=1), rate_hz, "flac", "flac")


async def transcribe(client: openai.AsyncOpenAI, file: bytes) -> Any:
    return await client.audio.transcriptions.create(
        file=("long.flac", file), model="whisper-1", response_format="verbose_json", timestamp_granularities=["word"]
    )


async def test_a_body_that_does_not_arrive_is_given_up(hasty: openai.AsyncOpenAI):
    reader, writer = await asyncio.open_connection(hasty.base_url.host, hasty.base_url.port)
    head = "POST /v1/audio/transcriptions HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    writer.write(f"{head}Content-Length: 5000\r\n\r\n--x\r\nContent-Disposition: form-data; na".encode())
    async with asyncio.timeout(10):
        status = await reader.readline()
        body = await reader.readuntil(b"}}")
    writer.close()
    assert b" 408 " in status
    error = json.loads(body[body.index(b'{"error"') :])["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", None)
    assert "did not arrive within 0.3 s" in error["message"]


async def test_work_without_end_is_refused_and_not_tried_again(hasty: openai.AsyncOpenAI, long: bytes):
    with pytest.raises(openai.APIStatusError, match="longer than 2 s, which is the most") as refused:
        await transcribe(hasty, long)
    assert refused.value.status_code == 413  # which the SDK does not ask again
    assert refused.value.response.request.headers["x-stainless-retry-count"] == "0"


async def test_a_stream_may_take_as_long_as_it_likes(hasty: openai.AsyncOpenAI):
    loop = asyncio.get_running_loop()
    began = loop.time()
    arrivals = []
    async with hasty.audio.speech.with_streaming_response.create(
        model="tts-1", voice="alloy", input="This is a sentence of a long story. " * 100, response_format="pcm"
    ) as answer:
        async for _ in answer.iter_bytes():
            arrivals.append(loop.time() - began)
            if arrivals[-1] > HASTE.work_s + 0.5:
                break
    assert arrivals[-1] > HASTE.work_s


async def test_a_session_may_last_longer_than_an_answer(hasty: openai.AsyncOpenAI):
    async with hasty.realtime.connect(model="gpt-realtime-2.1") as connection:
        exact = {"instructions": "Say exactly this, word for word: Just a moment, please."}
        loop = asyncio.get_running_loop()
        began, done = loop.time(), None
        while loop.time() - began < HASTE.work_s or done is None:
            await connection.response.create(response=exact)  # type: ignore[arg-type]
            async for event in connection:
                if event.type == "response.done":
                    done = event
                    break
    assert done.response.status == "completed"


async def read_aloud(client: openai.AsyncOpenAI) -> None:
    """Four thousand characters, piece by piece."""
    text = ("This is a sentence of a long story. " * 114)[:4096]
    async with client.audio.speech.with_streaming_response.create(model="tts-1", voice="alloy", input=text) as answer:
        async for _ in answer.iter_bytes():
            pass


async def keep_reading(client: openai.AsyncOpenAI) -> None:
    while True:
        with suppress(openai.APIStatusError):  # its first sound may come too late
            await read_aloud(client)


async def keep_transcribing(client: openai.AsyncOpenAI, file: bytes) -> None:
    while True:
        with suppress(openai.APIStatusError):  # it takes too long
            await transcribe(client, file)


async def test_a_calls_sound_does_not_notice_the_work_of_others(hasty: openai.AsyncOpenAI, long: bytes, tmp_path: Path):
    """A call of tones on the event loop on which the local server works on whole recordings and long texts."""
    async with stage(tones_config(tmp_path)) as there:
        work = [
            *(asyncio.create_task(keep_transcribing(hasty, long)) for _ in range(2)),
            *(asyncio.create_task(keep_reading(hasty)) for _ in range(2)),
        ]
        caller = ScriptedCaller([WaitForReply(), Say(speech(1000)), WaitForReply(), HangUp()])
        queued_before_ms = queued_ms()
        report = await place_call(
            there.url, caller, auth_token=there.auth_token, account_sid=there.account_sid, api=there.api, max_s=30
        )
        withheld_ms = queued_ms() - queued_before_ms  # by others on the machine; by our own work nothing may be
        assert not any(task.done() for task in work)
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
    assert (report.ended_by, report.errors) == ("caller", ())
    assert (report.late_audio_ms, len(report.reply_delays_ms)) == (0, 1)
    assert report.gap_ms <= withheld_ms
