"""Which worker a request belongs to, before anything of it is answered. What to do with it is the server's affair."""

import asyncio

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.call_ids import issuer_of_call
from bot.tickets import issuer_of
from bot.workers.balance import Balance
from bot.workers.board import Board
from bot.workers.handover import Mailbox


def routing(me: int, board: Board, mailbox: Mailbox) -> Middleware:
    """A middleware that hands over what another worker should answer; what it cannot hand over is answered here.

    A path with a `{token}` belongs to the worker that issued it, one with a `{live_call}` to the one that has the call,
    a route named `...-voice` to the one with the fewest calls, and anything else to whoever gets it.

    A media socket whose worker is gone then gets the same refusal as one with a ticket that was never issued.
    """
    balance = Balance(me)

    @web.middleware
    async def hand_over(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not mailbox.was_handed_over(request):  # once is enough: no request wanders
            worker = worker_for(request)
            if worker != me and await mailbox.send(request, worker):
                return web.Response()  # to nobody: the connection is no longer ours
        return await handler(request)

    def worker_for(request: web.Request) -> int:
        if (token := request.match_info.get("token")) is not None:
            return one_of_us(issuer_of(token))
        if (call_id := request.match_info.get("live_call")) is not None:
            return one_of_us(issuer_of_call(call_id))
        if (request.match_info.route.name or "").endswith("-voice"):  # a new call
            return balance.choose(board.rows(), asyncio.get_running_loop().time())
        return me

    def one_of_us(issuer: int | None) -> int:
        return issuer if issuer is not None and 1 <= issuer <= board.workers else me

    return hand_over
