"""The links that ask a server, against our own: real models, real sockets, through the official SDK."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.config import ModelServerConfig
from bot.errors import ConfigError, RequestFailedError
from bot.local.http import Keys
from bot.local.serving import serving
from bot.rehearsal.audio import load_pcm
from bot.speech.links import Role, Said, Say, Spent, whole_sound
from bot.speech.openai_client import OpenAIClient
from bot.speech.openai_responder import OpenAIResponder
from bot.speech.openai_speaker import OpenAISpeaker
from bot.speech.openai_transcriber import OpenAITranscriber
from media.level import dbfs
from media.resample import Resampler
from tests.support.local_server import BUSINESS
from tests.support.words import word_errors

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "sk-local-0123456789"
SPOKEN = "Thank you for calling. We are open from nine to six, Monday to Saturday."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client() -> AsyncIterator[OpenAIClient]:
    async with serving(BUSINESS, keys=Keys((KEY,))) as url:
        made = OpenAIClient(ModelServerConfig(base_url=url, api_key=KEY))
        await made.start()
        yield made
        await made.close()


@pytest.mark.parametrize("model", ["gpt-transcribe", "whisper-1", "whisper-tiny.en"])
async def test_people_are_understood_on_the_telephone(client: OpenAIClient, model: str, data: Path):
    transcriber = OpenAITranscriber(client, model, language="en", keywords=("Brooklyn",))
    await transcriber.start()
    files = json.loads((data / "manifest.json").read_text())["files"]
    known = {entry["file"]: entry.get("transcript", "") for entry in files}
    errors = words = 0
    for name in ("speech-en/harvard-spk1_snt1.flac", "speech-en/ls-1272-128104-0000.flac"):
        heard = await transcriber.transcribe(load_pcm(data / name))
        wrong, count = word_errors(known[name], heard.text)
        errors, words = errors + wrong, words + count
        assert heard.spent is not None
        assert (heard.mean_logprob < 0) is (model == "whisper-1"), "only one format tells how sure it is"
    assert errors / words < 0.25


async def test_a_breath_that_is_too_short_for_the_api_is_no_failure(client: OpenAIClient):
    assert (await OpenAITranscriber(client, "whisper-1").transcribe(bytes(160))).text == ""


async def test_what_is_spoken_can_be_understood(client: OpenAIClient):
    speaker = OpenAISpeaker(client, "gpt-4o-mini-tts", voice="marin")
    await speaker.start()
    pcm = await whole_sound(speaker, SPOKEN)
    assert 3 < len(pcm) / 48000 < 8
    assert dbfs(pcm) > -40
    down = Resampler(speaker.rate_hz, 8000)
    heard = await OpenAITranscriber(client, "whisper-1").transcribe(down.push(pcm) + down.flush())
    wrong, count = word_errors(SPOKEN, heard.text)
    assert wrong / count < 0.2


async def test_a_faster_voice_takes_less_time(client: OpenAIClient):
    usual, fast = [
        await whole_sound(OpenAISpeaker(client, "gpt-4o-mini-tts", speed=speed), SPOKEN) for speed in (1.0, 1.5)
    ]
    assert len(fast) < 0.8 * len(usual)


async def test_sound_comes_while_the_rest_is_made_and_its_cost_last(client: OpenAIClient):
    *sound, spent = [piece async for piece in OpenAISpeaker(client, "gpt-4o-mini-tts").speak(SPOKEN)]
    assert len(sound) > 1
    seconds = sum(len(piece) for piece in sound) / 48000  # type: ignore[arg-type]
    assert spent == Spent("gpt-4o-mini-tts", {}, pytest.approx(0.015 * seconds / 60))


async def test_a_question_is_answered_with_what_it_cost(client: OpenAIClient):
    responder = OpenAIResponder(client, "facts", instructions="You are a receptionist.")
    await responder.start()
    history = [Said(Role.BOT, "How can I help?"), Said(Role.CALLER, "When are you open?")]
    *said, spent = [part async for part in responder.respond(history)]
    assert said == [Say("We are open from nine to six, Monday to Saturday.")]
    assert isinstance(spent, Spent)
    assert spent.tokens["text_in"] > 0
    assert spent.tokens["text_out"] > 0


async def test_a_model_that_the_server_does_not_have_stops_the_start(client: OpenAIClient):
    with pytest.raises(ConfigError, match="knows no model 'llama-9'"):
        await OpenAIResponder(client, "llama-9").start()


async def test_a_wrong_key_stops_the_start(client: OpenAIClient):
    wrong = OpenAIClient(ModelServerConfig(base_url=client.server.base_url, api_key="sk-wrong"))
    with pytest.raises(ConfigError, match=r"refuses openai\.api_key"):
        await OpenAISpeaker(wrong, "gpt-4o-mini-tts").start()
    with pytest.raises(RequestFailedError, match=r"refuses openai\.api_key") as caught:
        await whole_sound(OpenAISpeaker(wrong, "gpt-4o-mini-tts"), "Hello.")
    assert caught.value.is_fatal
    assert caught.value.request_id
    await wrong.close()


async def test_many_callers_are_understood_at_once(client: OpenAIClient, data: Path):
    transcriber = OpenAITranscriber(client, "whisper-1", language="en")
    pcm = load_pcm(data / "speech-en/harvard-spk1_snt1.flac")
    heard = await asyncio.gather(*(transcriber.transcribe(pcm) for _ in range(4)))
    assert len({one.text for one in heard}) == 1
