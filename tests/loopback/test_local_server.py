"""The door of the local server: keys, models' names, broken clients, the end of sessions. With tones, no models."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path

import aiohttp
import openai
import pytest
from aiohttp.test_utils import TestServer
from openai import AsyncOpenAI
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from bot.config import BotConfig, ChainedConfig, FactConfig
from bot.local.engines import LocalEngines
from bot.local.http import Keys
from bot.local.realtime.api import RealtimeOptions
from bot.local.server import application
from bot.local.serving import serving
from bot.rehearsal.tones import ToneResponder
from bot.speech.links import Said, Say, UseTool

TONES = BotConfig(name="tones", chained=ChainedConfig(transcriber="tones", responder="tones", speaker="tones"))
FACTS = """
[log]
format = "json"

[[bots]]
name = "tones"
chained = { transcriber = "tones", responder = "tones", speaker = "tones" }
"""
KEY = "sk-right"
KEYS = Keys(("sk-other", KEY))


def socket_url(url: str, query: str = "?model=gpt-realtime-2.1") -> str:
    return f"{url.replace('http', 'ws', 1)}/realtime{query}"


async def next_event(socket: ClientConnection, kind: str = "") -> dict[str, object]:
    async with asyncio.timeout(5):
        async for message in socket:
            event: dict[str, object] = json.loads(message)
            if str(event["type"]).startswith(kind):
                return event
    raise AssertionError(f"the socket closed without {kind}")


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with serving(TONES) as running:
        yield running


@pytest.fixture
async def locked() -> AsyncIterator[str]:
    async with serving(TONES, keys=KEYS) as running:
        yield running


@pytest.mark.parametrize(
    ("headers", "protocols"),
    [
        ({"Authorization": f"Bearer {KEY}"}, None),
        ({"api-key": KEY}, None),
        ({}, ["realtime", f"openai-insecure-api-key.{KEY}"]),
    ],
)
async def test_a_right_key_opens_wherever_it_is_put(locked: str, headers: dict[str, str], protocols: list[str] | None):
    async with connect(socket_url(locked), additional_headers=headers, subprotocols=protocols) as socket:  # type: ignore[arg-type]
        assert (await next_event(socket))["type"] == "session.created"
        assert socket.subprotocol == ("realtime" if protocols else None)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer sk-wrong"}, {"api-key": ""}])
async def test_without_a_right_key_nobody_comes_in(locked: str, headers: dict[str, str]):
    with pytest.raises(InvalidStatus) as refused:
        await connect(socket_url(locked), additional_headers=headers)
    assert refused.value.response.status_code == 401
    body = json.loads(refused.value.response.body or b"{}")
    assert body["error"]["type"] == "invalid_request_error"
    with pytest.raises(openai.AuthenticationError):
        await AsyncOpenAI(base_url=locked, api_key="sk-wrong").models.list()
    assert (await AsyncOpenAI(base_url=locked, api_key=KEY).models.list()).data


async def test_wrong_keys_can_be_refused_as_late_as_openai_does():
    async with serving(TONES, keys=KEYS, realtime=RealtimeOptions(refuses_late=True)) as url:
        async with connect(socket_url(url), additional_headers={"Authorization": "Bearer sk-wrong"}) as socket:
            event = await next_event(socket)
            assert event["type"] == "error"
            assert event["error"]["code"] == "invalid_api_key"  # type: ignore[index]
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (3000, "invalid_request_error.invalid_api_key")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("?model=gpt-nothing", "model_not_found"),
        ("?model=whisper-1", "unsupported_value"),
        ("", "missing_model"),
        ("?call_id=rtc_1", "invalid_value"),
    ],
)
async def test_what_is_not_served_is_told_on_the_socket(url: str, query: str, code: str):
    async with connect(socket_url(url, query)) as socket:
        event = await next_event(socket)
        assert event["error"]["code"] == code  # type: ignore[index]
        with pytest.raises(ConnectionClosed):
            await socket.recv()


async def test_models_are_listed_and_errors_have_openais_shape(url: str):
    client = AsyncOpenAI(base_url=url, api_key="any")
    names = [model.id for model in (await client.models.list()).data]
    assert {"gpt-realtime-2.1", "whisper-1", "tones"} <= set(names)
    assert (await client.models.retrieve("gpt-realtime-2.1")).object == "model"
    with pytest.raises(openai.NotFoundError) as missing:
        await client.models.retrieve("gpt-nothing")
    assert missing.value.code == "model_not_found"
    assert (missing.value.request_id or "").startswith("req_")
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{url}/nowhere") as response:
            assert (await response.json())["error"]["message"] == "Invalid URL (GET /v1/nowhere)"
        async with http.delete(f"{url}/models") as response:
            assert (response.status, "GET" in response.headers["Allow"]) == (405, True)
        async with http.get(f"{url}/realtime?model=gpt-realtime-2.1") as response:
            assert response.status == 400
            assert "error" in await response.json()


async def test_a_session_that_only_listens(url: str):
    async with connect(socket_url(url, "?intent=transcription")) as socket:
        created = await next_event(socket)
        assert created["session"]["type"] == "transcription"  # type: ignore[index]


async def test_a_session_ends_after_its_time_and_says_so():
    async with serving(TONES, realtime=RealtimeOptions(session_s=0.2)) as url, connect(socket_url(url)) as socket:
        await next_event(socket, "session.created")
        event = await next_event(socket)
        assert event["error"]["code"] == "session_expired"  # type: ignore[index]
        with pytest.raises(ConnectionClosed):
            await socket.recv()


async def test_a_client_that_sends_too_much_or_vanishes_disturbs_nobody(url: str):
    async with connect(socket_url(url)) as steady, connect(socket_url(url), max_size=None) as greedy:
        await next_event(greedy, "session.created")
        with suppress(ConnectionClosed):  # it may be over before all is sent
            await greedy.send("x" * (17 * 1024 * 1024))
        await greedy.wait_closed()
        assert greedy.close_code == 1009
        vanishing = await connect(socket_url(url))
        await vanishing.send(json.dumps({"type": "response.create"}))
        vanishing.transport.abort()
        await steady.send(json.dumps({"type": "response.create"}))
        done = await next_event(steady, "response.done")
        assert done["response"]["status"] == "completed"  # type: ignore[index]


async def test_a_client_that_does_not_read_keeps_the_server_from_making_more(url: str):
    """The answer of two seconds has 40 messages; so many answers do not fit the network's buffers."""
    async with connect(socket_url(url), max_queue=1) as lazy:
        text = " ".join(["Say exactly this, word for word:", *["A sentence that takes a while to say."] * 400])
        create = {"type": "response.create", "response": {"instructions": text, "conversation": "none"}}
        await lazy.send(json.dumps(create))
        async with connect(socket_url(url)) as other:
            await other.send(json.dumps({"type": "response.create"}))
            await next_event(other, "response.done")
        done = await asyncio.wait_for(next_event(lazy, "response.done"), 20)
        assert done["response"]["status"] == "completed"  # type: ignore[index]
        await next_event(lazy, "rate_limits.updated")


async def test_a_bug_in_one_session_ends_that_session_only_and_leaves_no_task():
    class Broken(ToneResponder):
        def respond(self, history: Sequence[Said]) -> AsyncIterator[Say | UseTool]:
            raise ZeroDivisionError

    engines = LocalEngines(TONES)
    engines.responder = Broken()
    exact = {"type": "response.create", "response": {"instructions": "Say exactly this, word for word: Well."}}
    async with TestServer(application(engines)) as server:
        url = socket_url(str(server.make_url("/v1")))
        async with connect(url) as steady:
            await next_event(steady)
            tasks = asyncio.all_tasks()
            async with connect(url) as unlucky:
                await unlucky.send(json.dumps({"type": "response.create"}))
                await unlucky.wait_closed()
                assert unlucky.close_code == 1011
            await steady.send(json.dumps(exact))
            done = await next_event(steady, "response.done")
            assert done["response"]["status"] == "completed"  # type: ignore[index]
            assert asyncio.all_tasks() <= tasks


async def test_a_going_server_says_goodbye_to_its_sessions():
    async with serving(TONES) as url:
        socket = await connect(socket_url(url))
        await next_event(socket, "session.created")
    with pytest.raises(ConnectionClosed) as closed:
        await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1001


async def test_facts_from_the_operators_own_file_are_what_is_answered():
    bot = BotConfig(
        name="own",
        chained=ChainedConfig(transcriber="tones", responder="facts", speaker="tones"),
        facts=(FactConfig(ask=("Where are you?",), answer="At the harbour."),),
    )
    async with serving(bot) as url:
        client = AsyncOpenAI(base_url=url, api_key="any")
        async with client.realtime.connect(model="facts") as connection:
            await connection.conversation.item.create(
                item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Where are you?"}]}
            )
            await connection.response.create(response={"output_modalities": ["text"]})
            async with asyncio.timeout(10):
                async for event in connection:
                    if event.type == "response.output_text.done":
                        assert event.text == "At the harbour."
                        return
    raise AssertionError("no answer came")


async def test_the_command_serves_what_its_file_knows_until_it_is_told_to_stop(tmp_path: Path):
    facts = tmp_path / "facts.toml"
    facts.write_text(FACTS)
    command = ("-m", "bot", "local", "--port", "0", "--facts", str(facts), "--api-key", KEY, "--api-key", "sk-other")
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stderr=PIPE)
    assert process.stderr is not None
    async with asyncio.timeout(30):
        said = {}
        while said.get("event") != "local_server_listening":
            said = json.loads(await process.stderr.readline())
        assert KEY not in str(said)
        async with connect(socket_url(said["base_url"]), additional_headers={"api-key": KEY}) as socket:
            assert (await next_event(socket))["type"] == "session.created"
        process.terminate()
        assert await process.wait() == 0


async def test_the_command_says_what_to_do_when_it_cannot_listen(url: str):
    port = url.split(":")[2].removesuffix("/v1")
    command = ("-m", "bot", "local", "--port", port)
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stderr=PIPE)
    _, said = await asyncio.wait_for(process.communicate(), 50)
    assert process.returncode == 1
    assert "choose another --port" in " ".join(said.decode().split())
