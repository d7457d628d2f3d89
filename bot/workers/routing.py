"""Which worker a request belongs to, before anything of it is answered. What to do with it is the server's affair."""

import asyncio

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.tickets import issuer_of
from bot.workers.balance import Balance
from bot.workers.board import Board
from bot.workers.handover import Mailbox


def routing(me: int, board: Board, mailbox: Mailbox) -> Middleware:
    """A middleware that hands over what another worker should answer; what it cannot hand over is answered here.

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
        name = request.match_info.route.name or ""
        if name.endswith("-media"):
            issuer = issuer_of(request.match_info["token"])
            return issuer if issuer is not None and 1 <= issuer <= board.workers else me
        if name.endswith("-voice"):
            return balance.choose(board.rows(), asyncio.get_running_loop().time())
        return me

    return hand_over
