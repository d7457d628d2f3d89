"""The aiohttp application: webhooks in, media sockets up, health and metrics out, and the pages. It decides nothing."""

from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.errors import BotError, CarrierError, SignatureError
from bot.live_calls import LIVE_CALLS, LiveCalls
from bot.media_sockets import MediaSockets
from bot.reception import RECEPTION, Reception
from bot.review.application import mount
from bot.service import Service
from bot.webhooks import Webhooks

log = structlog.get_logger()

MAX_WEBHOOK_BYTES = 64 * 1024

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(service: Service, *middlewares: Middleware) -> web.Application:
    """What HTTP clients reach; `middlewares` see each request before anything here does."""
    app = web.Application(client_max_size=MAX_WEBHOOK_BYTES, middlewares=[*middlewares, _errors_are_answers])
    reception = Reception(service)
    app[RECEPTION] = reception
    app[LIVE_CALLS] = LiveCalls(service)
    Webhooks(service, reception).add_routes(app)
    MediaSockets(service).add_routes(app)
    Health(service).add_routes(app)
    mount(app, service.site)
    return app


class Health:
    def __init__(self, service: Service) -> None:
        self._service = service

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)

    async def _healthz(self, _: web.Request) -> web.Response:
        """The process lives and its event loop turns."""
        return web.json_response({"status": "ok"})

    async def _readyz(self, _: web.Request) -> web.Response:
        """Whether a load balancer should send calls here."""
        is_ready = self._service.is_ready and not self._service.supervisor.is_draining
        status = "ready" if is_ready else "draining" if self._service.supervisor.is_draining else "starting"
        body = {"status": status, "live_calls": self._service.supervisor.live_calls()}
        return web.json_response(body, status=200 if is_ready else 503)

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=self._service.metrics.exposition(), content_type="text/plain", charset="utf-8")


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
