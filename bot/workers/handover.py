"""A connection changes hands between workers, with the request that came on it.

The worker that has it takes it off its event loop unread and unanswered, and sends a duplicate of the socket to the
other one in a datagram on a Unix socket (SCM_RIGHTS, unix(7)), together with the request as bytes. The other one
serves it as if it had come in there. Closing our duplicate ends nothing on the wire. Nothing is lost on the way: a
client that has asked sends no more before it is answered (an upgrade: RFC 6455, section 4.1), and whatever it does
send stays in the kernel from the moment we stop reading.
"""

import array
import asyncio
import os
import socket
from contextlib import suppress
from pathlib import Path

import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

log = structlog.get_logger()

PATIENCE_S = 2.0
_RETRY_S = 0.005
_MAX_REQUEST_BYTES = 512 * 1024
_SOCKET_BUFFER_BYTES = 4 * _MAX_REQUEST_BYTES
_MAX_AT_ONCE = 64
# The body is sent on decoded, and whole.
_OF_THE_BODY = frozenset({b"content-length", b"content-encoding", b"transfer-encoding", b"expect"})


def mailbox_path(folder: Path, worker: int) -> Path:
    return folder / f"worker-{worker}.socket"


def request_bytes(request: web.BaseRequest, body: bytes) -> bytes:
    """A request as it came, header for header, except that its body is neither compressed nor in chunks."""
    version = request.version
    lines = [
        f"{request.method} {request.raw_path} HTTP/{version.major}.{version.minor}".encode(errors="surrogateescape")
    ]
    lines += [name + b": " + value for name, value in request.raw_headers if name.lower() not in _OF_THE_BODY]
    if body or request.method != "GET":
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([*lines, b"", body])


class Mailbox:
    """Where one worker receives connections from the others, and sends them from."""

    def __init__(self, folder: Path, worker: int) -> None:
        """Raises `OSError` where the folder cannot hold a socket."""
        self._folder = folder
        self._path = mailbox_path(folder, worker)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BUFFER_BYTES)
        self._server: web.Server | None = None
        self._adopted: set[RequestHandler] = set()  # those whose first request has not been looked at
        self._adopting: set[asyncio.Task[None]] = set()

    def open(self, server: web.Server) -> None:
        """From now on serve what the others hand over."""
        self._server = server
        self._path.unlink(missing_ok=True)  # of a worker that died in our place
        self._socket.bind(str(self._path))
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._receive)

    def close(self) -> None:
        if self._server is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._path.unlink(missing_ok=True)
        self._socket.close()

    # -- to the others -----------------------------------------------------------------------------------------------

    async def send(self, request: web.Request, worker: int) -> bool:
        """Hand a request and its connection over; False, and nothing is changed, where the other one takes none."""
        letter = request_bytes(request, await request.read())
        transport = request.transport
        if transport is None or transport.is_closing():
            return False
        transport.pause_reading()
        connection = os.dup(transport.get_extra_info("socket").fileno())
        try:
            is_sent = await self._post(letter, connection, str(mailbox_path(self._folder, worker)))
        finally:
            os.close(connection)
        if is_sent:
            request.protocol.force_close()
        else:
            transport.resume_reading()
        return is_sent

    async def _post(self, letter: bytes, connection: int, address: str) -> bool:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [connection]))]
        give_up_at = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            try:
                self._socket.sendmsg([letter], rights, 0, address)
            except BlockingIOError:  # its queue is full (net.unix.max_dgram_qlen), and nothing tells when it is not
                if asyncio.get_running_loop().time() > give_up_at:
                    log.warning("handover_failed", error="the other worker does not read")
                    return False
                await asyncio.sleep(_RETRY_S)
            except OSError as exc:  # nobody is there: it has died, or is being started
                log.warning("handover_failed", error=str(exc))
                return False
            else:
                return True

    # -- from the others ---------------------------------------------------------------------------------------------

    def was_handed_over(self, request: web.BaseRequest) -> bool:
        """Whether this is the request with which a connection came from another worker."""
        if request.protocol not in self._adopted:
            return False
        self._adopted.discard(request.protocol)
        return True

    def _receive(self) -> None:
        for _ in range(_MAX_AT_ONCE):
            try:
                letter, connections, flags, _ = socket.recv_fds(
                    self._socket, _MAX_REQUEST_BYTES, 1, socket.MSG_CMSG_CLOEXEC
                )
            except BlockingIOError:
                return
            received = [socket.socket(fileno=connection) for connection in connections]
            if len(received) == 1 and not flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
                task = asyncio.ensure_future(self._adopt(letter, received[0]))
                self._adopting.add(task)
                task.add_done_callback(self._adopting.discard)
                continue
            log.warning("handover_failed", error="a request too large to change hands")
            for connection in received:
                connection.close()

    async def _adopt(self, letter: bytes, connection: socket.socket) -> None:
        """Serve a connection as if it had come in here: the same protocol, and first the request that it brings."""
        assert self._server is not None
        connection.setblocking(False)
        with suppress(OSError):  # the client has left meanwhile
            _, protocol = await asyncio.get_running_loop().connect_accepted_socket(self._server, connection)
            self._adopted = {waiting for waiting in self._adopted if waiting.transport is not None}
            self._adopted.add(protocol)
            protocol.data_received(letter)
