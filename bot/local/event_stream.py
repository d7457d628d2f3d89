"""Answers that come as server-sent events: one `data:` line each, a blank line between (WHATWG HTML, 9.2)."""

from typing import Any

import msgspec
from aiohttp import web

_encoder = msgspec.json.Encoder()


class EventStream:
    """Begins with the first event, so that what goes wrong before it can still be answered with a status."""

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self.response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}
        )

    @property
    def has_begun(self) -> bool:
        return self.response.prepared

    async def send(self, event: Any) -> None:
        """Raises `ConnectionResetError` when nobody listens any longer."""
        await self._write(b"data: " + _encoder.encode(event) + b"\n\n")

    async def fail(self, error: Exception) -> None:
        """What went wrong at our end in the middle, as OpenAI's clients understand it."""
        await self.send({"error": {"message": str(error), "type": "server_error", "param": None, "code": None}})

    async def end(self, *, mark: bool = False) -> web.StreamResponse:
        """`mark` ends it with `[DONE]`, as chat completions do."""
        if mark:
            await self._write(b"data: [DONE]\n\n")
        await self.response.write_eof()
        return self.response

    async def _write(self, line: bytes) -> None:
        if not self.response.prepared:
            await self.response.prepare(self._request)
        await self.response.write(line)
