"""What the foreman and a worker say to each other: orders down, one report up, and then silence.

The pair of sockets between them stays open as long as both live: a worker that reads its end has lost its foreman.
Secrets go this way, and so neither into a command line nor into a file. A message is its length (4 bytes, big-endian)
and MessagePack.
"""

import asyncio
import socket
from pathlib import Path
from typing import TypeVar

import msgspec

from bot.config import Config

_LENGTH_BYTES = 4
M = TypeVar("M", bound=msgspec.Struct)


class Orders(msgspec.Struct, frozen=True):
    worker: int
    """Its number, from 1."""
    folder: str
    """What the workers share: the board, their mailboxes, the metrics."""
    url: str
    """Where the service listens."""
    config: Config

    @property
    def board(self) -> Path:
        return Path(self.folder) / "board"


class Report(msgspec.Struct, frozen=True):
    error: str = ""
    """Why the worker cannot work; empty when it listens."""


def encode(message: Orders | Report) -> bytes:
    body = msgspec.msgpack.encode(message)
    return len(body).to_bytes(_LENGTH_BYTES, "big") + body


def receive_orders(lifeline: socket.socket) -> Orders:
    """Blocks. Raises `EOFError` where the foreman has died before it gave any."""
    with lifeline.makefile("rb") as file:
        length = int.from_bytes(file.read(_LENGTH_BYTES), "big")
        body = file.read(length)
    if not body or len(body) < length:
        raise EOFError("no orders")
    return msgspec.msgpack.decode(body, type=Orders)


async def read_report(reader: asyncio.StreamReader) -> Report:
    """Raises `EOFError` where the worker has died without a word."""
    length = int.from_bytes(await reader.readexactly(_LENGTH_BYTES), "big")
    return msgspec.msgpack.decode(await reader.readexactly(length), type=Report)
