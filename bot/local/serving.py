"""The local server with a port: for the command, and on a free loopback port for tests and rehearsals.

async with serving(bot) as url:
    client = AsyncOpenAI(base_url=url, api_key="any")
"""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

from aiohttp import web

from bot.config import BotConfig, OpenAIConfig
from bot.errors import ConfigError
from bot.local.engines import LocalEngines
from bot.local.http import Keys
from bot.local.limits import Limits
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
    limits: Limits | None = None,
) -> AsyncIterator[str]:
    """Serve until the block is left; gives the base URL, `http://HOST:PORT/v1`.

    Port 0 takes a free one. Raises `ConfigError` or `VoiceError`, saying what to do, before anything listens.
    """
    engines = LocalEngines(bot, upstream)
    app = application(engines, keys=keys, realtime=realtime, limits=limits)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_LEAVE_S)
    with closing(_bind(host, port)) as bound:
        try:
            await engines.start()
            await runner.setup()
            await web.SockSite(runner, bound).start()
            shown = f"[{host}]" if ":" in host else host
            yield f"http://{shown}:{bound.getsockname()[1]}/v1"
        finally:
            await runner.cleanup()
            await engines.close()


def _bind(host: str, port: int) -> socket.socket:
    """Taken before the models are loaded, so that a port in use is known at once."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as exc:
        bound.close()
        raise ConfigError(f"cannot listen on {host}:{port}: {exc.strerror}; choose another --port") from exc
    return bound
