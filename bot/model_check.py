"""Whether the models that bots are configured with exist, and for how long: asked at the start, said in the log.

A model that the server does not know, or a key that it refuses, stops the start: calls would fail one by one. A server
that is out of reach does not, for it may be back before the first call.
"""

import asyncio
from collections.abc import Sequence
from datetime import date

import aiohttp
import msgspec
import structlog

from bot.config import Config, OpenAIConfig
from bot.errors import ConfigError
from bot.speech.model_table import Use, named_for, warning

log = structlog.get_logger()

_TIMEOUT_S = 5.0
_SOON_DAYS = 120


class _Model(msgspec.Struct):
    shutdown_date: str | None = None


class _Fault(msgspec.Struct):
    code: str | None = None


class _Refusal(msgspec.Struct):
    error: _Fault


async def check_models(config: Config, http: aiohttp.ClientSession, today: date) -> None:
    """Raises `ConfigError` for a model that is unknown where it would be used, or for a key that is refused."""
    await asyncio.gather(*(_check(name, config.openai, http, today) for name in _named(config)))


def _named(config: Config) -> Sequence[str]:
    bots = [bot.realtime for bot in config.bots if bot.voice == "realtime"]
    return sorted({name for bot in bots for name in (bot.model, bot.transcription_model) if name})


async def _check(name: str, openai: OpenAIConfig, http: aiohttp.ClientSession, today: date) -> None:
    if (told := warning(name, today, _SOON_DAYS)) is not None:
        log.warning("model_retires", model=name, warning=told)
    headers = {"Authorization": f"Bearer {openai.api_key}"} if openai.api_key else {}
    url = f"{openai.base_url.rstrip('/')}/models/{name}"
    try:
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
        async with http.get(url, headers=headers, timeout=timeout) as response:
            _judge(name, openai, response.status, await response.read(), today)
    except (aiohttp.ClientError, TimeoutError) as exc:
        log.warning("models_unchecked", model=name, error=str(exc) or "no answer", remedy="check openai.base_url")


def _judge(name: str, openai: OpenAIConfig, status: int, body: bytes, today: date) -> None:
    if status == 401:
        raise ConfigError(f"{openai.base_url} refuses openai.api_key: set it to a key that is valid there")
    if status == 404 and _code(body) == "model_not_found":
        known = ", ".join(named_for(Use.REALTIME))
        raise ConfigError(f"{openai.base_url} knows no model {name!r}; realtime models are, as far as we know: {known}")
    if status != 200:  # many servers that speak the realtime protocol have no list of models
        log.info("models_unchecked", model=name, status=status)
        return
    off = _shutdown(body)
    if off is not None and (off - today).days <= _SOON_DAYS:
        log.warning("model_retires", model=name, warning=f"{name} is switched off on {off.isoformat()}")


def _code(body: bytes) -> str | None:
    try:
        return msgspec.json.decode(body, type=_Refusal).error.code
    except msgspec.DecodeError:
        return None


def _shutdown(body: bytes) -> date | None:
    try:
        told = msgspec.json.decode(body, type=_Model).shutdown_date
        return None if told is None else date.fromisoformat(told)
    except (msgspec.DecodeError, ValueError):
        return None
