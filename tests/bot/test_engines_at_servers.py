"""Bots whose links ask servers: which share what, and what is prepared where a speaker costs money."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from bot.config import BotConfig, ChainedConfig, ModelServerConfig, OpenAIConfig
from bot.engines import Engines
from bot.errors import ConfigError, RequestFailedError
from bot.prompts import Prompt, texts
from bot.speech.links import Role, Said
from bot.speech.openai_responder import OpenAIResponder
from bot.speech.openai_speaker import OpenAISpeaker
from bot.speech.openai_transcriber import OpenAITranscriber
from bot.tools.spec import ToolSpec
from media.frame import PCMU_8K
from tests.support.model_server import chat, given, model_server, refusal, sound

CHAIN = ChainedConfig(transcriber="openai:listen", responder="openai:think", speaker="openai:speak")
SERVERS = OpenAIConfig(
    base_url="http://main/v1", servers={"branch": ModelServerConfig(base_url="http://branch/v1", api_key="other")}
)


def bot(name: str, language: str = "en", **chained: object) -> BotConfig:
    return BotConfig(name=name, language=language, chained=msgspec.structs.replace(CHAIN, **chained))


def test_names_of_openai_become_links_that_ask():
    one = bot("a")
    links = Engines([one], SERVERS).links(one)
    assert links is not None
    assert isinstance(links.transcriber, OpenAITranscriber)
    assert isinstance(links.responder, OpenAIResponder)
    assert isinstance(links.speaker, OpenAISpeaker)


def test_bots_share_links_with_the_same_settings_and_no_others():
    bots = [
        bot("a"),
        bot("b"),
        bot("words", keywords=("Offhook",)),
        bot("german", language="de"),
        bot("voice", speaker_voice="cedar"),
        bot("branch", transcriber="openai:listen@branch", speaker="openai:speak@branch"),
    ]
    engines = Engines(bots, SERVERS)
    a, b, words, german, voice, branch = (engines.links(each) for each in bots)
    assert a.transcriber is b.transcriber is voice.transcriber
    assert a.speaker is b.speaker is words.speaker is german.speaker
    assert len({id(one.transcriber) for one in (a, words, german, branch)}) == 4
    assert len({id(one.speaker) for one in (a, voice, branch)}) == 3
    assert len({id(one.responder) for one in (a, b, words)}) == 3, "each bot has instructions and tools of its own"


def test_a_server_that_is_not_configured_is_told_with_what_to_write():
    with pytest.raises(ConfigError, match=r"no server 'nowhere': give openai\.servers\.nowhere a base_url"):
        Engines([bot("a", speaker="openai:speak@nowhere")], SERVERS)


@pytest.mark.parametrize(
    ("chained", "says"),
    [
        ({"transcriber": "openai:tts-1"}, "cannot be a transcriber"),
        ({"responder": "openai:gpt-audio-1.5"}, "cannot be a responder"),
        ({"responder": "openai-realtime:gpt-realtime-2.1"}, "no responder 'openai-realtime"),
        ({"speaker": "openai:whisper-1"}, "cannot be a speaker"),
        ({"speaker_speed": 9.0}, "cannot be a speaker"),
    ],
)
def test_what_a_model_cannot_do_is_refused_before_anything_is_asked(chained: dict[str, object], says: str):
    with pytest.raises(ConfigError, match=says):
        Engines([bot("a", **chained)], SERVERS)


@asynccontextmanager
async def started(folder: Path, url: str, *bots: BotConfig, **settings: object) -> AsyncIterator[Engines]:
    openai = OpenAIConfig(base_url=url, retries=0, timeout_s=2)
    engines = Engines(bots, openai, prompts=folder, **settings)  # type: ignore[arg-type]
    try:
        await engines.start(PCMU_8K)
        yield engines
    finally:
        await engines.close()


async def test_what_a_paid_speaker_prepares_is_paid_once(tmp_path: Path):
    one = bot("a")
    async with model_server(sound(bytes(2400))) as server:
        for _ in range(2):
            async with started(tmp_path, server.url, one) as engines:
                prepared = engines.prepared(one, PCMU_8K)
                assert all(audio.payload for audio in prepared.values())
    said = [seen.body["input"] for seen in server.seen]
    assert sorted(said) == sorted(texts(one).values())


async def test_a_bot_whose_prompts_are_kept_starts_while_the_server_is_down(tmp_path: Path):
    one = bot("a")
    async with model_server(sound(bytes(2400))) as server:
        async with started(tmp_path, server.url, one):
            pass
        server.answers = [refusal(500)]
        server.models = refusal(500)
        async with started(tmp_path, server.url, one) as engines:
            assert engines.prepared(one, PCMU_8K)[Prompt.APOLOGY].payload


async def test_another_voice_is_made_anew(tmp_path: Path):
    async with model_server(sound(bytes(2400))) as server:
        for each in (bot("a"), bot("a", speaker_voice="cedar"), bot("a", speaker_instructions="Calmly.")):
            async with started(tmp_path, server.url, each):
                pass
    assert len(server.seen) == 3 * len(texts(bot("a")))


async def test_a_bot_that_has_never_spoken_cannot_start_without_its_server(tmp_path: Path):
    async with model_server(refusal(500)) as server:
        with pytest.raises(RequestFailedError, match="busy or broken"):
            async with started(tmp_path, server.url, bot("a")):
                pass


async def test_a_model_that_is_not_there_stops_the_start(tmp_path: Path):
    async with model_server(given({})) as server:
        server.models = refusal(404, "model_not_found")
        with pytest.raises(ConfigError, match="knows no model 'listen'"):
            async with started(tmp_path, server.url, bot("a")):
                pass


async def test_what_a_local_voice_prepares_is_not_kept(tmp_path: Path):
    tones = BotConfig(name="a", chained=ChainedConfig(transcriber="tones", responder="tones", speaker="tones"))
    async with started(tmp_path / "prompts", "http://127.0.0.1:1/v1", tones):
        assert not (tmp_path / "prompts").exists()


async def test_a_realtime_bots_chain_only_speaks_what_is_prepared(tmp_path: Path):
    one = msgspec.structs.replace(bot("a", responder="facts", transcriber="local:whisper-tiny.en"), voice="realtime")
    async with model_server(sound(bytes(2400))) as server, started(tmp_path, server.url, one) as engines:
        assert engines.links(one) is None
        assert engines.prepared(one, PCMU_8K)[Prompt.GREETING].payload


async def test_a_responder_is_told_its_bots_instructions_and_tools(tmp_path: Path):
    one = msgspec.structs.replace(bot("a", speaker="tones", max_output_tokens=90), instructions="Be brief.")
    tools = {"a": [ToolSpec("hang_up", "Ends the call.", {"type": "object", "properties": {}})]}
    async with (
        model_server(chat("Yes.")) as server,
        started(tmp_path, server.url, one, tools=tools) as engines,
    ):
        responder = engines.links(one).responder
        assert [part async for part in responder.respond([Said(Role.CALLER, "Hi.")])]
    [seen] = server.seen
    assert seen.body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert [tool["function"]["name"] for tool in seen.body["tools"]] == ["hang_up"]
    assert seen.body["max_tokens"] == 90
