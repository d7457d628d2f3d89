"""The WebSockets of one voice: opened, read, written and closed as the voice asks, by number. They decide nothing.

Pings tell whether the model still reads: bytes that only pile up in the network are of no use to a caller. They are
frequent while much is sent, that is while the caller speaks.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidState, InvalidStatus, WebSocketException

from bot.config import ModelServerConfig
from bot.events import (
    CloseLink,
    FromModel,
    LinkClogged,
    LinkClosed,
    LinkCommand,
    LinkEvent,
    LinkFlows,
    OpenLink,
    ToModel,
)

_BEAT_S = 0.5
_MANY_SENT = 15  # in one beat: speech goes frame by frame, a long silence in larger pieces
_BEATS_WITHOUT_PING = 10
_BEATS_TO_CLOGGED, _BEATS_TO_DEAD = 1, 7  # so many beats without an answer
_MAX_MESSAGE_BYTES = 16 * 1024 * 1024
_UNSENT_BYTES = 1024 * 1024  # never reached: before that the pings have told that nobody reads
_CLOSE_S = 1.0

Deliver = Callable[[LinkEvent], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    url: str  # ws:// or wss://
    headers: dict[str, str] = field(repr=False)
    open_timeout_s: float = 5.0


def realtime_endpoint(server: ModelServerConfig, query: Mapping[str, str], open_timeout_s: float = 5.0) -> Endpoint:
    """The realtime socket of a server: the twin of its REST address. `query` is `model`, or `intent`."""
    url = urlsplit(server.base_url)
    scheme = {"https": "wss", "http": "ws"}[url.scheme]
    path = url.path.rstrip("/") + "/realtime"
    headers = {"Authorization": f"Bearer {server.api_key}"} if server.api_key else {}
    if server.organization:
        headers["OpenAI-Organization"] = server.organization
    if server.project:
        headers["OpenAI-Project"] = server.project
    return Endpoint(urlunsplit((scheme, url.netloc, path, urlencode(query), "")), headers, open_timeout_s)


class ModelSockets:
    def __init__(self, endpoint: Endpoint, deliver: Deliver) -> None:
        """`deliver` hears of every message and of the end of each link that was not closed from here."""
        self.deliver = deliver
        self._endpoint = endpoint
        self._sockets: dict[int, ClientConnection] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._sent = 0
        self._fault: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def watch(self) -> None:
        """Wait for ever; raises what a bug in the handling of a message raised."""
        await asyncio.shield(self._fault)

    def obey(self, command: LinkCommand) -> None:
        match command:
            case OpenLink(number):
                self.open(number)
            case ToModel(number, message):
                self.send(number, message)
            case CloseLink(number):
                self.close(number)

    def open(self, number: int) -> None:
        task = self._tasks[number] = asyncio.create_task(self._keep(number), name=f"model-link-{number}")
        task.add_done_callback(self._on_task_done)

    def send(self, number: int, message: bytes) -> None:
        """To a link that is gone, nothing is sent: its reader tells of its end."""
        self._sent += 1
        socket = self._sockets.get(number)
        if socket is not None:
            try:
                # `socket.send` does the same behind two context managers: for 50 frames a second they are a tenth of
                # all that a call costs.
                socket.protocol.send_text(message)
                socket.send_data()
            except (ConnectionClosed, InvalidState):
                self._sockets.pop(number, None)

    def close(self, number: int) -> None:
        """Let go of a link; nothing more is heard of it."""
        task = self._tasks.pop(number, None)
        if task is None:
            return
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        if (socket := self._sockets.pop(number, None)) is None:
            task.cancel()
        else:  # its reader may be in the middle of handing something on, so it is not cancelled
            closing = asyncio.create_task(socket.close())
            self._ending.add(closing)
            closing.add_done_callback(self._ending.discard)

    async def until_closed(self) -> None:
        """Wait until the voice has let go of every link."""
        while self._tasks:
            await asyncio.wait([*self._tasks.values()])

    async def aclose(self) -> None:
        """Close every link and wait until each task has ended."""
        for number in list(self._tasks):
            self.close(number)
        if self._ending:
            await asyncio.wait(self._ending)
        if self._fault.done():
            self._fault.exception()
        else:
            self._fault.cancel()

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (fault := task.exception()) is not None and not self._fault.done():
            self._fault.set_exception(fault)

    async def _keep(self, number: int) -> None:
        """One link from its handshake to its end."""
        try:
            reason, code = await self._talk(number)
        except InvalidStatus as exc:
            reason, code = f"the server answered HTTP {exc.response.status_code}", exc.response.status_code
        except (OSError, TimeoutError, WebSocketException) as exc:
            reason, code = f"no connection: {exc or type(exc).__name__}", None
        self._sockets.pop(number, None)
        if self._tasks.pop(number, None) is not None:  # else it was closed from here
            await self.deliver(LinkClosed(number, reason, code))

    async def _talk(self, number: int) -> tuple[str, int | None]:
        async with connect(
            self._endpoint.url,
            additional_headers=self._endpoint.headers,
            open_timeout=self._endpoint.open_timeout_s,
            ping_interval=None,
            close_timeout=_CLOSE_S,
            max_size=_MAX_MESSAGE_BYTES,
            write_limit=_UNSENT_BYTES,
            compression=None,
        ) as socket:
            self._sockets[number] = socket
            pulse = asyncio.create_task(self._feel_pulse(number, socket))
            try:
                while number in self._tasks:
                    message = await socket.recv()
                    await self.deliver(FromModel(number, message))  # looked up now: it may have changed hands
                return "closed", None
            except ConnectionClosed as exc:
                closed = exc.rcvd or exc.sent
                return (closed.reason or "the socket was closed", closed.code) if closed else ("the socket broke", None)
            finally:
                pulse.cancel()

    async def _feel_pulse(self, number: int, socket: ClientConnection) -> None:
        try:
            while await self._answers(socket, number):
                for _ in range(_BEATS_WITHOUT_PING):
                    sent_before = self._sent
                    await asyncio.sleep(_BEAT_S)
                    if self._sent - sent_before >= _MANY_SENT:
                        break
        except ConnectionClosed:
            return  # the reader tells
        socket.transport.abort()

    async def _answers(self, socket: ClientConnection, number: int) -> bool:
        """One ping and its answer, looked for at each beat; False if none came in time."""
        pong = asyncio.ensure_future(await socket.ping())
        for beat in range(1, _BEATS_TO_DEAD + 1):
            await asyncio.sleep(_BEAT_S)
            if pong.done():
                if beat > _BEATS_TO_CLOGGED:
                    await self.deliver(LinkFlows(number))
                return True
            if beat == _BEATS_TO_CLOGGED:
                await self.deliver(LinkClogged(number))
        return False
