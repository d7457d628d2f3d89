"""A Whisper that knows many languages, by its folder's path: a Spanish question is written down, and translated."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import openai
import pytest
import pytest_asyncio

from tests.support.local_server import local_client
from tests.support.multilingual import multilingual_bot
from tests.support.words import word_errors

pytestmark = pytest.mark.asyncio(loop_scope="module")

SPANISH = "¿Cuál es la distancia entre la Tierra y la Luna? ¿Cuál es la montaña más alta de la Tierra?"
ENGLISH = "What is the distance between the Earth and the Moon? What is the highest mountain on Earth?"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[openai.AsyncOpenAI]:
    async with local_client(multilingual_bot(tmp_path_factory)) as connected:
        yield connected


@pytest.fixture
def question(data: Path) -> Path:
    return data / "speech-other" / "es-ms-luna.flac"


async def test_the_language_is_found_out(client: openai.AsyncOpenAI, question: Path):
    heard = await client.audio.transcriptions.create(file=question, model="whisper-1", response_format="verbose_json")
    assert heard.language == "spanish"
    assert word_errors(SPANISH, heard.text)[0] <= 2
    assert [segment.end for segment in heard.segments or ()][-1] == pytest.approx(5.2, abs=0.2)


async def test_one_of_the_languages_that_are_named_is_found(client: openai.AsyncOpenAI, question: Path):
    heard = await client.audio.transcriptions.create(file=question, model="gpt-transcribe", languages=["es"])
    assert [language.code for language in heard.languages or ()] == ["es"]
    assert word_errors(SPANISH, heard.text)[0] <= 2


@pytest.mark.parametrize("response_format", ["verbose_json", "srt"])
async def test_it_is_translated_into_english(client: openai.AsyncOpenAI, question: Path, response_format: Any):
    with pytest.deprecated_call():  # OpenAI's own endpoint goes, and its client says so
        answer: Any = await client.audio.translations.create(
            file=question, model="whisper-1", response_format=response_format
        )
    if response_format == "srt":
        assert answer.startswith("1\n00:00:0")
        assert "mountain" in answer
        return
    assert (answer.language, answer.duration) == ("english", pytest.approx(6.125, abs=0.01))
    assert word_errors(ENGLISH, answer.text)[0] <= 4
