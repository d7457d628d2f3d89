"""A connection that came to the wrong worker is answered by the right one, and its client does not notice."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from bot.workers.board import Board, Row
from bot.workers.handover import PATIENCE_S, Mailbox, mailbox_path
from bot.workers.routing import routing


@dataclass
class Worker:
    number: int
    url: str
    mailbox: Mailbox
    server: web.Server


class Pair:
    """Two workers in one process, each with a port of its own, so that a test decides which one is asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.board = Board.make(folder / "board", 2)
        self.has_lines(0, 0)

    def has_lines(self, *lines: int) -> None:
        for worker, count in enumerate(lines, start=1):
            self.board.write(worker, Row(is_open=True, lines=count))

    @asynccontextmanager
    async def worker(self, number: int) -> AsyncIterator[Worker]:
        mailbox = Mailbox(self.folder, number)

        async def voice(request: web.Request) -> web.Response:
            body = await request.read()
            return web.json_response([number, request.raw_path, request.headers.get("X-Signature"), len(body)])

        async def media(request: web.Request) -> web.WebSocketResponse:
            ws = web.WebSocketResponse()
            await ws.prepare(request)
            async for message in ws:
                await ws.send_str(f"{number} {message.data}")
            return ws

        async def status(request: web.Request) -> web.Response:
            return web.json_response(number)

        app = web.Application(middlewares=[routing(number, self.board, mailbox)])
        app.router.add_route("*", "/twilio/voice", voice, name="twilio-voice")
        app.router.add_get("/media/twilio/{token}", media, name="twilio-media")
        app.router.add_get("/status", status)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        assert runner.server is not None
        mailbox.open(runner.server)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            yield Worker(number, f"http://127.0.0.1:{runner.addresses[0][1]}", mailbox, runner.server)
        finally:
            await runner.cleanup()
            mailbox.close()


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[tuple[Pair, Worker, Worker]]:
    pair = Pair(tmp_path)
    async with AsyncExitStack() as stack:
        yield pair, *[await stack.enter_async_context(pair.worker(number)) for number in (1, 2)]


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A client that keeps one connection, so that a test knows which."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
        yield session


async def asked(http: aiohttp.ClientSession, url: str, **request: object) -> list[object] | int:
    async with http.request("POST" if "voice" in url else "GET", url, **request) as response:  # type: ignore[arg-type]
        assert response.status == 200
        return await response.json()


def fill(mailbox: socket.socket) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender, suppress(BlockingIOError):
        while True:
            sender.sendto(b"x", mailbox.getsockname())


async def test_a_media_socket_goes_to_the_worker_that_issued_its_token(pair, http):
    _, first, _ = pair
    for token, answered_by in (("1-abc", "1"), ("2-abc", "2"), ("2-x-y", "2")):
        async with http.ws_connect(f"{first.url}/media/twilio/{token}") as ws:
            await ws.send_str("hello")
            assert await ws.receive_str(timeout=5) == f"{answered_by} hello"
            await ws.send_str("x" * 200_000)
            assert len(await ws.receive_str(timeout=5)) == 200_002


async def test_a_webhook_goes_to_the_worker_with_the_fewest_calls_as_it_came(pair, http):
    workers, first, _ = pair
    workers.has_lines(5, 0)
    answer = await asked(http, f"{first.url}/twilio/voice?a=%20b?&c", data=b"x" * 60_000, headers={"X-Signature": "s="})
    assert answer == [2, "/twilio/voice?a=%20b?&c", "s=", 60_000]


async def test_a_webhook_in_compressed_chunks_arrives_whole(pair, http):
    workers, first, _ = pair
    workers.has_lines(5, 0)

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"y" * 1000

    assert (await asked(http, f"{first.url}/twilio/voice", data=chunks(), compress="gzip"))[0::3] == [2, 3000]


async def test_the_connection_stays_with_its_new_worker_and_can_change_hands_again(pair, http):
    workers, first, _ = pair
    assert await asked(http, f"{first.url}/status") == 1
    workers.has_lines(5, 0)
    assert (await asked(http, f"{first.url}/twilio/voice"))[0] == 2
    assert await asked(http, f"{first.url}/status") == 2
    workers.has_lines(0, 5)
    assert (await asked(http, f"{first.url}/twilio/voice"))[0] == 1
    assert await asked(http, f"{first.url}/status") == 1


async def test_where_the_other_worker_is_gone_the_request_is_answered_here(tmp_path: Path, http):
    workers = Pair(tmp_path)
    workers.has_lines(5, 0)
    async with workers.worker(1) as first:
        assert (await asked(http, f"{first.url}/twilio/voice"))[0] == 1
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as dead:
            dead.bind(str(mailbox_path(tmp_path, 2)))  # what a killed process leaves behind is its address
        assert (await asked(http, f"{first.url}/twilio/voice"))[0] == 1


async def test_a_worker_that_does_not_read_is_waited_for_and_then_done_without(tmp_path: Path, http):
    workers = Pair(tmp_path)
    workers.has_lines(5, 0)
    async with workers.worker(1) as first:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as stuck:
            stuck.bind(str(mailbox_path(tmp_path, 2)))
            fill(stuck)
            waiting = asyncio.create_task(asked(http, f"{first.url}/twilio/voice"))
            done, _ = await asyncio.wait({waiting}, timeout=PATIENCE_S / 4)
            assert not done
            assert (await waiting)[0] == 1


@pytest.mark.parametrize("token", ["3-abc", "0-abc", "abc", "-", "99999999999999999999-a", "²-a"])
async def test_a_token_of_no_worker_is_looked_at_where_it_came(pair, http, token):
    _, first, _ = pair
    async with http.ws_connect(f"{first.url}/media/twilio/{token}") as ws:
        await ws.send_str("hello")
        assert await ws.receive_str(timeout=5) == "1 hello"


async def test_nothing_is_left_behind_in_the_worker_that_let_go(pair):
    _, first, second = pair
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        async with aiohttp.ClientSession() as http, http.ws_connect(f"{first.url}/media/twilio/2-abc") as ws:
            await ws.send_str("hello")
            assert await ws.receive_str(timeout=5) == "2 hello"
            assert len(first.server.connections) == 0
            assert len(second.server.connections) == 1
    for _ in range(500):
        if not second.server.connections and len(os.listdir("/proc/self/fd")) == before:
            break
        await asyncio.sleep(0.01)  # the clients are gone; the servers are just noticing
    assert len(os.listdir("/proc/self/fd")) == before
    assert not second.mailbox._adopted
