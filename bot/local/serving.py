"""The local server with a port: for the command, and on a free loopback port for tests and rehearsals.

async with serving(bot) as url:
    client = AsyncOpenAI(base_url=url, api_key="any")
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from bot.config import BotConfig, OpenAIConfig
from bot.errors import ConfigError
from bot.local.engines import LocalEngines
from bot.local.http import Keys
from bot.local.realtime.api import RealtimeOptions
from bot.local.server import application

_LEAVE_S = 1.0  # what open sockets get to close when the server goes


@asynccontextmanager
async def serving(
    bot: BotConfig,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    keys: Keys | None = None,
    realtime: RealtimeOptions | None = None,
    upstream: OpenAIConfig | None = None,
) -> AsyncIterator[str]:
    """Serve until the block is left; gives the base URL, `http://HOST:PORT/v1`.

    Port 0 takes a free one. Raises `ConfigError` or `VoiceError`, saying what to do, before anything listens.
    """
    engines = LocalEngines(bot, upstream)
    runner = web.AppRunner(
        application(engines, keys=keys, realtime=realtime), access_log=None, shutdown_timeout=_LEAVE_S
    )
    try:
        await engines.start()
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as exc:
            raise ConfigError(f"cannot listen on {host}:{port}: {exc.strerror}; choose another --port") from exc
        yield f"http://{host}:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()
        await engines.close()
