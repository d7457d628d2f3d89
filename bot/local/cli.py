"""`offhook local`: OpenAI's audio APIs served by the models on this machine."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Annotated

import structlog
import typer

from bot import logs
from bot.config import BotConfig, OpenAIConfig, load
from bot.local.http import Keys
from bot.local.serving import serving
from bot.serving import completed, run

log = structlog.get_logger()


def local(
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on; 0 takes a free one.")] = 8000,
    api_key: Annotated[
        list[str] | None, typer.Option(metavar="KEY", help="A key that opens it; repeat it. None: no key is needed.")
    ] = None,
    facts: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="An Offhook configuration: what its first bot knows is answered."),
    ] = None,
) -> None:
    """Serve OpenAI's audio APIs (Realtime, speech, transcriptions, chat) with the local models, until SIGTERM."""
    settings = load(facts, os.environ)
    logs.configure(settings.log)
    run(_serve(completed(settings).bots[0], settings.openai, host, port, Keys(tuple(api_key or ()))))


async def _serve(bot: BotConfig, upstream: OpenAIConfig, host: str, port: int, keys: Keys) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with serving(bot, host=host, port=port, keys=keys, upstream=upstream) as url:
        log.info("local_server_listening", base_url=url, bot=bot.name, is_open=not keys.accepted)
        await stop.wait()
    log.info("stopped")
