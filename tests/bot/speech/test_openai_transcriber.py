"""A model that writes down utterances, over a real socket: what is sent, and what becomes of the answers."""

import asyncio
import io
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.config import ModelServerConfig, PriceConfig
from bot.errors import ConfigError, RequestFailedError, VoiceError
from bot.speech.links import Spent, Transcript
from bot.speech.openai_client import OpenAIClient
from bot.speech.openai_transcriber import OpenAITranscriber
from tests.support.model_server import Answer, ModelServer, given, model_server, refusal, silence, sound

SECOND = b"\x01\x00" * 8000
HELLO = given({"text": "Hello there."})


@asynccontextmanager
async def transcriber(
    *answers: Answer, model: str = "m", **settings: Any
) -> AsyncIterator[tuple[OpenAITranscriber, ModelServer]]:
    async with model_server(*answers) as server:
        client = OpenAIClient(ModelServerConfig(base_url=server.url), timeout_s=2, retries=0)
        made = OpenAITranscriber(client, model, **settings)
        await made.start()
        try:
            yield made, server
        finally:
            await client.close()


async def sent(model: str, pcm: bytes = SECOND, **settings: Any) -> dict[str, Any]:
    """The fields of one request."""
    async with transcriber(HELLO, model=model, **settings) as (made, server):
        await made.transcribe(pcm)
    [seen] = server.seen
    assert seen.path == "/v1/audio/transcriptions"
    return dict(seen.body)


async def test_an_utterance_is_sent_as_it_came_from_the_line():
    name, content = (await sent("m"))["file"]
    assert name == "utterance.wav"
    with wave.open(io.BytesIO(content)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        assert file.readframes(9000) == SECOND


async def test_what_is_too_short_for_the_server_is_followed_by_silence():
    _, content = (await sent("m", b"\x05\x00" * 80))["file"]
    with wave.open(io.BytesIO(content)) as file:
        assert file.getnframes() == 1600
        assert file.readframes(1600) == b"\x05\x00" * 80 + bytes(2 * 1520)


BUSINESS: dict[str, Any] = {"language": "en-GB", "keywords": ("Offhook", "Joe's"), "prompt": "A shop."}


@pytest.mark.parametrize(
    ("model", "settings", "fields"),
    [
        ("m", {}, {"response_format": "json"}),
        ("m", BUSINESS, {"response_format": "json", "language": "en", "prompt": "A shop. Offhook, Joe's."}),
        (
            "gpt-transcribe",
            BUSINESS,
            {
                "response_format": "json",
                "languages[]": ["en"],
                "keywords[]": ["Offhook", "Joe's"],
                "prompt": "A shop.",
            },
        ),
        (
            "gpt-4o-transcribe",
            BUSINESS,
            {
                "response_format": "json",
                "language": "en",
                "prompt": "A shop. Offhook, Joe's.",
                "include[]": ["logprobs"],
            },
        ),
        (
            "whisper-1",
            BUSINESS,
            {"response_format": "verbose_json", "language": "en", "prompt": "A shop. Offhook, Joe's."},
        ),
        ("gpt-4o-transcribe-diarize", {"language": "de"}, {"response_format": "json", "language": "de"}),
    ],
)
async def test_each_model_is_asked_in_the_words_it_knows(model: str, settings: Any, fields: Any):
    body = await sent(model, **settings)
    del body["file"]
    assert body == {"model": model, **fields}


async def test_the_diarizing_model_may_cut_what_is_long():
    body = await sent("gpt-4o-transcribe-diarize", SECOND * 31)
    assert body["chunking_strategy"] == "auto"


@pytest.mark.parametrize(
    ("model", "settings", "says"),
    [
        ("gpt-4o-transcribe-diarize", {"prompt": "A shop."}, "prompt is not supported"),
        ("gpt-4o-transcribe-diarize", {"keywords": ("Offhook",)}, "keywords is not supported"),
        ("gpt-4o-mini-tts", {}, "not supported for /v1/audio/transcriptions"),
        ("gpt-live-transcribe", {}, "not supported for /v1/audio/transcriptions"),
    ],
)
def test_what_a_model_does_not_take_is_refused_before_any_request(model: str, settings: Any, says: str):
    with pytest.raises(ConfigError, match=says):
        OpenAITranscriber(OpenAIClient(ModelServerConfig(base_url="http://127.0.0.1:1/v1")), model, **settings)


async def test_a_prompt_longer_than_whisper_reads_is_told_at_the_start():
    with capture_logs() as logs:
        async with transcriber(HELLO, model="whisper-1", prompt="word " * 300):
            pass
    assert "only its last 224 tokens are read" in str(logs)


async def test_words_come_with_how_sure_they_are_where_the_model_tells():
    answer = given({"text": " Hello there. ", "logprobs": [{"token": "Hello", "logprob": -0.2}, {"logprob": -0.4}]})
    async with transcriber(answer, model="gpt-4o-transcribe") as (made, _):
        heard = await made.transcribe(SECOND)
    assert heard.text == "Hello there."
    assert heard.mean_logprob == pytest.approx(-0.3)


def verbose(text: str, no_speech: float, mean_logprob: float) -> Answer:
    segment = {"id": 0, "text": text, "avg_logprob": mean_logprob, "no_speech_prob": no_speech}
    return given({"text": text, "language": "english", "duration": 1.0, "segments": [segment]})


async def test_whisper_tells_both_how_sure_it_is_and_whether_anybody_spoke():
    async with transcriber(verbose("Hello there.", 0.1, -0.3), model="whisper-1") as (made, _):
        heard = await made.transcribe(SECOND)
    assert (heard.text, heard.no_speech, heard.mean_logprob) == ("Hello there.", 0.1, -0.3)


async def test_what_whisper_makes_of_silence_is_no_words():
    async with transcriber(verbose("Thank you.", 0.9, -0.5), model="whisper-1") as (made, _):
        assert (await made.transcribe(SECOND)).text == ""


async def test_a_prompt_that_comes_back_is_no_words():
    async with transcriber(given({"text": "Offhook, Joe's."}), keywords=("Offhook", "Joe's")) as (made, _):
        assert (await made.transcribe(SECOND)).text == ""


@pytest.mark.parametrize(
    ("model", "usage", "spent"),
    [
        ("gpt-transcribe", None, Spent("gpt-transcribe", {}, pytest.approx(0.0045 / 30))),
        ("whisper-1", {"type": "duration", "seconds": 3}, Spent("whisper-1", {}, pytest.approx(0.006 / 20))),
        (
            "m",
            {
                "type": "tokens",
                "input_tokens": 30,
                "input_token_details": {"audio_tokens": 20, "text_tokens": 10},
                "output_tokens": 5,
                "total_tokens": 35,
            },
            Spent("m", {"audio_in": 20, "text_in": 10, "text_out": 5}, pytest.approx(175e-6)),
        ),
    ],
)
async def test_what_it_cost_goes_by_time_or_by_tokens(model: str, usage: Any, spent: Spent):
    prices = {"m": PriceConfig(audio_in=5, text_in=5, text_out=5)}
    answer = given({"text": "Hello.", "segments": [], "usage": usage})
    async with transcriber(answer, model=model, prices=prices) as (made, _):
        heard = await made.transcribe(SECOND * 2)
    assert heard == Transcript("Hello.", spent=spent)


@pytest.mark.parametrize("answer", [given({"words": []}), sound(b"<html>")])
async def test_what_is_no_transcript_is_a_failure(answer: Answer):
    async with transcriber(answer) as (made, _):
        with pytest.raises(VoiceError, match=r"sent no transcript: check openai\.base_url"):
            await made.transcribe(SECOND)


async def test_a_refusal_is_a_failure_that_says_what_to_do():
    async with transcriber(refusal(401)) as (made, _):
        with pytest.raises(RequestFailedError, match=r"refuses openai\.api_key"):
            await made.transcribe(SECOND)


async def test_a_guess_that_is_dropped_closes_its_request():
    async with transcriber(silence()) as (made, server):
        task = asyncio.create_task(made.transcribe(SECOND, speculative=True))
        await server.asked.wait()
        task.cancel()
        await asyncio.wait_for(server.left.wait(), 1)
    assert task.cancelled()


@pytest.mark.parametrize(
    ("model", "body"),
    [
        ("whisper-1", {"text": "Hello.", "segments": [{"id": 0, "start": 0.0, "end": 1.0, "text": "Hello."}]}),
        ("gpt-4o-transcribe", {"text": "Hello.", "logprobs": [{"token": "Hello."}], "usage": {"type": "tokens"}}),
        ("gpt-transcribe", {"text": "Hello.", "usage": {"type": "duration"}}),
        ("gpt-transcribe", {"text": "Hello.", "usage": {"input_tokens": 3}}),
    ],
)
async def test_what_a_server_leaves_out_beside_the_words_is_not_missed(model: str, body: Any):
    async with transcriber(given(body), model=model) as (made, _):
        told = await made.transcribe(SECOND)
    assert (told.text, told.no_speech, told.mean_logprob) == ("Hello.", 0.0, 0.0)
    assert told.spent is not None
    assert told.spent.usd > 0


async def test_more_sound_than_tokens_costs_no_less_than_nothing():
    usage = {"type": "tokens", "input_tokens": 3, "output_tokens": 1, "input_token_details": {"audio_tokens": 10}}
    async with transcriber(given({"text": "Hello.", "usage": usage})) as (made, _):
        spent = (await made.transcribe(SECOND)).spent
    assert spent is not None
    assert spent.tokens == {"audio_in": 3, "text_in": 0, "text_out": 1}
