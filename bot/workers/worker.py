"""One worker: a whole service that shares its port with others. Started by the foreman, and of no use without it."""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import structlog
from aiohttp import web
from structlog.contextvars import bind_contextvars

from bot import logs
from bot.errors import BotError
from bot.metrics import Metrics
from bot.service import Service
from bot.serving import keep_for_good, ready, run
from bot.tickets import Tickets
from bot.workers.board import Board, Row
from bot.workers.handover import Mailbox
from bot.workers.lifeline import Orders, Report, encode, receive_orders
from bot.workers.lines import SharedLines
from bot.workers.routing import routing

log = structlog.get_logger()

POST_S = 1.0
"""How often the row is written although nothing was heard of: tickets expire silently."""


async def work(orders: Orders, listener: socket.socket, lifeline: socket.socket) -> None:
    """Answer calls until SIGTERM, or until the foreman is gone; then drain.

    Raises `ConfigError`, `StoreError` or `VoiceError` before anything listens.
    """
    me, config, folder = orders.worker, orders.config, Path(orders.folder)
    stop = _stop_event(lifeline)
    with closing(Board(orders.board)) as board, closing(Mailbox(folder, me)) as mailbox:
        service = Service(
            config,
            config.server.public_url or orders.url,
            lines=SharedLines(board, me, config.server.max_calls),
            tickets=Tickets(me),
            metrics=Metrics(folder),
        )
        async with _posting(service, board, me), ready(service, routing(me, board, mailbox)) as runner:
            assert runner.server is not None  # once it is set up
            mailbox.open(runner.server)
            service.supervisor.changed.set()  # it is ready: let the others know now
            keep_for_good()
            await web.SockSite(runner, listener).start()
            if me == 1:  # one link is enough
                await service.site.announce()
            lifeline.send(encode(Report()))
            await stop.wait()


def _stop_event(lifeline: socket.socket) -> asyncio.Event:
    """What SIGTERM sets, however often it comes: from the foreman, and from systemd to every process of a service."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def foreman_has_gone() -> None:
        loop.remove_reader(lifeline)
        log.error("foreman_died", remedy="this worker ends its calls and stops; start the service again")
        stop.set()

    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    loop.add_reader(lifeline, foreman_has_gone)
    return stop


@asynccontextmanager
async def _posting(service: Service, board: Board, me: int) -> AsyncIterator[None]:
    """Keep our row true for as long as the block lasts."""
    task = asyncio.create_task(_keep_posted(service, board, me))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        board.write(me, Row())


async def _keep_posted(service: Service, board: Board, me: int) -> None:
    supervisor = service.supervisor
    while True:
        supervisor.changed.clear()
        expected = service.tickets.count(asyncio.get_running_loop().time())
        is_open = service.is_ready and not supervisor.is_draining
        board.write(me, Row(is_open, len(supervisor), supervisor.lines(expected)))
        with suppress(TimeoutError):
            await asyncio.wait_for(supervisor.changed.wait(), POST_S)


def main() -> None:
    """`python -m bot.workers.worker LISTENER LIFELINE`: the descriptors of two sockets that the foreman left open."""
    listener, lifeline = (socket.socket(fileno=int(number)) for number in sys.argv[1:3])
    orders = receive_orders(lifeline)
    lifeline.setblocking(False)
    logs.configure(orders.config.log)
    bind_contextvars(worker=orders.worker)
    try:
        run(work(orders, listener, lifeline))
    except BotError as exc:
        lifeline.send(encode(Report(str(exc))))
        sys.exit(1)


if __name__ == "__main__":
    main()
