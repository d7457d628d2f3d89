"""GET /v1/realtime: lets clients in, or tells them as OpenAI does why not, and holds a session with each."""

import asyncio
import time
from dataclasses import dataclass
from weakref import WeakSet

import structlog
from aiohttp import WSCloseCode, hdrs, web

from bot.local.chat_answers import UpstreamAnswerer
from bot.local.engines import LocalEngines
from bot.local.errors import RequestError
from bot.local.http import Keys
from bot.local.realtime.jobs import Close
from bot.local.realtime.memory import Memory
from bot.local.realtime.session import ServerSession
from bot.local.realtime.socket import RealtimeConnection
from bot.local.realtime.terms import Terms
from bot.local.realtime.wire import error_event, random_id
from bot.local.served import check_model, short_name
from bot.speech.model_table import Use

log = structlog.get_logger()

PATH = "/v1/realtime"
_MAX_MESSAGE_BYTES = 16 * 1024 * 1024
_HEARTBEAT_S = 20.0
_UNAUTHORISED, _REFUSED = 3000, 4000


@dataclass(frozen=True, slots=True)
class RealtimeOptions:
    session_s: float = 3600.0
    """How long a session may last."""
    refuses_late: bool = False
    """Whether wrong keys are refused as OpenAI does, by an event on the open socket; else the upgrade gets a 401."""


class RealtimeApi:
    def __init__(self, engines: LocalEngines, keys: Keys, options: RealtimeOptions | None = None) -> None:
        self._engines = engines
        self._keys = keys
        self._options = options or RealtimeOptions()
        self._memory = Memory()
        self._sockets: WeakSet[web.WebSocketResponse] = WeakSet()

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get(PATH, self.connect)
        app.on_shutdown.append(self._say_goodbye)

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """Raises `RequestError` for a client without a key, where that is told before the upgrade."""
        try:
            self._keys.check(request)
        except RequestError as exc:
            if not self._options.refuses_late:
                raise
            return await _refuse(request, exc, _UNAUTHORISED)
        try:
            kind, model = self._asked(request)
        except RequestError as exc:
            return await _refuse(request, exc, _REFUSED)
        socket = await _upgraded(request)
        self._sockets.add(socket)
        await self._hold(kind, model, socket)
        return socket

    def _asked(self, request: web.Request) -> tuple[str, str]:
        """Which kind of session, and the model's name."""
        if request.query.get("intent") == "transcription":
            return "transcription", ""
        if "call_id" in request.query:
            message = "There are no WebRTC or SIP calls on this server: leave call_id out, and name a model."
            raise RequestError(message, "call_id", "invalid_value")
        model = request.query.get("model", "")
        if not model:
            raise RequestError("You must provide a model parameter.", "model", "missing_model")
        check_model(model, Use.REALTIME, self._engines.responder.name)
        return "realtime", model

    async def _hold(self, kind: str, model: str, socket: web.WebSocketResponse) -> None:
        voices = frozenset({short_name(self._engines.speaker.name)})
        terms = Terms(
            self._engines.speaker.rate_hz,
            voices,
            self._options.session_s,
            has_text_model=isinstance(self._engines.answerer, UpstreamAnswerer),
        )
        session = ServerSession(model, terms, kind=kind, epoch_s=time.time(), memory=self._memory)
        try:
            await RealtimeConnection(session, self._engines, socket).run()
        except Exception:  # the one broad catch: a bug ends the session that met it, and no other
            log.exception("realtime_session_crashed")
            await socket.close(code=WSCloseCode.INTERNAL_ERROR, message=b"internal error")

    async def _say_goodbye(self, _: web.Application) -> None:
        """The server goes; clients may come back to another one."""
        closing = [one.close(code=WSCloseCode.GOING_AWAY, message=b"the server is going away") for one in self._sockets]
        await asyncio.gather(*closing)


async def _refuse(request: web.Request, error: RequestError, code: int) -> web.WebSocketResponse:
    socket = await _upgraded(request)
    refusal = Close(code, f"invalid_request_error.{error.code}")
    await socket.send_str(error_event(random_id, error, None))
    await socket.close(code=refusal.code, message=refusal.reason.encode())
    return socket


async def _upgraded(request: web.Request) -> web.WebSocketResponse:
    """A sub-protocol is chosen only where one was offered, as browsers demand."""
    protocols = ("realtime",) if hdrs.SEC_WEBSOCKET_PROTOCOL in request.headers else ()
    socket = web.WebSocketResponse(
        protocols=protocols, max_msg_size=_MAX_MESSAGE_BYTES, compress=False, heartbeat=_HEARTBEAT_S, timeout=2.0
    )
    await socket.prepare(request)
    return socket
