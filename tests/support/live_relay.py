"""A relay before a Realtime server that does to its sockets what networks and busy services do. Loopback, mu-law only.

Messages pass both ways as they are, but for what the relay was told to spoil.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from media.g711 import decode_ulaw
from media.level import peak

_LOUD = 2000  # of 32,768

Event = Mapping[str, Any]


@dataclass(slots=True)
class Passed:
    """What went over one socket, in both directions; sound is left out."""

    sent: list[Event] = field(default_factory=list)
    received: list[Event] = field(default_factory=list)
    is_loud: bool = False  # whether somebody speaks in the sound that passes now
    is_over: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class Relay:
    upstream: str  # http://…/v1
    cuts: Callable[[int, Passed], bool] = lambda number, passed: False
    """Asked at each append of the socket of this number (from 0): whether the connection breaks now."""
    swallows: Callable[[int, Event], bool] = lambda number, event: False
    """Whether an event of the server's is lost."""
    url: str = ""
    sockets: list[Passed] = field(default_factory=list)

    async def carry(self, request: web.Request) -> web.WebSocketResponse:
        client = web.WebSocketResponse(max_msg_size=0)
        await client.prepare(request)
        number, passed = len(self.sockets), Passed()
        self.sockets.append(passed)
        headers = {"Authorization": request.headers.get("Authorization", "Bearer any")}
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.ws_connect(f"{self.upstream}/realtime?{request.query_string}", max_msg_size=0) as server,
        ):
            down = asyncio.create_task(self._down(number, passed, server, client))
            async for message in client:
                event = json.loads(message.data)
                if event["type"] == "input_audio_buffer.append":
                    passed.is_loud = peak(decode_ulaw(base64.b64decode(event["audio"]))) > _LOUD
                    if self.cuts(number, passed):
                        assert request.transport is not None
                        request.transport.abort()
                        break
                else:
                    passed.sent.append(event)
                await server.send_str(message.data)
            down.cancel()
        passed.is_over.set()
        return client

    async def _down(
        self, number: int, passed: Passed, server: aiohttp.ClientWebSocketResponse, client: web.WebSocketResponse
    ) -> None:
        async for message in server:
            event = json.loads(message.data)
            passed.received.append(event)
            if not self.swallows(number, event):
                await client.send_str(message.data)


@asynccontextmanager
async def relaying(relay: Relay) -> AsyncIterator[Relay]:
    app = web.Application()
    app.router.add_get("/v1/realtime", relay.carry)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    relay.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield relay
    finally:
        await runner.cleanup()
