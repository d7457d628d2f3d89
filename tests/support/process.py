"""`offhook serve` as a process of its own, and its log while it runs."""

import asyncio
import json
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.tones import ACCOUNT, TOKEN

CONFIG = """
[server]
port = 0
drain_s = 0.5

[log]
format = "json"

[storage]
database = "sqlite+aiosqlite:///{folder}/log.db"
recordings = "{folder}/recordings"

[carriers.twilio]
account_sid = "{account}"
auth_token = "env:TEST_TWILIO_TOKEN"
api_base = "http://127.0.0.1:9"
"""
TONES = """
[[bots]]
name = "tones"
greeting = "A greeting of tones, a second long...."
chained = { transcriber = "tones", responder = "tones", speaker = "SPEAKER" }
"""


class Serving:
    """The process, where it listens, and every line it has logged."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.url = ""
        self.lines: list[dict[str, Any]] = []
        self.printed = ""
        self._more = asyncio.Condition()
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            async with self._more:
                self.printed += line.decode()
                if line.startswith(b"{"):
                    self.lines.append(json.loads(line))
                self._more.notify_all()
        async with self._more:
            self._more.notify_all()

    def logged(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] == event]

    async def events(self, event: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until an event was logged so often; its lines."""
        async with asyncio.timeout(90), self._more:
            await self._more.wait_for(lambda: len(self.logged(event)) >= count or self.reading.done())
        assert len(self.logged(event)) >= count, self.printed
        return self.logged(event)


@asynccontextmanager
async def serving(
    folder: Path, *options: str, speaker: str = "tones", bots: str = "", listens: bool = True, **environment: str
) -> AsyncIterator[Serving]:
    """`offhook serve` with tones for a voice, or with `bots`; it listens, unless that is not to be waited for."""
    config = folder / "offhook.toml"
    config.write_text(CONFIG.format(folder=folder, account=ACCOUNT) + (bots or TONES.replace("SPEAKER", speaker)))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "serve", "--config", str(config), *options,
        stderr=asyncio.subprocess.PIPE, env={"TEST_TWILIO_TOKEN": TOKEN, "PATH": "/usr/bin:/bin"} | environment,
    )  # fmt: skip
    service = Serving(process)
    try:
        if listens:
            service.url = (await service.events("listening"))[0]["url"]
        yield service
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
        await service.reading
