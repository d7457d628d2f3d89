"""What becomes of requests that fail, over a real socket: asked again, or told in a sentence that says what to do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from bot.config import ModelServerConfig, OpenAIConfig
from bot.errors import ConfigError, RequestFailedError, VoiceError
from bot.speech.engine_names import parse
from bot.speech.model_table import Use
from bot.speech.openai_client import OpenAIClient, client_of
from tests.support.model_server import Answer, ModelServer, chat, given, model_server, refusal, silence, sound

KEY = "sk-proj-verysecretkey0123456789"


@asynccontextmanager
async def client(
    *answers: Answer, timeout_s: float = 5, retries: int = 0, setting: str = "openai"
) -> AsyncIterator[tuple[OpenAIClient, ModelServer]]:
    async with model_server(*answers) as server:
        config = ModelServerConfig(base_url=server.url, api_key=KEY, organization="org-1")
        made = OpenAIClient(config, setting=setting, timeout_s=timeout_s, retries=retries)
        await made.start()
        try:
            yield made, server
        finally:
            await made.close()


async def ask(made: OpenAIClient) -> None:
    """One whole streamed completion."""
    create = made.sdk.chat.completions.create
    stream = await made.ask("m", create(model="m", messages=[{"role": "user", "content": "Hi."}], stream=True))
    with made.failures("m"):
        async for _ in stream:
            pass


@pytest.mark.parametrize(
    ("answer", "is_fatal", "says"),
    [
        (refusal(401, "invalid_api_key"), True, "refuses openai.servers.branch.api_key: set it to a key that is valid"),
        (refusal(403, None, "Country not supported."), True, "not let this key use 'm': Country not supported"),
        (refusal(404, "model_not_found", "No such model."), True, "knows no model 'm'"),
        (refusal(404, None, "Not Found"), True, "has no such service: check openai.servers.branch.base_url"),
        (refusal(400, "invalid_value", "Bad voice."), True, r"refuses the request to 'm' \(HTTP 400\): Bad voice"),
        (refusal(413, None, "Too big."), True, "finds the request too large: Too big"),
        (refusal(429, "insufficient_quota"), True, "no credit left: add some, or raise its limit"),
        (refusal(429, "rate_limit_exceeded"), False, "asked too often for 'm'.*raise its rate limit"),
        (refusal(500, "server_error", "Oops."), False, r"busy or broken \(HTTP 500\): Oops"),
        (refusal(503, None, "Slow down."), False, r"busy or broken \(HTTP 503\): Slow down"),
    ],
)
async def test_each_refusal_says_what_to_do_and_whether_it_may_pass(answer: Answer, is_fatal: bool, says: str):
    async with client(answer, setting="openai.servers.branch") as (made, _):
        with pytest.raises(RequestFailedError, match=says) as caught:
            await ask(made)
    assert caught.value.is_fatal is is_fatal
    assert caught.value.request_id == "req_refused"
    assert "(request req_refused)" in str(caught.value)
    assert isinstance(caught.value, VoiceError)


async def test_a_key_is_neither_in_the_message_nor_in_the_log():
    answer = refusal(400, None, f"Incorrect API key provided: {KEY} or sk-proj-very*****6789.")
    with capture_logs() as logs:
        async with client(answer) as (made, server):
            with pytest.raises(RequestFailedError) as caught:
                await ask(made)
    assert server.seen[0].headers["Authorization"] == f"Bearer {KEY}"
    for text in (str(caught.value), str(logs)):
        assert "sk-proj" not in text
    assert "•••" in str(caught.value)


async def test_every_answer_is_logged_with_the_servers_name_for_it():
    with capture_logs() as logs:
        async with client(refusal(500), chat("Yes."), retries=1) as (made, _):
            await ask(made)
    told = [(line["event"], line["log_level"], line["status"], line["request_id"]) for line in logs if "path" in line]
    assert told == [("model_refused", "info", 500, "req_refused"), ("model_answered", "debug", 200, "req_begun")]


async def test_a_busy_server_is_asked_again_after_as_long_as_it_says():
    loop = asyncio.get_running_loop()
    async with client(refusal(429, "rate_limit_exceeded", retry_after="1"), chat("Yes."), retries=2) as (made, server):
        began_at = loop.time()
        await ask(made)
    assert len(server.seen) == 2
    assert loop.time() - began_at >= 1


async def test_a_server_that_wants_more_patience_than_a_caller_has_is_not_waited_for():
    async with client(refusal(429, None, retry_after="60"), retries=2) as (made, server):
        async with asyncio.timeout(2):
            with pytest.raises(RequestFailedError, match="asked too often"):
                await ask(made)
    assert len(server.seen) == 1


async def test_what_is_fatal_is_asked_once():
    async with client(refusal(401), retries=2) as (made, server):
        with pytest.raises(RequestFailedError):
            await ask(made)
    assert len(server.seen) == 1


async def test_a_server_that_gives_no_answer_is_given_up_all_tries_included():
    loop = asyncio.get_running_loop()
    async with client(silence(), timeout_s=0.5, retries=2) as (made, server):
        began_at = loop.time()
        with pytest.raises(RequestFailedError, match=r"did not answer within 0\.5 s") as caught:
            await ask(made)
        await asyncio.wait_for(server.left.wait(), 1)
    assert loop.time() - began_at < 2
    assert not caught.value.is_fatal


async def test_a_server_that_is_not_there_is_told_with_its_address(unused_tcp_port: int):
    made = OpenAIClient(ModelServerConfig(base_url=f"http://127.0.0.1:{unused_tcp_port}/v1"), retries=0)
    await made.start()
    with pytest.raises(RequestFailedError, match=r"cannot be reached: .*check openai\.base_url") as caught:
        await ask(made)
    await made.close()
    assert (caught.value.is_fatal, caught.value.status) == (False, None)


async def test_what_is_no_answer_of_this_api_is_a_failure():
    async with client(sound(b"data: {oops\n\n")) as (made, _):
        with pytest.raises(RequestFailedError, match=r"no answer of OpenAI's API.*check openai\.base_url"):
            await ask(made)


async def test_the_payer_is_whom_the_configuration_names_and_nobody_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-of-somebody")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-somebody")
    async with client(chat("Yes.")) as (made, server):
        await ask(made)
    headers = {name.lower(): value for name, value in server.seen[0].headers.items()}
    assert headers["openai-organization"] == "org-1"
    assert "openai-project" not in headers


async def test_connections_are_kept_for_the_next_turn_of_a_call():
    async with client(chat("Yes.")) as (made, server):
        await ask(made)
        await ask(made)
    assert len({seen.headers["X-Peer"] for seen in server.seen}) == 1


async def test_a_client_that_was_not_started_says_so():
    with pytest.raises(VoiceError, match="was not started"):
        _ = OpenAIClient(ModelServerConfig(base_url="http://127.0.0.1:1/v1")).sdk


def test_messages_name_the_place_where_the_server_is_configured():
    openai = OpenAIConfig(servers={"branch": ModelServerConfig(base_url="http://branch/v1")})
    branch, own = (client_of(openai, parse(name)) for name in ("openai:m@branch", "openai:m"))
    assert (branch.setting, branch.server.base_url) == ("openai.servers.branch", "http://branch/v1")
    assert (own.setting, own.server) == ("openai", openai)
    with pytest.raises(ConfigError, match=r"no server 'nowhere': give openai\.servers\.nowhere a base_url"):
        client_of(openai, parse("openai:m@nowhere"))


@pytest.mark.parametrize(
    ("model", "use", "says"),
    [
        ("nosuch", Use.SPEECH, "knows no model 'nosuch'; speech models are, as far as we know: gpt-4o-mini-tts"),
        ("nosuch", Use.CHAT, "knows no model 'nosuch': choose one from the server's list"),
        ("gpt-4o-audio-preview", Use.CHAT, "switched gpt-4o-audio-preview off on 2026-05-07.*gpt-audio-1.5"),
    ],
)
async def test_a_model_that_is_not_there_is_found_at_the_start_with_what_to_take_instead(
    model: str, use: Use, says: str
):
    async with client() as (made, server):
        server.models = refusal(404, "model_not_found")
        with pytest.raises(ConfigError, match=says):
            await made.check(model, use)


async def test_a_key_that_is_refused_is_found_at_the_start():
    async with client() as (made, server):
        server.models = refusal(401, "invalid_api_key")
        with pytest.raises(ConfigError, match=r"refuses openai\.api_key"):
            await made.check("m", Use.CHAT)


@pytest.mark.parametrize("answer", [refusal(404), refusal(500), given({"id": "m"})])
async def test_a_server_without_a_list_of_models_is_believed(answer: Answer):
    async with client() as (made, server):
        server.models = answer
        await made.check("m", Use.CHAT)
