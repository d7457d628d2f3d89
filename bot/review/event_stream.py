"""A page that is told things as they happen: server-sent events (HTML Living Standard, 9.2), over one response."""

import asyncio
from typing import Any

import msgspec
from aiohttp import web

from bot.review.headers import PERSONAL

_BEAT_S = 15.0
"""Proxies close what is silent for longer; so do we find out that nobody listens any more."""


class EventStream:
    """Opened by its first `send`."""

    def __init__(self, request: web.Request) -> None:
        self._request = request
        headers = {"Content-Type": "text/event-stream", "Cache-Control": PERSONAL, "X-Accel-Buffering": "no"}
        self._response = web.StreamResponse(headers=headers)

    async def send(self, name: str, data: Any) -> None:
        """Raises `ConnectionError` when the page is gone."""
        await self._write(f"event: {name}\ndata: ".encode() + msgspec.json.encode(data) + b"\n\n")

    async def next(self, queue: "asyncio.Queue[Any]") -> Any:
        """The queue's next element, with signs of life until it is there. Raises `ConnectionError`."""
        while True:
            try:
                async with asyncio.timeout(_BEAT_S):
                    return await queue.get()
            except TimeoutError:
                await self.beat()

    async def beat(self) -> None:
        """A sign of life that means nothing. Raises `ConnectionError` when the page is gone."""
        await self._write(b":\n\n")

    async def end(self) -> web.StreamResponse:
        await self._opened()
        await self._response.write_eof()
        return self._response

    @property
    def response(self) -> web.StreamResponse:
        return self._response

    async def _write(self, data: bytes) -> None:
        await self._opened()
        await self._response.write(data)

    async def _opened(self) -> None:
        if not self._response.prepared:
            await self._response.prepare(self._request)
