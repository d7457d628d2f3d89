"""Opens a realtime session and closes it again: nothing is asked of it, so nothing is billed."""

import asyncio
import time

import msgspec
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus, WebSocketException

from bot.config import ModelServerConfig
from bot.model_sockets import realtime_endpoint
from bot.speech.model_table import Use

TIMEOUT_S = 8.0
_CREATED = "session.created"


class _Said(msgspec.Struct):
    message: str = ""


class _Message(msgspec.Struct):
    type: str
    error: _Said | None = None


async def open_session(server: ModelServerConfig, model: str, use: Use) -> tuple[str, float]:
    """Why no session came to be ("": it did), and how many milliseconds that took."""
    begin = time.monotonic()
    query = {"intent": "transcription"} if use is Use.LIVE_TRANSCRIPTION else {"model": model}
    endpoint = realtime_endpoint(server, query)
    try:
        async with (
            asyncio.timeout(TIMEOUT_S),
            connect(endpoint.url, additional_headers=endpoint.headers, compression=None, close_timeout=1) as socket,
        ):
            fault = _fault(await socket.recv())
    except TimeoutError:
        fault = f"no answer within {TIMEOUT_S:.0f} s"
    except InvalidStatus as exc:
        fault = f"the server answered HTTP {exc.response.status_code}"
    except (OSError, WebSocketException) as exc:
        fault = str(exc) or type(exc).__name__
    return fault, (time.monotonic() - begin) * 1000


def _fault(message: str | bytes) -> str:
    try:
        said = msgspec.json.decode(message, type=_Message)
    except msgspec.DecodeError:
        return "what the server sent is no event of the Realtime API"
    if said.type == _CREATED:
        return ""
    return said.error.message if said.error is not None else f"it began with {said.type}"
