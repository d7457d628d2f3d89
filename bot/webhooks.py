"""What carriers ask over HTTP: a call comes in, how it goes, a transfer is over. Each signature is checked."""

import structlog
from aiohttp import web

from bot.carrier.base import Answer, Carrier, Webhook
from bot.config import TextsConfig
from bot.errors import SignatureError
from bot.privacy import mask_number
from bot.reception import Reception
from bot.service import Service

log = structlog.get_logger()


class Webhooks:
    def __init__(self, service: Service, reception: Reception) -> None:
        self._service = service
        self._reception = reception

    def add_routes(self, app: web.Application) -> None:
        for name in self._service.carriers:
            app.router.add_route("*", f"/{name}/voice", self._voice_webhook, name=f"{name}-voice")
            app.router.add_route("*", f"/{name}/status", self._status_webhook, name=f"{name}-status")
            app.router.add_route("*", f"/{name}/transferred", self._transferred_webhook, name=f"{name}-transferred")

    async def _voice_webhook(self, request: web.Request) -> web.Response:
        carrier = self._carrier_of(request)
        webhook = await self._checked(carrier, request)
        incoming = carrier.incoming(webhook)
        bot = self._service.config.bot_for(incoming.to_number)
        if bot is None:
            log.warning("number_has_no_bot", carrier=carrier.name, to=mask_number(incoming.to_number))
            return self._reply(carrier, "no_bot", carrier.refuse("This number is not in service.", "en"))
        expected = await self._reception.admit(carrier, incoming, bot)
        if expected is None:
            return self._reply(carrier, "busy", carrier.refuse(bot.texts.busy, bot.language))
        answer = carrier.answer(expected.media_path, {"call_id": expected.call_id, "bot": bot.name})
        return self._reply(carrier, "answered", answer)

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
        bot = self._service.config.bot_for(carrier.incoming(webhook).to_number)
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
            self._service.metrics.webhooks.labels(carrier.name, "forbidden").inc()
            raise
        return webhook

    def _reply(self, carrier: Carrier, outcome: str, answer: Answer) -> web.Response:
        self._service.metrics.webhooks.labels(carrier.name, outcome).inc()
        return web.Response(text=answer.body, content_type=answer.content_type, charset="utf-8")

    def _carrier_of(self, request: web.Request) -> Carrier:
        return self._service.carriers[request.path.split("/")[1]]
