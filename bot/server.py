"""The aiohttp application: webhooks in, media sockets up, health and metrics out. It decides nothing about a call."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware
from structlog.contextvars import bound_contextvars

from bot.calllog.records import CallEnded, CallStarted, RecordingWritten
from bot.calllog.store import CallLog
from bot.carrier.base import Answer, Carrier, IncomingCall, MediaStream, Webhook
from bot.carrier.twilio import TwilioCarrier
from bot.carrier_rest import CallControl
from bot.config import BotConfig, Config, TextsConfig, without_secrets
from bot.engines import Engines
from bot.errors import BotError, CarrierError, SignatureError
from bot.feed import Feed
from bot.metrics import Metrics
from bot.model_check import check_models
from bot.policy import CallPolicy
from bot.privacy import mask_number
from bot.recordings import CHANNELS, Recording, Recordings
from bot.review.application import mount
from bot.review.site import Site
from bot.runner import CallRunner, Summary
from bot.session import Session
from bot.speech.links import Speaker
from bot.supervisor import Lines, OwnLines, Supervisor
from bot.tickets import Ticket, Tickets
from bot.tools import Toolbox, ToolContext
from bot.tools.call_tools import CallTools
from bot.voices import Party, Voices
from media.frame import PCMU_8K
from media.recorder import Recorder

log = structlog.get_logger()

MAX_WEBHOOK_BYTES = 64 * 1024
MAX_MESSAGE_BYTES = 256 * 1024
GOODBYE_S = 15.0
_PACKET_MS = 200  # each message costs the same, however much it holds

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Service:
    """Everything that lives as long as the process: engines, the call log, carriers, and the list of live calls."""

    def __init__(
        self,
        config: Config,
        public_url: str,
        *,
        lines: Lines | None = None,
        tickets: Tickets | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        """`public_url` is what carriers reach; raises `ConfigError` for engines that do not exist.

        The last three are given where several processes answer calls together.
        """
        self.config = config
        self.metrics = metrics or Metrics()
        self.supervisor = Supervisor(lines or OwnLines(config.server.max_calls))
        self.tickets = tickets or Tickets()
        self.carriers = _carriers(config, public_url)
        self._toolboxes = {bot.name: Toolbox(bot) for bot in config.bots}
        tools = {name: box.specs for name, box in self._toolboxes.items()}
        recordings = Path(config.storage.recordings)
        self._engines = Engines(config.bots, config.openai, tools=tools, prompts=recordings.parent / "prompts")
        self._voices = Voices(config, self._engines, tools)
        self._recordings = Recordings(recordings)
        self.site = Site(config, public_url)
        self._resources = AsyncExitStack()
        self._feed: Feed | None = None
        self._http: aiohttp.ClientSession | None = None
        self.is_ready = False

    # -- the process's life ----------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open the call log and load the engines; raises `StoreError` or `VoiceError` that says what to do."""
        calllog = await CallLog.open(self.config.storage.database)
        self._resources.push_async_callback(calllog.close)
        self._feed = Feed(calllog)
        self.site.open(calllog)
        self._resources.push_async_callback(self.site.close)
        self._resources.push_async_callback(self._recordings.close)
        self._http = await self._resources.enter_async_context(aiohttp.ClientSession())
        self._resources.push_async_callback(self._engines.close)
        self._resources.push_async_callback(self._voices.close)
        for toolbox in self._toolboxes.values():
            self._resources.push_async_callback(toolbox.close)
            await toolbox.start()
        await check_models(self.config, self._http, datetime.now(UTC).date())
        log.info("loading_engines", bots=[bot.name for bot in self.config.bots])
        await self._engines.start(PCMU_8K)
        self.is_ready = True
        self.metrics.processes.set(1)

    async def stop(self, patience_s: float | None = None) -> None:
        """Take no new calls, let the live ones finish (at most so long), write everything, let go of everything."""
        told = await self.supervisor.drain(self.config.server.drain_s if patience_s is None else patience_s, GOODBYE_S)
        if told:
            log.warning("calls_cut_by_stop", calls=told)
        self.is_ready = False
        await self._resources.aclose()

    def application(self, *middlewares: Middleware) -> web.Application:
        """What HTTP clients reach; `middlewares` see each request before anything here does."""
        app = web.Application(client_max_size=MAX_WEBHOOK_BYTES, middlewares=[*middlewares, _errors_are_answers])
        for name in self.carriers:
            app.router.add_route("*", f"/{name}/voice", self._voice_webhook, name=f"{name}-voice")
            app.router.add_route("*", f"/{name}/status", self._status_webhook, name=f"{name}-status")
            app.router.add_route("*", f"/{name}/transferred", self._transferred_webhook, name=f"{name}-transferred")
            app.router.add_get(f"/media/{name}/{{token}}", self._media_socket, name=f"{name}-media")
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        mount(app, self.site)
        return app

    def speaker(self, bot: BotConfig) -> Speaker:
        """The voice of one bot, loaded once the service has started."""
        return self._engines.speaker(bot)

    # -- webhooks --------------------------------------------------------------------------------------------------

    async def _voice_webhook(self, request: web.Request) -> web.Response:
        carrier = self._carrier_of(request)
        webhook = await self._checked(carrier, request)
        incoming = carrier.incoming(webhook)
        bot = self.config.bot_for(incoming.to_number)
        if bot is None:
            log.warning("number_has_no_bot", carrier=carrier.name, to=mask_number(incoming.to_number))
            return self._reply(carrier, "no_bot", carrier.refuse("This number is not in service.", "en"))
        if not self.supervisor.has_room(self.tickets.count(_now())):
            log.warning("call_refused", carrier=carrier.name, bot=bot.name, live_calls=self.supervisor.live_calls())
            return self._reply(carrier, "busy", carrier.refuse(bot.texts.busy, bot.language))
        return self._reply(carrier, "answered", await self._admit(carrier, incoming, bot))

    async def _admit(self, carrier: Carrier, incoming: IncomingCall, bot: BotConfig) -> Answer:
        call_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        numbers = (incoming.from_number, incoming.to_number)
        ticket = Ticket(call_id, carrier.name, incoming.carrier_call_id, *numbers, bot)
        token = self.tickets.issue(ticket, _now())
        log.info(
            "call_answered",
            call_id=call_id,
            carrier=carrier.name,
            carrier_call_id=incoming.carrier_call_id,
            bot=bot.name,
            caller=mask_number(incoming.from_number),
        )
        with bound_contextvars(call_id=call_id, carrier=carrier.name):
            await self._voices.expect(call_id, bot, carrier.open_stream().audio)
        return carrier.answer(f"/media/{carrier.name}/{token}", {"call_id": call_id, "bot": bot.name})

    async def _status_webhook(self, request: web.Request) -> web.Response:
        carrier = self._carrier_of(request)
        progress = carrier.progress(await self._checked(carrier, request))
        log.info(
            "carrier_status", carrier=carrier.name, carrier_call_id=progress.carrier_call_id, status=progress.status
        )
        return web.Response(status=204)

    async def _transferred_webhook(self, request: web.Request) -> web.Response:
        """A transfer is over: who reached nobody is told so, and the call ends."""
        carrier = self._carrier_of(request)
        webhook = await self._checked(carrier, request)
        bot = self.config.bot_for(carrier.incoming(webhook).to_number)
        texts, language = (TextsConfig(), "en") if bot is None else (bot.texts, bot.language)
        answer = carrier.after_transfer(webhook, texts.transfer_failed, language)
        return web.Response(text=answer.body, content_type=answer.content_type, charset="utf-8")

    async def _checked(self, carrier: Carrier, request: web.Request) -> Webhook:
        """The request, once the carrier's signature on it was found to be right."""
        if request.method not in ("GET", "POST"):
            raise web.HTTPMethodNotAllowed(request.method, ["GET", "POST"])
        webhook = Webhook(request.method, request.raw_path, request.headers, await request.read())
        try:
            carrier.check(webhook)
        except SignatureError:
            self.metrics.webhooks.labels(carrier.name, "forbidden").inc()
            raise
        return webhook

    def _reply(self, carrier: Carrier, outcome: str, answer: Answer) -> web.Response:
        self.metrics.webhooks.labels(carrier.name, outcome).inc()
        return web.Response(text=answer.body, content_type=answer.content_type, charset="utf-8")

    def _carrier_of(self, request: web.Request) -> Carrier:
        return self.carriers[request.path.strip("/").split("/")[1 if request.path.startswith("/media/") else 0]]

    # -- media sockets ---------------------------------------------------------------------------------------------

    async def _media_socket(self, request: web.Request) -> web.StreamResponse:
        carrier = self._carrier_of(request)
        ticket = self.tickets.claim(request.match_info["token"], carrier.name, _now())
        if ticket is None:
            self.metrics.sockets_refused.inc()
            log.warning(
                "media_socket_refused", carrier=carrier.name, remedy="a token opens one socket, within a minute"
            )
            raise web.HTTPForbidden(text="This media socket was not announced, or was opened before.")
        handshake = Webhook(request.method, request.raw_path, request.headers, b"")
        if not carrier.is_handshake_signed(handshake):  # proxies may rewrite what was signed: the token decides
            log.info("handshake_unsigned", call_id=ticket.call_id, carrier=carrier.name)
        socket = web.WebSocketResponse(max_msg_size=MAX_MESSAGE_BYTES, compress=False)
        arriving = self.supervisor.arriving(ticket.call_id)
        with bound_contextvars(call_id=ticket.call_id, carrier=carrier.name), arriving:
            await socket.prepare(request)
            log.info("call_connected", bot=ticket.bot.name)
            try:
                await self._carry(carrier, ticket, socket)
            except Exception:  # the one broad catch: a bug ends the call that met it, and no other
                log.exception("call_crashed")
                await socket.close(code=1011, message=b"internal error")
        return socket

    async def _carry(self, carrier: Carrier, ticket: Ticket, socket: web.WebSocketResponse) -> None:
        self.feed.write(_started(ticket))
        stream = carrier.open_stream()
        party = await self._voices.join(ticket.call_id, ticket.bot, stream.audio)
        session = self._session(ticket, stream, party)
        runner = CallRunner(
            ticket.call_id,
            session,
            self._engines.links(ticket.bot),
            socket,
            self.feed,
            lambda: self._begin_recording(ticket),
            self._control(carrier, ticket),
            tools=CallTools(self._toolboxes[ticket.bot.name], _tool_context(ticket)),
            sockets=party.sockets,
            on_rate_limits=self.metrics.rate_limits_told,
        )
        self.supervisor.enter(runner)
        self.metrics.live_calls.set(len(self.supervisor))
        try:
            await runner.run()
        finally:
            summary = runner.summary()
            if runner.recording is not None:
                self.feed.write(_recorded(ticket, runner.recording))
            self.feed.write(_ended(ticket, summary, session))
            self.supervisor.leave(runner)
            self.metrics.live_calls.set(len(self.supervisor))
            self.metrics.call_ended(ticket.bot.name, summary)
            log.info(
                "call_ended",
                reason=summary.reason.value,
                duration_ms=summary.duration_ms,
                turns=summary.turns,
                interruptions=summary.interruptions,
                reply_p50_ms=session.timeline.reply_percentile_ms(50),
                **summary.counters,
            )

    def _control(self, carrier: Carrier, ticket: Ticket) -> CallControl:
        bot = ticket.bot
        shown, regret = ticket.to_number, bot.texts.transfer_failed
        return CallControl(self.http, carrier, ticket.carrier_call_id, shown, bot.transfers, regret)

    def _session(self, ticket: Ticket, stream: MediaStream, party: Party) -> Session:
        bot = ticket.bot
        return Session(
            call_id=ticket.call_id,
            carrier_call_id=ticket.carrier_call_id,
            from_number=ticket.from_number,
            stream=stream,
            voice=party.voice,
            policy=_policy(bot),
            prepared=self._engines.prepared(bot, stream.audio),
            endpointer=party.endpointer,
            untold=party.untold,
            recorder=Recorder(stream.audio.rate_hz) if bot.record else None,
            now=_now(),
        )

    async def _begin_recording(self, ticket: Ticket) -> Recording | None:
        if not ticket.bot.record:
            return None
        try:
            recording = await self._recordings.open(ticket.call_id, PCMU_8K.rate_hz)
        except OSError as exc:
            log.error("recording_failed", error=str(exc), remedy="make the folder in storage.recordings writable")
            return None
        self.feed.write(_recorded(ticket, recording))
        return recording

    @property
    def http(self) -> aiohttp.ClientSession:
        """The one client session, from the moment the service has started."""
        if self._http is None:
            raise CarrierError("the service has not started")
        return self._http

    @property
    def feed(self) -> Feed:
        """Every record of every call, from the moment the service has started."""
        if self._feed is None:
            raise CarrierError("the service has not started")
        return self._feed

    # -- health ----------------------------------------------------------------------------------------------------

    async def _healthz(self, _: web.Request) -> web.Response:
        """The process lives and its event loop turns."""
        return web.json_response({"status": "ok"})

    async def _readyz(self, _: web.Request) -> web.Response:
        """Whether a load balancer should send calls here."""
        is_ready = self.is_ready and not self.supervisor.is_draining
        status = "ready" if is_ready else "draining" if self.supervisor.is_draining else "starting"
        body = {"status": status, "live_calls": self.supervisor.live_calls()}
        return web.json_response(body, status=200 if is_ready else 503)

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=self.metrics.exposition(), content_type="text/plain", charset="utf-8")


@web.middleware
async def _errors_are_answers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What the other side did wrong becomes a status and a sentence, never a trace."""
    try:
        return await handler(request)
    except SignatureError as exc:
        log.warning("webhook_forbidden", path=request.path, error=str(exc))
        return web.Response(status=403, text="The signature does not fit this request.")
    except CarrierError as exc:
        log.warning("webhook_refused", path=request.path, error=str(exc))
        return web.Response(status=400, text=str(exc))
    except BotError as exc:
        log.error("webhook_failed", path=request.path, error=str(exc))
        return web.Response(status=503, text="The service cannot answer at the moment.")


def _now() -> float:
    return asyncio.get_running_loop().time()


def _carriers(config: Config, public_url: str) -> dict[str, Carrier]:
    carriers: dict[str, Carrier] = {}
    if (twilio := config.carriers.twilio) is not None:
        tokens = (twilio.auth_token, twilio.old_auth_token)
        carriers["twilio"] = TwilioCarrier(
            twilio.account_sid, tokens, public_url, twilio.api_base, after_transfer_path="/twilio/transferred"
        )
    return carriers


def _policy(bot: BotConfig) -> CallPolicy:
    return CallPolicy(
        max_call_s=bot.max_call_s,
        idle_prompt_s=bot.idle_prompt_s,
        reply_timeout_s=bot.reply_timeout_s,
        message_hangover_ms=bot.listening.message_hangover_ms,
        filler_after_s=bot.filler_after_s,
        lead_ms=bot.lead_ms,
        packet_ms=min(_PACKET_MS, bot.lead_ms // 3),
        is_voice_led=bot.voice == "realtime",
        is_greeted_by_voice=bot.voice == "realtime" and bot.realtime.greeting == "model",
        can_interrupt=bot.voice != "realtime" or bot.realtime.interrupt_response,
        fallback_transfer=bot.fallback_transfer,
    )


def _tool_context(ticket: Ticket) -> ToolContext:
    return ToolContext(ticket.call_id, ticket.bot.name, ticket.from_number, ticket.to_number, ticket.carrier)


def _started(ticket: Ticket) -> CallStarted:
    return CallStarted(
        call_id=ticket.call_id,
        carrier=ticket.carrier,
        carrier_call_id=ticket.carrier_call_id,
        bot=ticket.bot.name,
        from_number=ticket.from_number,
        to_number=ticket.to_number,
        started_at=datetime.now(UTC),
        config=msgspec.to_builtins(without_secrets(ticket.bot)),
    )


def _recorded(ticket: Ticket, recording: Recording) -> RecordingWritten:
    return RecordingWritten(
        call_id=ticket.call_id,
        path=str(recording.path),
        rate_hz=recording.rate_hz,
        channels=CHANNELS,
        duration_ms=recording.duration_ms,
        size_bytes=recording.size_bytes,
    )


def _ended(ticket: Ticket, summary: Summary, session: Session) -> CallEnded:
    return CallEnded(
        call_id=ticket.call_id,
        ended_at=datetime.now(UTC),
        duration_ms=summary.duration_ms,
        end_reason=summary.reason.value,
        turns=summary.turns,
        interruptions=summary.interruptions,
        reply_p50_ms=session.timeline.reply_percentile_ms(50),
        reply_p95_ms=session.timeline.reply_percentile_ms(95),
        counters=dict(summary.counters),
    )
