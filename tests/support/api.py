"""A script that uses the JSON API of a running service, and calls for it to find."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from bot.calllog.records import Record, TimelineEvent
from bot.review.roles import Role
from bot.service import Service
from bot.serving import running
from tests.support.calls import ended, message, recording, started, turn
from tests.support.visitors import pages_config


@dataclass(frozen=True, slots=True)
class Script:
    """Sends a token with each request."""

    url: str
    service: Service
    http: aiohttp.ClientSession

    async def get(self, path: str, **query: str) -> tuple[int, Any]:
        return await self.ask("GET", path, query)

    async def ask(self, method: str, path: str, query: Any = None, **options: Any) -> tuple[int, Any]:
        """The status, and the answer's JSON or text."""
        async with self.http.request(method, self.url + path, params=query, **options) as response:
            is_json = response.content_type == "application/json"
            return response.status, await response.json() if is_json else await response.text()

    async def write(self, *records: Record) -> None:
        for record in records:
            self.service.feed.write(record)
        await self.service.feed.flush()

    @asynccontextmanager
    async def of(self, role: Role) -> AsyncIterator["Script"]:
        """The same service with a token of another role."""
        async with asking(self.service, self.url, role) as script:
            yield script


@asynccontextmanager
async def asking(service: Service, url: str, role: Role) -> AsyncIterator[Script]:
    token = await service.site.api_tokens.make(f"script of {role}", role, "admin", datetime.now(UTC))
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http:
        yield Script(url, service, http)


@asynccontextmanager
async def service_with_api(folder: Path, role: Role = Role.ADMIN) -> AsyncIterator[Script]:
    """A service on this machine, and a script with a token of this role."""
    async with running(pages_config(folder)) as (service, url), asking(service, url, role) as script:
        yield script


def whole_call(call_id: str, text: str = "When are you open?", path: str = "", **changes: Any) -> list[Record]:
    """A call that is over, with something of everything."""
    records: list[Record] = [
        started(call_id, **changes),
        turn(call_id, 0, role="caller", kind="speech", text=text, heard_text=None),
        turn(call_id, 1, text="We are open from nine.", heard_text="We are open", interrupted=True, reply_ms=700),
        TimelineEvent(call_id, 5, "tool_requested", {"name": "lookup_fact"}),
        message(call_id),
        ended(call_id),
    ]
    if path:
        records.insert(1, recording(call_id, path=path))
    return records
