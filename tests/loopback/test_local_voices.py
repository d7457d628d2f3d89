"""A Piper voice by the path of its .onnx file: here the usual one, made to speak slowly."""

import json
from pathlib import Path

import openai
import pytest

from bot.config import BotConfig, ChainedConfig
from bot.local.models import piper_files
from tests.support.local_server import local_client

TEXT = "We are open from nine to six, Monday to Saturday."


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    weights, settings = piper_files("piper-joe")
    voice = tmp_path / "en_US-slow-medium.onnx"
    voice.symlink_to(weights)
    how = json.loads(settings.read_text())
    how["inference"]["length_scale"] *= 2
    (tmp_path / f"{voice.name}.json").write_text(json.dumps(how))
    return voice


async def test_a_voice_by_its_path_speaks_and_goes_by_its_files_name(slow: Path):
    bot = BotConfig(name="slow", chained=ChainedConfig(transcriber="tones", speaker=f"local:{slow}"))

    async def seconds(client: openai.AsyncOpenAI, model: str, voice: str) -> float:
        answer = await client.audio.speech.create(model=model, voice=voice, input=TEXT, response_format="pcm")
        return len(answer.content) / 48_000

    async with local_client(BotConfig(name="usual", chained=ChainedConfig(transcriber="tones"))) as client:
        usual = await seconds(client, "tts-1", "alloy")
    async with local_client(bot) as client:
        for model, voice in (("tts-1", "alloy"), ("en_US-slow-medium", "en_US-slow-medium"), (str(slow), "marin")):
            assert 1.5 < await seconds(client, model, voice) / usual < 2.6
        names = [model.id for model in (await client.models.list()).data]
        assert "en_US-slow-medium" in names
        assert not [name for name in names if "/" in name]
        async with client.realtime.connect(model="gpt-realtime-2.1") as connection:
            output = {"output": {"voice": "en_US-slow-medium"}}
            await connection.session.update(session={"type": "realtime", "audio": output})  # type: ignore[typeddict-item]
            assert [(await connection.recv()).type for _ in range(2)] == ["session.created", "session.updated"]
