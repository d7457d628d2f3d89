"""A recorder in front of the local server: what a client put on the wire, and the same as the server reads it."""

import email
import email.policy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import openai
from aiohttp import StreamReader, hdrs, web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.test_utils import TestServer, make_mocked_request

from bot.local.upload import Form, read_form

_HANDED_ON = (hdrs.CONTENT_TYPE, hdrs.AUTHORIZATION, hdrs.ACCEPT)


@dataclass(frozen=True, slots=True)
class Received:
    path: str
    content_type: str
    body: bytes

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The names and values of a form, in their order; a file's value is its name."""
        head = f"Content-Type: {self.content_type}\r\n\r\n".encode()
        message = email.message_from_bytes(head + self.body, policy=email.policy.HTTP)
        return [_field(part) for part in message.iter_parts()]

    async def form(self) -> Form:
        """As the local server reads it."""
        reader = StreamReader(BaseProtocol(None), 2**16, loop=None)  # type: ignore[arg-type]
        reader.feed_data(self.body)
        reader.feed_eof()
        return await read_form(
            make_mocked_request("POST", self.path, {hdrs.CONTENT_TYPE: self.content_type}, payload=reader)
        )


@dataclass(slots=True)
class Wire:
    client: openai.AsyncOpenAI
    received: list[Received]

    @property
    def last(self) -> Received:
        return self.received[-1]


@asynccontextmanager
async def recorded(url: str) -> AsyncIterator[Wire]:
    """Everything that `wire.client` sends is noted and handed on to `url`, whose answers come back whole."""
    received: list[Received] = []
    async with aiohttp.ClientSession() as session:

        async def hand_on(request: web.Request) -> web.Response:
            body = await request.read()
            received.append(Received(request.path, request.headers.get(hdrs.CONTENT_TYPE, ""), body))
            headers = {name: request.headers[name] for name in _HANDED_ON if name in request.headers}
            to = url.removesuffix("/v1") + request.path_qs
            async with session.request(request.method, to, data=body, headers=headers) as answer:
                kind = {hdrs.CONTENT_TYPE: answer.headers[hdrs.CONTENT_TYPE]}
                return web.Response(body=await answer.read(), status=answer.status, headers=kind)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", hand_on)
        async with (
            TestServer(app) as server,
            openai.AsyncOpenAI(base_url=str(server.make_url("/v1")), api_key="any", max_retries=0) as client,
        ):
            yield Wire(client, received)


def _field(part: email.message.Message) -> tuple[str, str]:
    name = str(part.get_param("name", header="content-disposition"))
    if part.get_filename():
        return name, str(part.get_filename())
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return name, payload.decode()
