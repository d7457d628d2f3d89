"""A stand-in for OpenAI's Realtime service on a free loopback port, for tests, benchmarks and load: `ToneModel`.

It decides by level who speaks and answers with tones (tone_session.py), cheap enough for many calls in one process.
This file is its sockets; what it says and what goes wrong is given in the words of tone_script.py.

    async with ToneModel(script=[Tone(1500, 440), FunctionCall("hang_up")]) as model:
        ...  # base_url = model.base_url
        assert model.sessions[0].truncations == []
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Self

from aiohttp import WSMsgType, web

from bot.rehearsal.tone_script import Answer, Faults
from bot.rehearsal.tone_session import CloseSocket, Cut, Manner, Output, StopReading, ToneSession

Script = Sequence[Answer] | Callable[[int], Sequence[Answer]]
"""What each session says, response by response; or by the session's number, from 0."""

_MAX_MESSAGE_BYTES = 16 * 1024 * 1024
_CLOSE_TIMEOUT_S = 1.0


class ToneModel:
    """Serves while the `async with` block lasts; every connection is cut at its end."""

    def __init__(
        self,
        *,
        script: Script = (),
        manner: Manner | None = None,
        faults: Faults | Sequence[Faults] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`faults` of every connection; or of the first ones, each in its turn, the others being sound.

        `clock` gives the seconds in what a session notes; the default agrees between processes of one machine.
        """
        self.base_url = ""
        """What belongs into `openai.base_url`."""
        self.connections: list[ToneConnection] = []
        """Those that were accepted, from the first one on."""
        self.upgrades: list[tuple[str, int]] = []
        """Path with query, and status, of every request."""
        self.authorizations: list[str] = []
        self.coming: deque[Faults] = deque() if isinstance(faults, Faults) else deque(faults)
        """The faults of the next connections, before `usual` again."""
        self.usual = faults if isinstance(faults, Faults) else Faults()
        self._script = script
        self._manner = manner or Manner()
        self._clock = clock
        self._runner: web.AppRunner | None = None
        self._arrival = asyncio.Event()

    @property
    def sessions(self) -> "list[ToneSession]":
        return [connection.session for connection in self.connections]

    async def connection(self, number: int = 0) -> "ToneConnection":
        """The connection with this number, as soon as there is one."""
        while len(self.connections) <= number:
            self._arrival.clear()
            await self._arrival.wait()
        return self.connections[number]

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/v1/realtime", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_CLOSE_TIMEOUT_S)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        for connection in self.connections:
            connection.cut()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        faults = replace(self.coming.popleft() if self.coming else self.usual)
        self.upgrades.append((request.path_qs, faults.status or 101))
        self.authorizations.append(request.headers.get("Authorization", ""))
        if faults.status:
            error = {"type": "invalid_request_error", "code": None, "message": "This refusal was asked for."}
            return web.json_response({"error": error}, status=faults.status)
        socket = web.WebSocketResponse(
            protocols=("realtime",), max_msg_size=_MAX_MESSAGE_BYTES, compress=False, timeout=_CLOSE_TIMEOUT_S
        )
        await socket.prepare(request)
        assert request.transport is not None
        connection = ToneConnection(socket, request.transport, self._session(request, faults), self._clock)
        self.connections.append(connection)
        self._arrival.set()
        await connection.run()
        return socket

    def _session(self, request: web.Request, faults: Faults) -> ToneSession:
        number = len(self.connections)
        script = self._script(number) if callable(self._script) else self._script
        model = request.query.get("model", "")
        return ToneSession(number, model, script, manner=self._manner, faults=faults, epoch_s=time.time())


class ToneConnection:
    """One socket, and what a test may do to it. What has arrived stands in `session`."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport,
        session: ToneSession,
        clock: Callable[[], float],
    ) -> None:
        self.session = session
        self.ended = asyncio.Event()
        """Set when the connection is over, whoever ended it."""
        self._socket = socket
        self._transport = transport
        self._clock = clock
        self._order = asyncio.Lock()  # two tasks send; what was said first goes first
        self._has_news = asyncio.Event()
        self._is_rescheduled = asyncio.Event()
        self._armed_for = math.inf
        self._is_deaf = False

    @property
    def close_code(self) -> int | None:
        """With which the socket was closed; 1006 where it was cut, None while it is open."""
        return self._socket.close_code

    async def run(self) -> None:
        keeper = asyncio.create_task(self._keep_time())
        try:
            await self._do(self.session.start(self._clock()))
            await self._read()
        finally:
            keeper.cancel()
            self.ended.set()
            self._has_news.set()

    async def until(self, is_so: Callable[[ToneSession], object]) -> None:
        """Wait until something is true of the session, which is asked after each of its events."""
        while not is_so(self.session):
            if self.ended.is_set():
                raise ConnectionError("the connection ended before that came true")
            self._has_news.clear()
            await self._has_news.wait()

    async def complain(
        self, code: str | None, message: str = "This was asked for.", kind: str = "invalid_request_error"
    ) -> None:
        """Send an `error` event."""
        await self._do(self.session.complain(code, message, kind))

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the socket as the protocol has it."""
        await self._do([CloseSocket(code, reason)])

    def cut(self) -> None:
        """End the TCP connection at once, without a close frame."""
        self._transport.abort()
        self.ended.set()

    def stop_reading(self) -> None:
        """Leave the connection open and take nothing more from it: the network's buffers fill up."""
        self._is_deaf = True
        self._transport.pause_reading()

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type is WSMsgType.TEXT:
                await self._do(self.session.receive(message.data, self._clock()))
            if self._is_deaf:
                await self.ended.wait()
                return

    async def _do(self, outputs: list[Output]) -> None:
        self._has_news.set()
        if self.session.next_deadline() != self._armed_for:
            self._is_rescheduled.set()
        if not outputs:
            return
        async with self._order:
            for output in outputs:
                await self._do_one(output)

    async def _do_one(self, output: Output) -> None:
        match output:
            case str():
                await self._say(output)
            case Cut():
                self.cut()
            case CloseSocket(code, reason):
                await self._socket.close(code=code, message=reason.encode())
            case StopReading():
                self.stop_reading()

    async def _say(self, message: str) -> None:
        if not self._socket.closed and not self._transport.is_closing():
            await self._socket.send_str(message)

    async def _keep_time(self) -> None:
        while True:
            self._is_rescheduled.clear()
            self._armed_for = self.session.next_deadline()
            wait_s = self._armed_for - self._clock()
            if wait_s > 0:
                # Not `wait_for`: in Python 3.11 it loses a cancellation that comes together with the event.
                with suppress(TimeoutError):
                    async with asyncio.timeout(None if wait_s == math.inf else wait_s):
                        await self._is_rescheduled.wait()
            else:
                await self._do(self.session.on_deadline(self._clock()))
