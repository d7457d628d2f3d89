"""Whether the models of a configuration exist, asked of a server over a real socket at the start."""

from datetime import date

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from bot.config import BotConfig, ChainedConfig, Config, ModelServerConfig, OpenAIConfig, RealtimeConfig
from bot.errors import ConfigError
from bot.model_check import check_model, check_models
from bot.speech.model_table import Use
from tests.support.model_server import Answer, given, model_server, refusal

TODAY = date(2026, 11, 21)
CALLERS = (
    BotConfig(name="a", voice="realtime", realtime=RealtimeConfig(model="gpt-live", transcription_model="scribe")),
    BotConfig(name="b", numbers=("1",), chained=ChainedConfig(transcriber="openai-realtime:ear@branch")),
    BotConfig(name="c", numbers=("2",)),
)


def listing(*known: str) -> tuple[Answer, list[str]]:
    """An answer to each question for a model, and a list of those that were asked for."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.path.rpartition("/")[2])
        there = given({"id": "m"}) if asked[-1] in known else refusal(404, "model_not_found")
        return await there(request)

    return answer, asked


async def test_what_calls_reach_through_sockets_of_their_own_is_looked_up_where_it_is():
    async with model_server(given({})) as main, model_server(given({})) as branch, aiohttp.ClientSession() as http:
        main.models, asked = listing("gpt-live", "scribe")
        branch.models, asked_there = listing("ear")
        openai = OpenAIConfig(base_url=main.url, servers={"branch": ModelServerConfig(base_url=branch.url)})
        await check_models(Config(openai=openai, bots=CALLERS), http, TODAY)
        assert (sorted(asked), asked_there) == (["gpt-live", "scribe"], ["ear"])
        branch.models, _ = listing()
        with pytest.raises(ConfigError, match=r"no model 'ear'; live transcription models are.*gpt-live-transcribe"):
            await check_models(Config(openai=openai, bots=CALLERS), http, TODAY)


async def warnings(answer: Answer, model: str) -> list[str]:
    async with model_server(given({})) as server, aiohttp.ClientSession() as http:
        server.models = answer
        with capture_logs() as logs:
            await check_model(model, Use.SPEECH, ModelServerConfig(base_url=server.url), http, TODAY)
    return [line["warning"] for line in logs if line["event"] == "model_retires"]


async def test_the_end_of_a_model_is_told_once_ahead_of_time_with_its_replacement():
    told = await warnings(given({"id": "tts-1", "shutdown_date": "2027-01-06"}), "tts-1")
    assert told == ["OpenAI will switch tts-1 off on 2027-01-06; OpenAI names gpt-realtime-2.1-mini as its replacement"]


async def test_an_end_that_only_the_server_knows_is_told_as_well():
    assert await warnings(given({"id": "m", "shutdown_date": "2027-01-06"}), "m") == ["m is switched off on 2027-01-06"]
    assert await warnings(given({"id": "m", "shutdown_date": "2029-01-06"}), "m") == []
    assert await warnings(given({"id": "m", "shutdown_date": None}), "m") == []


async def test_a_server_that_is_out_of_reach_does_not_stop_the_start(unused_tcp_port: int):
    server = ModelServerConfig(base_url=f"http://127.0.0.1:{unused_tcp_port}/v1")
    async with aiohttp.ClientSession() as http:
        with capture_logs() as logs:
            await check_model("m", Use.SPEECH, server, http, TODAY, "openai.servers.branch")
    assert [(line["event"], line["remedy"]) for line in logs] == [
        ("models_unchecked", "check openai.servers.branch.base_url")
    ]
