"""A server or an engine that has closed leaves no model behind, though parts of it are still held by others.

aiohttp keeps the handlers of its last thousand routes in a cache, and with them whatever they belong to.
"""

import asyncio
import gc
from typing import Any

import pytest

from bot.config import BotConfig, ChainedConfig, FactConfig
from bot.engines import Engines
from bot.local.piper import Piper
from bot.local.sentences import SentenceEncoder
from bot.local.whisper import Whisper
from bot.local.whisper_files import FileWhisper
from media.frame import PCMU_8K
from tests.support.local_server import local_client

MODELS = (Whisper, FileWhisper, Piper, SentenceEncoder)


@pytest.fixture
def before() -> list[Any]:
    """The models of other tests, kept so that none of theirs is taken for one of ours."""
    gc.collect()
    return living()


def living() -> list[Any]:
    return [one for one in gc.get_objects() if isinstance(one, MODELS)]


def kinds_beside(before: list[Any]) -> set[str]:
    gc.collect()
    known = {id(one) for one in before}
    return {type(one).__name__ for one in living() if id(one) not in known}


async def test_a_closed_server_has_let_go_of_its_models(before: list[Any]):
    async with local_client() as client:
        await client.models.list()
        messages = [{"role": "user", "content": "When are you open?"}]
        answer = await client.chat.completions.create(model="facts", messages=messages)  # type: ignore[arg-type]
        assert "nine" in str(answer.choices[0].message.content)
        assert kinds_beside(before) == {model.__name__ for model in MODELS}
    assert kinds_beside(before) == set()


async def test_closed_engines_have_let_go_of_their_models_though_a_call_still_holds_its_links(before: list[Any]):
    facts = (FactConfig(ask=("When are you open?",), answer="From nine to six."),)
    engines = Engines([bot := BotConfig(name="reception", facts=facts, chained=ChainedConfig(speaker="tones"))])
    await engines.start(PCMU_8K)
    links = engines.links(bot)
    assert links is not None
    assert kinds_beside(before) == {"Whisper", "SentenceEncoder"}
    await engines.close()
    await asyncio.sleep(0)  # until then the loop itself holds the result it was woken with last
    assert kinds_beside(before) == set()
