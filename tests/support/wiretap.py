"""A relay before a server that speaks OpenAI's API: what a client sends, as it is on the wire. It changes nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web


@dataclass
class Wiretap:
    url: str = ""
    asked: list[tuple[str, Any]] = field(default_factory=list)  # the path and the JSON of each request that has some

    def bodies(self, path: str) -> list[Any]:
        return [body for asked, body in self.asked if asked.endswith(path)]


@asynccontextmanager
async def wiretap(url: str) -> AsyncIterator[Wiretap]:
    """`url` is the server's, up to and with /v1."""
    tap = Wiretap()
    async with aiohttp.ClientSession() as http:

        async def relay(request: web.Request) -> web.StreamResponse:
            if request.content_type == "application/json":
                tap.asked.append((request.path, await request.json()))
            headers = {"Content-Type": request.headers.get("Content-Type", "")} if request.can_read_body else {}
            where = url.removesuffix("/v1") + request.path_qs
            async with http.request(request.method, where, data=await request.read(), headers=headers) as given:
                response = web.StreamResponse(status=given.status, headers={"Content-Type": given.content_type})
                await response.prepare(request)
                async for piece in given.content.iter_any():
                    await response.write(piece)
                await response.write_eof()
                return response

        app = web.Application(client_max_size=32 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", relay)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        tap.url = f"http://{host}:{port}/v1"
        try:
            yield tap
        finally:
            await runner.cleanup()
