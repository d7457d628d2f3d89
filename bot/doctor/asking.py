"""One HTTP request, and whatever became of it as a value: an answer, or why there is none."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import aiohttp
import msgspec

TIMEOUT_S = 6.0
_MAX_BODY_BYTES = 2 * 1024 * 1024
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answered:
    """`fault` says why there is no answer; else `status` and the others are of the answer."""

    status: int = 0
    body: bytes = field(default=b"", repr=False)
    clock_ahead_s: float | None = None
    """How far this machine's clock is ahead of the server's; None where the server does not tell its time."""
    fault: str = ""

    def json(self, kind: type[T]) -> T | None:
        """The body as this type, or None where it is nothing of the kind."""
        try:
            return msgspec.json.decode(self.body, type=kind)
        except msgspec.DecodeError:
            return None


async def ask(http: aiohttp.ClientSession, url: str, headers: Mapping[str, str] | None = None) -> Answered:
    """GET, without following redirects elsewhere."""
    try:
        async with (
            asyncio.timeout(TIMEOUT_S),
            http.get(url, headers=headers, allow_redirects=False) as response,
        ):
            body = await response.content.read(_MAX_BODY_BYTES)
            return Answered(response.status, body, _ahead_s(response.headers.get("Date", "")))
    except TimeoutError:
        return Answered(fault=f"no answer within {TIMEOUT_S:.0f} s")
    except (aiohttp.ClientError, OSError, ValueError) as exc:
        return Answered(fault=_fault(exc))


def _fault(exc: Exception) -> str:
    """Why there is no answer, in fewer words than the libraries need."""
    if isinstance(exc, aiohttp.ClientConnectorDNSError):
        return "DNS does not know that name"
    if isinstance(exc, aiohttp.ClientConnectorCertificateError):
        return f"its certificate is not valid ({exc.certificate_error})"
    if isinstance(exc, aiohttp.ClientConnectorError) and exc.os_error.errno:
        return os.strerror(exc.os_error.errno)
    return str(exc) or type(exc).__name__


def _ahead_s(date: str) -> float | None:
    try:
        told = parsedate_to_datetime(date)
    except ValueError:
        return None
    return (datetime.now(UTC) - told).total_seconds() if told.tzinfo is not None else None
