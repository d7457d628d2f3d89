"""One media stream as the carrier keeps it: the caller's frames up on time, the server's audio into the playout buffer.

Every 20 ms, on one absolute schedule: the marks of what was heard go back, the next frame of the buffer begins to
sound, and what the caller said during the frame before is sent. A frame that this machine delays delays no other.
"""

import asyncio
import os
import socket as sockets
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from aiohttp import ClientConnectionError, ClientWebSocketResponse, WSMsgType
from pybase64 import b64encode_as_string

from bot.rehearsal.buffer import PlayoutBuffer
from bot.rehearsal.caller import Caller
from bot.rehearsal.line import CallerLeg, Direction, Line
from bot.rehearsal.server_message import Audio, ClearRequest, Invalid, Mark, read
from bot.rehearsal.sound import FRAME_MS
from bot.rehearsal.wire import Wire

Ending = Literal["caller", "server", "network", "api"]
"""Who ended a stream: the caller, the server by closing, the network, or a request to the REST API."""

_NORMAL_CLOSE = 1000
_ABNORMAL_CLOSE = 1006  # the connection ended without a close frame (RFC 6455, 7.1.5)
_CLOSE_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class StreamIds:
    account_sid: str
    call_sid: str
    stream_sid: str


class EmulatedStream:
    """One socket's life. What it has seen stays readable after `run`."""

    def __init__(self, socket: ClientWebSocketResponse, caller: Caller, line: Line, ids: StreamIds) -> None:
        self.buffer = PlayoutBuffer()
        self.spoke = bytearray()  # mu-law, from the stream's start
        self.heard = bytearray()
        self.late_s: list[float] = []
        self.sent: Counter[str] = Counter()
        self.received: Counter[str] = Counter()
        self.errors: list[str] = []
        self._socket = socket
        self._caller = caller
        self._line = line
        self._ids = ids
        self._leg = CallerLeg(line)
        self._uplink: Wire[str] = Wire(Direction(line, "uplink"), socket.send_str)
        self._downlink: Wire[str | bytes] = Wire(Direction(line, "downlink"), self._obey)
        self._started_at = 0.0
        self._sequence = 0
        self._chunk = 0

    async def run(self, parameters: Mapping[str, str], interrupted: asyncio.Event, max_s: float) -> Ending:
        """Carry the stream to its end and close the socket; `interrupted` is set when the REST API wants it ended.

        After `max_s` the caller hangs up, which is noted as an error.
        """
        tasks: dict[asyncio.Task[Any], Ending] = {
            asyncio.create_task(self._read()): "server",
            asyncio.create_task(self._uplink.run()): "server",  # it ends only when the socket does
            asyncio.create_task(self._downlink.run()): "server",
            asyncio.create_task(self._speak(parameters, max_s)): "caller",
            asyncio.create_task(interrupted.wait()): "api",
        }
        if self._line.close_after_ms is not None:
            tasks[asyncio.create_task(self._wait_for_cut(self._line.close_after_ms))] = "network"
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            ending = self._ending({tasks[task] for task in done})
            await self._part(ending)
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        _raise_bugs(results)
        return ending

    def _ending(self, reasons: set[Ending]) -> Ending:
        if reasons & {"network", "api"}:
            return "network" if "network" in reasons else "api"
        if "server" in reasons:
            return "network" if self._socket.close_code in (None, _ABNORMAL_CLOSE) else "server"
        return "caller"

    async def _part(self, ending: Ending) -> None:
        """Take leave of the server, as far as the ending allows."""
        if ending == "network":
            _cut(self._socket)
        elif ending != "server":
            self._send("stop", f'"stop":{_json({"accountSid": self._ids.account_sid, "callSid": self._ids.call_sid})}')
            with suppress(TimeoutError):  # a server that no longer reads must not keep the call
                await asyncio.wait_for(self._uplink.drain(), _CLOSE_TIMEOUT_S)
        await self._socket.close(code=_NORMAL_CLOSE)

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                self._downlink.send(message.data)
        await self._downlink.drain()

    async def _obey(self, data: str | bytes) -> None:
        message = read(data, self._ids.stream_sid)
        match message:
            case Audio(payload):
                self.received["media"] += 1
                self.buffer.push(payload, self._now_ms())
            case Mark(name):
                self.received["mark"] += 1
                self._return_marks(self.buffer.mark(name))
            case ClearRequest():
                self.received["clear"] += 1
                self._return_marks(self.buffer.clear(self._now_ms()))
            case Invalid(error):
                self.received["invalid"] += 1
                if error not in self.errors:
                    self.errors.append(error)

    async def _speak(self, parameters: Mapping[str, str], max_s: float) -> None:
        """Open the stream and keep its 20 ms schedule until the caller hangs up."""
        loop = asyncio.get_running_loop()
        self._uplink.send('{"event":"connected","protocol":"Call","version":"1.0.0"}')
        await asyncio.sleep(self._line.late_start_ms / 1000)
        self._started_at = loop.time()
        self._send("start", f'"start":{self._start_body(parameters)}')
        for frame in range(int(max_s * 1000 / FRAME_MS)):
            payload = self._begin_frame(frame * FRAME_MS)
            if payload is None:
                return
            due = self._started_at + (frame + 1) * FRAME_MS / 1000
            await asyncio.sleep(max(0.0, due - loop.time()))
            self.late_s.append(loop.time() - due)
            self._end_frame(frame * FRAME_MS, payload)
        self.errors.append(f"the caller hung up since the call lasted longer than {max_s:g} s")

    def _begin_frame(self, at_ms: int) -> bytes | None:
        """What begins to sound in the caller's ear, and what the caller begins to do: the words, or None to hang up."""
        frame = self.buffer.tick()
        self._return_marks(frame.marks)
        self._sounding = frame.payload
        for digit in self._caller.keys(at_ms):
            self._send("dtmf", f'"dtmf":{{"track":"inbound_track","digit":{_json(digit)}}}')
        return self._caller.frame(at_ms)

    def _end_frame(self, at_ms: int, payload: bytes) -> None:
        """The 20 ms are over: they have been heard, and the caller's words can be sent."""
        self._caller.hear(at_ms, self._sounding)
        self.spoke += payload
        self.heard += self._sounding
        self._send_media(payload, at_ms)

    def _send_media(self, payload: bytes, at_ms: int) -> None:
        copies = self._leg.copies()
        self._chunk += min(copies, 1)  # chunks number what Twilio sends on, so a lost frame shows in the time only
        encoded = b64encode_as_string(payload)
        body = f'"track":"inbound","chunk":"{self._chunk}","timestamp":"{at_ms}","payload":"{encoded}"'
        for _ in range(copies):
            self._send("media", f'"media":{{{body}}}')

    def _return_marks(self, names: tuple[str, ...]) -> None:
        for name in names:
            self._send("mark", f'"mark":{_json({"name": name})}')

    def _send(self, event: str, body: str) -> None:
        self._sequence += 1
        self.sent[event] += 1
        head = f'"event":"{event}","sequenceNumber":"{self._sequence}","streamSid":"{self._ids.stream_sid}"'
        self._uplink.send(f"{{{head},{body}}}")

    def _start_body(self, parameters: Mapping[str, str]) -> str:
        return _json(
            {
                "streamSid": self._ids.stream_sid,
                "accountSid": self._ids.account_sid,
                "callSid": self._ids.call_sid,
                "tracks": ["inbound"],
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
                "customParameters": dict(parameters),
            }
        )

    async def _wait_for_cut(self, after_ms: float) -> None:
        await asyncio.sleep((self._line.late_start_ms + after_ms) / 1000)

    def _now_ms(self) -> float:
        return (asyncio.get_running_loop().time() - self._started_at) * 1000


def _cut(socket: ClientWebSocketResponse) -> None:
    """End the TCP connection under the socket, so that the server sees no close frame."""
    transport_socket = socket.get_extra_info("socket")
    if transport_socket is None or transport_socket.fileno() < 0:
        return  # the other side was faster
    # Through a descriptor of its own, since event loops do not let their own sockets be shut down.
    with sockets.socket(fileno=os.dup(transport_socket.fileno())) as duplicate:
        try:
            duplicate.shutdown(sockets.SHUT_RDWR)
        except OSError:
            return  # not connected any more


def _raise_bugs(results: list[Any]) -> None:
    """A connection that breaks is part of the emulation; any other error of a task is ours."""
    for result in results:
        expected = isinstance(result, asyncio.CancelledError | ClientConnectionError | ConnectionError)
        if isinstance(result, BaseException) and not expected:
            raise result


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
