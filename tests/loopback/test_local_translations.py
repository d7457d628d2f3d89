"""Translations by a server whose Whisper knows many languages; as such stands one that always hears the same."""

from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from aiohttp import web

from bot.local.api_translations import TranslationsApi
from bot.local.http import errors_are_objects
from bot.local.transcription import Segment, Wanted

HEARD = (
    Segment(" What is the distance to the moon?", 0.2, 1.9, 0, (1,), 0.0, -0.3, 1.1, 0.01),
    Segment(" And to the sun?", 2.4, 3.1, 0, (1,), 0.0, -0.3, 1.1, 0.01),
)


class Multilingual:
    """What the endpoint needs of a transcriber."""

    model = "whisper-base"
    is_multilingual = True

    def __init__(self) -> None:
        self.wanted = Wanted()

    async def open(self, content: bytes, name: str) -> tuple[bytes, str]:
        return content, name

    def listen(self, sound: tuple[bytes, str], wanted: Wanted) -> Any:
        self.wanted = wanted

        class Listening:
            duration_s, language = 3.5, "es"

        return Listening()

    async def segments(self, listening: Any) -> AsyncIterator[Segment]:
        for segment in HEARD:
            yield segment


@pytest.fixture
async def transcriber() -> Multilingual:
    return Multilingual()


@pytest.fixture
async def client(transcriber: Any) -> AsyncIterator[openai.AsyncOpenAI]:
    app = web.Application(middlewares=[errors_are_objects])
    TranslationsApi(transcriber).add_routes(app)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    async with openai.AsyncOpenAI(base_url=url, api_key="any", max_retries=0) as connected:
        yield connected
    await runner.cleanup()


async def translate(client: openai.AsyncOpenAI, **how: Any) -> Any:
    given = {"file": ("luna.wav", b"RIFF"), "model": "whisper-1", **how}
    with pytest.deprecated_call():  # OpenAI's own endpoint goes, and its client says so
        return await client.audio.translations.create(**given)


async def test_json_is_the_english_text(client: openai.AsyncOpenAI, transcriber: Multilingual):
    answer = await translate(client, prompt="Astronomy.", temperature=0.2)
    assert answer.text == "What is the distance to the moon? And to the sun?"
    assert transcriber.wanted == Wanted(task="translate", prompt="Astronomy.", temperature=0.2)


async def test_verbose_json_says_that_the_text_is_english(client: openai.AsyncOpenAI):
    answer = await translate(client, response_format="verbose_json")
    assert (answer.language, answer.duration, len(answer.segments)) == ("english", 3.5, 2)
    assert answer.model_extra["task"] == "translate"
    assert "words" not in answer.model_extra


@pytest.mark.parametrize(
    ("kind", "begins"),
    [("text", "What is"), ("srt", "1\n00:00:00,200 --> 00:00:01,900\nWhat"), ("vtt", "WEBVTT\n\n00:")],
)
async def test_texts_come_as_texts(client: openai.AsyncOpenAI, kind: str, begins: str):
    assert (await translate(client, response_format=kind)).startswith(begins)


@pytest.mark.parametrize(
    ("how", "status", "param"),
    [
        ({"model": "gpt-transcribe"}, 400, "model"),
        ({"model": "whisper-9000"}, 404, "model"),
        ({"response_format": "diarized_json"}, 400, "response_format"),
        ({"temperature": 3}, 400, "temperature"),
    ],
)
async def test_what_no_translation_takes_is_refused(
    client: openai.AsyncOpenAI, how: dict[str, Any], status: int, param: str
):
    with pytest.raises(openai.APIStatusError) as caught:
        await translate(client, **how)
    assert (caught.value.status_code, caught.value.param) == (status, param)
