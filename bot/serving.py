"""From a configuration to a process that answers calls, and back: bind, load, listen, drain, let go."""

import asyncio
import gc
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, closing
from importlib import resources
from typing import Any

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.config import CarriersConfig, Config, ServerConfig, TwilioConfig, load
from bot.errors import ConfigError
from bot.server import application
from bot.service import Service

log = structlog.get_logger()

REHEARSAL_ACCOUNT = "AC" + "0" * 32


def completed(config: Config) -> Config:
    """Fill in what a configuration may leave out: without bots the sample business answers, without a carrier only
    rehearsals on this machine can call, with a token made for this one run."""
    if not config.bots:
        with resources.as_file(resources.files("bot.rehearsal") / "sample_business.toml") as path:
            config = msgspec.structs.replace(config, bots=load(path, {}).bots)
    if config.carriers.twilio is None:
        # No API: a rehearsal's account is known to nobody, and closing the socket hangs up as well.
        twilio = TwilioConfig(account_sid=REHEARSAL_ACCOUNT, auth_token=secrets.token_hex(16), api_base="")
        config = msgspec.structs.replace(config, carriers=CarriersConfig(twilio=twilio))
    return config


@asynccontextmanager
async def running(config: Config) -> AsyncIterator[tuple[Service, str]]:
    """A service that answers calls until the block is left, and the URL it listens on.

    Raises `ConfigError`, `StoreError` or `VoiceError`, saying what to do, before anything listens.
    """
    bound, url = bind(config.server)
    with closing(bound):
        service = Service(config, config.server.public_url or url)
        async with ready(service) as runner:
            await web.SockSite(runner, bound).start()
            yield service, url


@asynccontextmanager
async def ready(service: Service, *middlewares: Middleware) -> AsyncIterator[web.AppRunner]:
    """A service that lacks nothing but a port to listen on; when the block is left, it drains and lets go."""
    runner = web.AppRunner(application(service, *middlewares), access_log=None, handle_signals=False)
    try:
        await service.start()
        await runner.setup()
        yield runner
    finally:
        await service.stop()
        await runner.cleanup()


async def serve(config: Config) -> None:
    """Answer calls until SIGTERM or SIGINT, then drain; a second signal does not wait."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    async with running(config) as (service, url):
        keep_for_good()
        await service.site.announce()
        log.info("listening", url=url, bots=[bot.name for bot in config.bots], carriers=sorted(service.carriers))
        await stop.wait()
        log.info("draining", live_calls=len(service.supervisor), patience_s=config.server.drain_s)
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(name)
    log.info("stopped")


def keep_for_good() -> None:
    """What was loaded stays until the end: the garbage collector need not go through it again and again."""
    gc.collect()
    gc.freeze()


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop where there is one."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(work)
    else:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(work)


def bind(server: ServerConfig) -> tuple[socket.socket, str]:
    """Take the port before anything slow is loaded, so that a port in use is known at once; returns its URL too."""
    host, port = server.host, server.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as exc:
        bound.close()
        raise ConfigError(f"cannot listen on {host}:{port}: {exc.strerror}; choose another server.port") from exc
    return bound, f"http://{host}:{bound.getsockname()[1]}"
