"""Who has the port that we want."""

import socket
from dataclasses import dataclass

import aiohttp
import msgspec

from bot.config import ServerConfig
from bot.doctor.asking import ask

_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


@dataclass(frozen=True, slots=True)
class PortSeen:
    is_offhook: bool
    """Whether an Offhook listens there already."""
    fault: str = ""
    """Why nobody can listen there; empty: somebody may."""


class _Health(msgspec.Struct):
    status: str


async def look_at_port(server: ServerConfig, http: aiohttp.ClientSession) -> PortSeen:
    host = _ANYWHERE.get(server.host, server.host)
    answered = await ask(http, f"http://{f'[{host}]' if ':' in host else host}:{server.port}/healthz")
    health = answered.json(_Health)
    if answered.status == 200 and health is not None and health.status == "ok":
        return PortSeen(is_offhook=True)
    return PortSeen(is_offhook=False, fault=_fault(server))


def _fault(server: ServerConfig) -> str:
    """Takes the port and lets go of it."""
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((server.host, server.port))
        except OSError as exc:
            return exc.strerror or str(exc)
    return ""
