"""How long a request to the local server may take: to arrive, and to be worked on until its answer begins.

A client that sends a byte a minute holds nothing for long, and no answer is worked on for which nobody waits any more:
OpenAI's own clients give up after ten minutes. An answer that comes as a stream may take as long as it likes, and so
may a Realtime session, once it has begun. Sizes are limited where bodies are read (`upload.py`, `json_body.py`).
"""

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.local.errors import RequestError

_until_begun: ContextVar["tuple[asyncio.TimerHandle, asyncio.Timeout] | None"] = ContextVar("until_begun", default=None)


@dataclass(frozen=True, slots=True)
class Limits:
    arrival_s: float = 120.0
    """Until the whole body is here; 25 MB then need 1.7 Mbit/s."""
    work_s: float = 600.0
    """Until the answer begins."""

    def middleware(self) -> Middleware:
        @web.middleware
        async def limit(request: web.Request, handler: Handler) -> web.StreamResponse:
            arrival = asyncio.get_running_loop().call_later(self.arrival_s, self._give_up_on_body, request)
            try:
                async with asyncio.timeout(self.work_s) as deadline:
                    _until_begun.set((arrival, deadline))
                    return await handler(request)
            except TimeoutError as exc:
                if not deadline.expired():
                    raise
                raise RequestError(
                    f"This took longer than {self.work_s:g} s, which is the most that one answer may take here: send "
                    "a shorter recording or text, or ask for a stream.",
                    status=413,
                ) from exc
            finally:
                _until_begun.set(None)  # an answer that is sent whole begins after this
                arrival.cancel()

        return limit

    def _give_up_on_body(self, request: web.Request) -> None:
        """Whoever reads the body meets the error."""
        if not request.content.is_eof():
            message = f"The body of the request did not arrive within {self.arrival_s:g} s."
            request.content.set_exception(RequestError(message, status=408))


async def answer_begins(request: web.Request, response: web.StreamResponse) -> None:
    """For `on_response_prepare`: from here on there is no limit."""
    if (limits := _until_begun.get()) is not None:
        arrival, deadline = limits
        arrival.cancel()
        deadline.reschedule(None)
