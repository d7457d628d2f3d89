"""Whether the models that bots are configured with exist, and for how long: asked at the start, said in the log.

A model that the server does not know, or a key that it refuses, stops the start: calls would fail one by one. A server
that is out of reach does not, for it may be back before the first call, and nor does one that keeps no list of models.
"""

import asyncio
from collections.abc import Iterator
from datetime import date

import aiohttp
import msgspec
import structlog

from bot.config import Config, ModelServerConfig
from bot.errors import ConfigError
from bot.speech.engine_names import EngineName, parse, server_of, setting_of
from bot.speech.model_table import Use, named_for, warning

log = structlog.get_logger()

_TIMEOUT_S = 5.0
SOON_DAYS = 120
_KINDS = {
    Use.REALTIME: "realtime",
    Use.SPEECH: "speech",
    Use.TRANSCRIPTION: "transcription",
    Use.LIVE_TRANSCRIPTION: "live transcription",
}


class _Model(msgspec.Struct):
    shutdown_date: str | None = None


class _Fault(msgspec.Struct):
    code: str | None = None


class _Refusal(msgspec.Struct):
    error: _Fault


async def check_models(config: Config, http: aiohttp.ClientSession, today: date) -> None:
    """Those that calls reach through sockets of their own, for links check theirs when they start.

    Raises `ConfigError` for one that is unknown, or for a key that is refused.
    """
    openai = config.openai
    await asyncio.gather(
        *(
            check_model(name.model, use, server_of(name, openai), http, today, setting_of(name))
            for name, use in dict.fromkeys(_live(config))
        )
    )


async def check_model(
    name: str, use: Use, server: ModelServerConfig, http: aiohttp.ClientSession, today: date, setting: str = "openai"
) -> None:
    """`setting` is where the server is configured. Raises `ConfigError` for a model that is unknown there."""
    told = warning(name, today, SOON_DAYS)
    if told is not None:
        log.warning("model_retires", model=name, warning=told)
    headers = {"Authorization": f"Bearer {server.api_key}"} if server.api_key else {}
    url = f"{server.base_url.rstrip('/')}/models/{name}"
    try:
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
        async with http.get(url, headers=headers, timeout=timeout) as response:
            status, body = response.status, await response.read()
    except (aiohttp.ClientError, TimeoutError) as exc:
        log.warning("models_unchecked", model=name, error=str(exc) or "no answer", remedy=f"check {setting}.base_url")
        return
    if status == 401:
        raise ConfigError(f"{server.base_url} refuses {setting}.api_key: set it to a key that is valid there")
    if status == 404 and error_code(body) == "model_not_found":
        raise ConfigError(f"{server.base_url} knows no model {name!r}{instead(name, use, today)}")
    if status != 200:  # many servers that speak these protocols have no list of models
        log.info("models_unchecked", model=name, status=status)
    elif told is None:
        _look_ahead(name, body, today)


def _live(config: Config) -> Iterator[tuple[EngineName, Use]]:
    for bot in config.bots:
        if bot.voice == "realtime":
            yield EngineName("openai-realtime", bot.realtime.model), Use.REALTIME
            if scribe := bot.realtime.transcription_model:
                yield EngineName("openai-realtime", scribe), Use.LIVE_TRANSCRIPTION
        if bot.voice == "chained":
            name = parse(bot.chained.transcriber, own=("tones",))
            if name.kind == "openai-realtime":
                yield name, Use.LIVE_TRANSCRIPTION


def instead(name: str, use: Use, today: date) -> str:
    """What an operator may write in the place of a model that is not there."""
    if (told := warning(name, today)) is not None:
        return f": {told}"
    if use is Use.CHAT:  # of models that only write, our table knows none
        return ": choose one from the server's list (GET /models)"
    return f"; {_KINDS.get(use, 'such')} models are, as far as we know: {', '.join(named_for(use))}"


def _look_ahead(name: str, body: bytes, today: date) -> None:
    off = shutdown_of(body)
    if off is not None and (off - today).days <= SOON_DAYS:
        log.warning("model_retires", model=name, warning=f"{name} is switched off on {off.isoformat()}")


def error_code(body: bytes) -> str | None:
    """What a server's refusal is called there; None where it does not say."""
    try:
        return msgspec.json.decode(body, type=_Refusal).error.code
    except msgspec.DecodeError:
        return None


def shutdown_of(body: bytes) -> date | None:
    """When a model ends, as the server itself tells; None where it does not."""
    try:
        told = msgspec.json.decode(body, type=_Model).shutdown_date
        return None if told is None else date.fromisoformat(told)
    except (msgspec.DecodeError, ValueError):
        return None
