"""A server of models on loopback that answers as a test tells it to, one answer a request, and remembers what it saw.

For what no healthy server does: refusing, hanging, breaking off. `bot/local` is the one that really answers.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Seen:
    path: str
    headers: Mapping[str, str]
    body: Any  # of JSON: the object; of a form: its fields, those that repeat as lists


@dataclass
class ModelServer:
    url: str = ""
    answers: list[Answer] = field(default_factory=list)  # the last one is given again and again
    models: Answer = field(default_factory=lambda: refusal(404))  # as of servers that keep no list
    seen: list[Seen] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)  # a client closed its connection before the end

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.path.startswith("/v1/models/"):
            return await self.models(request)
        assert request.transport is not None
        peer = {"X-Peer": str(request.transport.get_extra_info("peername"))}
        self.seen.append(Seen(request.path, {**request.headers, **peer}, await _body(request)))
        self.asked.set()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        try:
            return await answer(request)
        except (asyncio.CancelledError, ConnectionError):
            self.left.set()
            raise


@asynccontextmanager
async def model_server(*answers: Answer) -> AsyncIterator[ModelServer]:
    server = ModelServer(answers=list(answers))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    server.url = f"http://{host}:{port}/v1"
    try:
        yield server
    finally:
        await runner.cleanup()


def refusal(
    status: int, code: str | None = None, message: str = "No.", *, param: str | None = None, **headers: str
) -> Answer:
    """An error object; `retry_after` and other headers by name."""

    async def answer(_: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        body = {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}
        return web.json_response(body, status=status, headers={"x-request-id": "req_refused", **named})

    return answer


def silence() -> Answer:
    """A request that gets no answer."""

    async def answer(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    return answer


def given(body: Any) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(body, headers={"x-request-id": "req_given"})

    return answer


def chat(
    *deltas: Mapping[str, Any] | str, finish: str | None = "stop", usage: Mapping[str, Any] | None = None
) -> Answer:
    """A streamed completion; a delta that is text is one of content, `finish` None ends the stream without a reason."""
    chunks = [_chunk({"content": delta} if isinstance(delta, str) else delta) for delta in deltas]
    if finish is not None:
        chunks.append(_chunk({}, finish))
    if usage is not None:
        chunks.append({**_chunk({}), "choices": [], "usage": dict(usage)})

    async def answer(request: web.Request) -> web.StreamResponse:
        response = await _begin(request, "text/event-stream")
        for chunk in chunks:
            await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        await response.write_eof()
        return response

    return answer


def unfinished_chat(*deltas: str) -> Answer:
    """A completion that never gets further."""
    return unfinished(*(f"data: {json.dumps(_chunk({'content': text}))}\n\n".encode() for text in deltas))


def unfinished(*pieces: bytes) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = await _begin(request, "application/octet-stream")
        for piece in pieces:
            await response.write(piece)
        await asyncio.Event().wait()
        return response

    return answer


def cut_off(*pieces: bytes) -> Answer:
    """An answer whose connection breaks in its middle."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = await _begin(request, "application/octet-stream")
        for piece in pieces:
            await response.write(piece)
        assert request.transport is not None
        request.transport.close()
        return response

    return answer


def sound(*pieces: bytes) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = await _begin(request, "audio/pcm")
        for piece in pieces:
            await response.write(piece)
            await asyncio.sleep(0.01)  # so that they are not sent in one
        await response.write_eof()
        return response

    return answer


async def _begin(request: web.Request, content_type: str) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": content_type, "x-request-id": "req_begun"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    return response


def _chunk(delta: Mapping[str, Any], finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": dict(delta), "finish_reason": finish, "logprobs": None}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


async def _body(request: web.Request) -> Any:
    if request.content_type == "application/json":
        return await request.json()
    if request.content_type != "multipart/form-data":
        return await request.read()
    fields: dict[str, Any] = {}
    async for part in await request.multipart():
        assert isinstance(part, BodyPartReader)
        value = await part.read() if part.filename else await part.text()
        if part.name and part.name.endswith("[]"):
            fields.setdefault(part.name, []).append(value)
        else:
            fields[part.name or ""] = (part.filename, value) if part.filename else value
    return fields
