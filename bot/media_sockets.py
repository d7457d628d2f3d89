"""A call's media socket: opened with a ticket, carried to its end by a runner, and written down."""

import asyncio

import structlog
from aiohttp import web
from structlog.contextvars import bound_contextvars

from bot.call_records import ended, recorded, started
from bot.carrier.base import Line, MediaStream, Webhook
from bot.carrier_rest import CallControl
from bot.policy import policy_of
from bot.recordings import Recording
from bot.runner import CallRunner
from bot.service import Service
from bot.session import Session
from bot.tickets import Ticket
from bot.tools import ToolContext
from bot.tools.call_tools import CallTools
from bot.voices import Party
from media.frame import PCMU_8K
from media.recorder import Recorder

log = structlog.get_logger()

MAX_MESSAGE_BYTES = 256 * 1024


class MediaSockets:
    def __init__(self, service: Service) -> None:
        self._service = service

    def add_routes(self, app: web.Application) -> None:
        for name in self._service.lines:
            app.router.add_get(f"/media/{name}/{{token}}", self.serve, name=f"{name}-media")

    async def serve(self, request: web.Request) -> web.StreamResponse:
        line = self._service.lines[request.path.split("/")[2]]
        ticket = self._service.tickets.claim(request.match_info["token"], line.name, _now())
        if ticket is None:
            self._service.metrics.sockets_refused.inc()
            log.warning("media_socket_refused", carrier=line.name, remedy="a token opens one socket, within a minute")
            raise web.HTTPForbidden(text="This media socket was not announced, or was opened before.")
        handshake = Webhook(request.method, request.raw_path, request.headers, b"")
        if not line.is_handshake_signed(handshake):  # proxies may rewrite what was signed: the token decides
            log.info("handshake_unsigned", call_id=ticket.call_id, carrier=line.name)
        socket = web.WebSocketResponse(max_msg_size=MAX_MESSAGE_BYTES, compress=False)
        arriving = self._service.supervisor.arriving(ticket.call_id)
        with bound_contextvars(call_id=ticket.call_id, carrier=line.name), arriving:
            await socket.prepare(request)
            log.info("call_connected", bot=ticket.bot.name)
            try:
                await self._carry(line, ticket, socket)
            except Exception:  # the one broad catch: a bug ends the call that met it, and no other
                log.exception("call_crashed")
                await socket.close(code=1011, message=b"internal error")
        return socket

    async def _carry(self, line: Line, ticket: Ticket, socket: web.WebSocketResponse) -> None:
        self._service.feed.write(started(ticket))
        stream = line.open_stream()
        party = await self._service.voices.join(ticket.call_id, ticket.bot, stream.audio)
        session = self._session(ticket, stream, party)
        runner = CallRunner(
            ticket.call_id,
            session,
            self._service.engines.links(ticket.bot),
            socket,
            self._service.feed,
            lambda: self._begin_recording(ticket),
            self._control(line, ticket),
            bot=ticket.bot,
            tools=CallTools(self._service.toolboxes[ticket.bot.name], _tool_context(ticket)),
            sockets=party.sockets,
            on_rate_limits=self._service.metrics.rate_limits_told,
        )
        self._service.supervisor.enter(runner)
        self._service.metrics.live_calls.set(len(self._service.supervisor))
        try:
            await runner.run()
        finally:
            summary = runner.summary()
            if runner.recording is not None:
                self._service.feed.write(recorded(ticket, runner.recording))
            self._service.feed.write(ended(ticket, summary, session))
            self._service.supervisor.leave(runner)
            self._service.metrics.live_calls.set(len(self._service.supervisor))
            self._service.metrics.call_ended(ticket.bot.name, summary)
            log.info(
                "call_ended",
                reason=summary.reason.value,
                duration_ms=summary.duration_ms,
                turns=summary.turns,
                interruptions=summary.interruptions,
                reply_p50_ms=session.timeline.reply_percentile_ms(50),
                **summary.counters,
            )

    def _control(self, line: Line, ticket: Ticket) -> CallControl:
        bot = ticket.bot
        shown, regret = ticket.to_number, bot.texts.transfer_failed
        return CallControl(self._service.http, line, ticket.carrier_call_id, shown, bot.transfers, regret)

    def _session(self, ticket: Ticket, stream: MediaStream, party: Party) -> Session:
        bot = ticket.bot
        return Session(
            call_id=ticket.call_id,
            carrier_call_id=ticket.carrier_call_id,
            from_number=ticket.from_number,
            stream=stream,
            voice=party.voice,
            policy=policy_of(bot),
            prepared=self._service.engines.prepared(bot, stream.audio),
            endpointer=party.endpointer,
            untold=party.untold,
            recorder=Recorder(stream.audio.rate_hz) if bot.record else None,
            now=_now(),
        )

    async def _begin_recording(self, ticket: Ticket) -> Recording | None:
        if not ticket.bot.record:
            return None
        try:
            recording = await self._service.recordings.open(ticket.call_id, PCMU_8K.rate_hz)
        except OSError as exc:
            log.error("recording_failed", error=str(exc), remedy="make the folder in storage.recordings writable")
            return None
        self._service.feed.write(recorded(ticket, recording))
        return recording


def _tool_context(ticket: Ticket) -> ToolContext:
    return ToolContext(ticket.call_id, ticket.bot.name, ticket.from_number, ticket.to_number, ticket.carrier)


def _now() -> float:
    return asyncio.get_running_loop().time()
