"""A relay before a server that takes uploads: notes their forms, and stands in for a network or a server that fails."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import hdrs, web

from tests.support.wire import Received

_LARGEST = 32 * 1024 * 1024

Refusal = Callable[[int], web.Response | None]
"""What becomes of an upload, by its number from 0; None: it is handed on."""


@dataclass
class UploadRelay:
    url: str = ""
    refuses: Refusal = lambda number: None
    uploads: list[Received] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0

    def values(self, name: str) -> list[str]:
        """Of one field, upload after upload; "" where it was not sent."""
        return [dict(upload.fields).get(name, "") for upload in self.uploads]


@asynccontextmanager
async def upload_relay(url: str) -> AsyncIterator[UploadRelay]:
    """`url` is the server's, up to and with /v1."""
    relay = UploadRelay()
    async with aiohttp.ClientSession() as http:

        async def hand_on(request: web.Request) -> web.StreamResponse:
            body = await request.read()
            content_type = request.headers.get(hdrs.CONTENT_TYPE, "")
            relay.uploads.append(Received(request.path, content_type, body))
            refusal = relay.refuses(len(relay.uploads) - 1)
            if refusal is not None:
                return refusal
            relay.under_way += 1
            relay.most_under_way = max(relay.most_under_way, relay.under_way)
            try:
                where = url.removesuffix("/v1") + request.path
                async with http.post(where, data=body, headers={hdrs.CONTENT_TYPE: content_type}) as given:
                    kind = {hdrs.CONTENT_TYPE: given.headers[hdrs.CONTENT_TYPE]}
                    return web.Response(body=await given.read(), status=given.status, headers=kind)
            finally:
                relay.under_way -= 1

        app = web.Application(client_max_size=_LARGEST)
        app.router.add_post("/{path:.*}", hand_on)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        relay.url = f"http://{host}:{port}/v1"
        try:
            yield relay
        finally:
            await runner.cleanup()


def broken(status: int = 503, message: str = "Too much to do.", param: str | None = None) -> web.Response:
    """An error object, not to be asked again by the SDK, so that who asks decides."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    error = {"error": {"message": message, "type": kind, "param": param, "code": None}}
    return web.json_response(error, status=status, headers={"x-should-retry": "false"})
