"""Letting a call in: is there room, which ticket does it get, and what can be made ready before it is there."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from aiohttp import web
from structlog.contextvars import bound_contextvars

from bot.call_ids import new_call_id
from bot.carrier.base import IncomingCall, Line
from bot.config import BotConfig
from bot.privacy import mask_number
from bot.service import Service
from bot.tickets import Ticket

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Expected:
    """A call that was let in and will open its media socket in a moment."""

    call_id: str
    media_path: str


class Reception:
    def __init__(self, service: Service) -> None:
        self._service = service

    async def admit(self, line: Line, incoming: IncomingCall, bot: BotConfig) -> Expected | None:
        """Expect a call for `bot` on `line`; None while all lines are busy, or the service stops."""
        service, now = self._service, asyncio.get_running_loop().time()
        if not service.supervisor.has_room(service.tickets.count(now)):
            log.warning("call_refused", carrier=line.name, bot=bot.name, live_calls=service.supervisor.live_calls())
            return None
        call_id = new_call_id(datetime.now(UTC), service.tickets.issuer)
        numbers = (incoming.from_number, incoming.to_number)
        ticket = Ticket(call_id, line.name, incoming.carrier_call_id or call_id, *numbers, bot)
        token = service.tickets.issue(ticket, now)
        log.info(
            "call_answered",
            call_id=call_id,
            carrier=line.name,
            carrier_call_id=ticket.carrier_call_id,
            bot=bot.name,
            caller=mask_number(incoming.from_number),
        )
        with bound_contextvars(call_id=call_id, carrier=line.name):
            await service.voices.expect(call_id, bot, line.open_stream().audio)
        return Expected(call_id, f"/media/{line.name}/{token}")


RECEPTION = web.AppKey("reception", Reception)
