"""The operator's own endpoint, over loopback: what it is sent, and what the model hears of its answer."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from standardwebhooks import Webhook, WebhookVerificationError
from structlog.testing import capture_logs

from bot.config import ToolConfig
from bot.errors import ToolError
from bot.tools import http_tool
from tests.bot.tools.conftest import CONTEXT

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ORDER = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Endpoint:
    """An operator's service that notes what it gets and answers as the test says."""

    answer: Answer = field(default=lambda request: shipped(request))
    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    requests: list[web.Request] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        self.bodies.append(await request.read())
        return await self.answer(request)

    def tool(self, **settings) -> ToolConfig:
        return ToolConfig(**{"name": "order", "description": "Looks.", "parameters": ORDER, "url": self.url} | settings)


async def shipped(request: web.Request) -> web.StreamResponse:
    return web.json_response({"state": "shipped"})


def answering(*answers: Callable[[], web.StreamResponse] | None) -> Answer:
    """One answer after the other; None cuts the connection."""
    left = list(answers)

    async def answer(request: web.Request) -> web.StreamResponse:
        make = left.pop(0)
        if make is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return make()

    return answer


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    endpoint = Endpoint()
    app = web.Application()
    app.router.add_route("*", "/orders", endpoint.handle)
    async with TestServer(app, host="127.0.0.1") as server:
        endpoint.url = str(server.make_url("/orders"))
        yield endpoint


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch):
    monkeypatch.setattr(http_tool, "FIRST_PAUSE_S", 0.001)


async def test_the_endpoint_gets_the_arguments_and_the_call_and_the_model_its_answer(endpoint, open_toolbox):
    toolbox = await open_toolbox(endpoint.tool(headers={"Authorization": "Bearer x"}))
    assert await toolbox.run("order", {"id": "7"}, CONTEXT) == '{"state":"shipped"}'
    assert json.loads(endpoint.bodies[0]) == {
        "name": "order",
        "arguments": {"id": "7"},
        "call_id": "call-1",
        "bot": "reception",
        "from_number": "+15550001111",
        "to_number": "+15550002222",
        "carrier": "twilio",
    }
    assert endpoint.requests[0].headers["Authorization"] == "Bearer x"
    assert endpoint.requests[0].content_type == "application/json"


async def test_a_get_carries_everything_in_its_query_and_keeps_the_one_it_has(endpoint, open_toolbox):
    toolbox = await open_toolbox(endpoint.tool(method="GET", url=endpoint.url + "?shop=1"))
    await toolbox.run("order", {"id": "ä&b", "many": 2, "all": True, "call_id": "forged"}, CONTEXT)
    request = endpoint.requests[0]
    assert request.method == "GET"
    asked = {name: request.query[name] for name in ("shop", "id", "many", "all", "call_id", "from_number")}
    assert asked == {
        "shop": "1",
        "id": "ä&b",
        "many": "2",
        "all": "true",
        "call_id": "call-1",
        "from_number": "+15550001111",
    }
    assert request.query.getall("call_id") == ["call-1"]


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_the_receivers_library_finds_the_signature_right(endpoint, open_toolbox, method):
    toolbox = await open_toolbox(endpoint.tool(method=method, secret=SECRET))
    await toolbox.run("order", {"id": "ä 7"}, CONTEXT)
    request, payload = endpoint.requests[0], endpoint.bodies[0]
    if method == "GET":
        payload = request.rel_url.raw_query_string.encode()
    Webhook(SECRET).verify(payload, dict(request.headers), json_parse=False)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(payload + b" ", dict(request.headers), json_parse=False)


async def test_without_a_secret_nothing_is_signed(endpoint, open_toolbox):
    toolbox = await open_toolbox(endpoint.tool())
    await toolbox.run("order", {"id": "7"}, CONTEXT)
    assert not [name for name in endpoint.requests[0].headers if name.startswith("webhook-")]


@pytest.mark.parametrize("failure", [lambda: web.Response(status=503), None])
async def test_what_fails_in_passing_is_asked_again_under_the_same_key(endpoint, open_toolbox, failure):
    endpoint.answer = answering(failure, failure, lambda: web.json_response({"state": "shipped"}))
    toolbox = await open_toolbox(endpoint.tool(retries=2, secret=SECRET))
    assert await toolbox.run("order", {"id": "7"}, CONTEXT) == '{"state":"shipped"}'
    keys = {request.headers["Idempotency-Key"] for request in endpoint.requests}
    ids = {request.headers["webhook-id"] for request in endpoint.requests}
    assert len(endpoint.requests) == 3
    assert len(keys) == 1
    assert keys == ids
    assert len(set(endpoint.bodies)) == 1


async def test_two_uses_have_two_keys(endpoint, open_toolbox):
    toolbox = await open_toolbox(endpoint.tool())
    for _ in range(2):
        await toolbox.run("order", {"id": "7"}, CONTEXT)
    assert len({request.headers["Idempotency-Key"] for request in endpoint.requests}) == 2


async def test_what_goes_on_failing_is_given_up(endpoint, open_toolbox):
    endpoint.answer = answering(*[lambda: web.Response(status=500, text="password=hunter2")] * 5)
    toolbox = await open_toolbox(endpoint.tool(retries=1))
    with pytest.raises(ToolError) as told:
        await toolbox.run("order", {"id": "7"}, CONTEXT)
    assert len(endpoint.requests) == 2
    assert str(told.value) == "order answered with an error (HTTP status 500)"  # and nothing of the body


@pytest.mark.parametrize("status", [400, 404, 429])
async def test_a_refusal_is_final_and_its_body_stays_unread(endpoint, open_toolbox, status):
    endpoint.answer = answering(lambda: web.Response(status=status, text="token=abc"))
    toolbox = await open_toolbox(endpoint.tool(retries=3))
    with pytest.raises(ToolError, match=f"HTTP status {status}") as told:
        await toolbox.run("order", {"id": "7"}, CONTEXT)
    assert "abc" not in str(told.value)
    assert len(endpoint.requests) == 1


async def test_a_redirect_is_not_followed(endpoint, open_toolbox):
    endpoint.answer = answering(lambda: web.Response(status=307, headers={"Location": endpoint.url}))
    toolbox = await open_toolbox(endpoint.tool())
    with pytest.raises(ToolError, match="HTTP status 307"):
        await toolbox.run("order", {"id": "7"}, CONTEXT)
    assert len(endpoint.requests) == 1


async def test_an_endpoint_that_is_not_there_could_not_be_reached(open_toolbox):
    gone = ToolConfig(name="order", description="d", url=f"http://127.0.0.1:{unused_port()}/orders", retries=1)
    toolbox = await open_toolbox(gone)
    with capture_logs() as lines, pytest.raises(ToolError, match="order could not be reached"):
        await toolbox.run("order", {}, CONTEXT)
    assert [line["event"] for line in lines] == ["tool_endpoint_failed"] * 2


async def test_the_deadline_holds_over_all_tries(endpoint, open_toolbox):
    released = asyncio.Event()

    async def sleep(request: web.Request) -> web.StreamResponse:
        await released.wait()
        return web.Response()

    endpoint.answer = sleep
    toolbox = await open_toolbox(endpoint.tool(timeout_s=0.05, retries=5))
    with pytest.raises(ToolError, match=r"order did not answer within 0\.05 s"):
        await toolbox.run("order", {"id": "7"}, CONTEXT)
    released.set()
    assert len(endpoint.requests) == 1


async def test_an_answer_that_trickles_in_for_ever_meets_the_deadline_too(endpoint, open_toolbox):
    async def trickle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"a")
        await asyncio.Event().wait()
        return response

    endpoint.answer = trickle
    toolbox = await open_toolbox(endpoint.tool(timeout_s=0.1))
    with pytest.raises(ToolError, match="did not answer within"):
        await toolbox.run("order", {"id": "7"}, CONTEXT)


@pytest.mark.parametrize("is_compressed", [False, True])
async def test_an_answer_that_is_too_long_is_not_read_to_its_end(endpoint, open_toolbox, is_compressed):
    def long() -> web.StreamResponse:
        response = web.Response(text="x" * 1_000_000)
        if is_compressed:
            response.enable_compression(web.ContentCoding.gzip)
        return response

    endpoint.answer = answering(long, lambda: web.Response(text="x" * 1000))
    toolbox = await open_toolbox(endpoint.tool(max_response_bytes=1000))
    with pytest.raises(ToolError, match="too long"):
        await toolbox.run("order", {"id": "7"}, CONTEXT)
    assert await toolbox.run("order", {"id": "7"}, CONTEXT) == json.dumps({"result": "x" * 1000}, separators=(",", ":"))


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (lambda: web.Response(text="It was shipped."), {"result": "It was shipped."}),
        (
            lambda: web.Response(body="für".encode("latin-1"), content_type="text/plain", charset="latin-1"),
            {"result": "für"},
        ),
        (lambda: web.json_response(["a", 1]), {"result": ["a", 1]}),
        (lambda: web.json_response({"a": 1}, content_type="application/problem+json"), {"a": 1}),
        (lambda: web.Response(status=204), {"result": ""}),
    ],
)
async def test_text_and_json_reach_the_model(endpoint, open_toolbox, answer, result):
    endpoint.answer = answering(answer)
    toolbox = await open_toolbox(endpoint.tool())
    assert json.loads(await toolbox.run("order", {"id": "7"}, CONTEXT)) == result


@pytest.mark.parametrize(
    "answer",
    [
        lambda: web.Response(text="{", content_type="application/json"),
        lambda: web.Response(text="[" * 100_000, content_type="application/json"),
        lambda: web.Response(body=b"\xff\xfe\x00", content_type="text/plain"),
        lambda: web.Response(body=b"a", headers={"Content-Type": "text/plain; charset=klingon"}),
    ],
)
async def test_what_is_neither_is_a_failure(endpoint, open_toolbox, answer):
    endpoint.answer = answering(answer)
    toolbox = await open_toolbox(endpoint.tool(max_response_bytes=200_000))
    with pytest.raises(ToolError, match="cannot be read"):
        await toolbox.run("order", {"id": "7"}, CONTEXT)


async def test_no_cookie_goes_from_one_caller_to_the_next(endpoint, open_toolbox):
    def with_cookie() -> web.StreamResponse:
        response = web.Response()
        response.set_cookie("session", "of-the-first-caller")
        return response

    endpoint.answer = answering(with_cookie, with_cookie)
    toolbox = await open_toolbox(endpoint.tool())
    for _ in range(2):
        await toolbox.run("order", {"id": "7"}, CONTEXT)
    assert all(aiohttp.hdrs.COOKIE not in request.headers for request in endpoint.requests)
