"""Where the models of an analysis are: a server that is configured, or the local models behind a server of their own.

Local models are reached as every other: Offhook's own server listens on this machine for as long as it is wanted, on a
free port and with a key that nobody else has. So there is one way through a recording, and what works with the local
models works with a server.
"""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.config import BotConfig, ChainedConfig, ModelServerConfig, OpenAIConfig
from bot.errors import ConfigError
from bot.local.http import Keys
from bot.local.serving import serving
from bot.speech.engine_names import EngineName, server_of, setting_of
from bot.speech.openai_client import OpenAIClient

ANSWER_S = 900.0
"""The longest until an answer: a part of ten minutes takes a slow machine's local models half of that."""


@asynccontextmanager
async def client_for(name: EngineName, openai: OpenAIConfig) -> AsyncIterator[OpenAIClient]:
    """A started client; raises `ConfigError` for a server that is not configured, `VoiceError` for missing models."""
    match name.kind:
        case "local":
            async with _in_this_process(name.model) as server, _started(OpenAIClient(server, timeout_s=ANSWER_S)) as it:
                yield it
        case "openai":
            client = OpenAIClient(
                server_of(name, openai), setting=setting_of(name), timeout_s=ANSWER_S, retries=openai.retries
            )
            async with _started(client) as it:
                yield it
        case _:
            raise ConfigError("recordings are transcribed by local: and openai: models")


@asynccontextmanager
async def _started(client: OpenAIClient) -> AsyncIterator[OpenAIClient]:
    try:
        await client.start()
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def _in_this_process(model: str) -> AsyncIterator[ModelServerConfig]:
    """Only the transcriber is loaded: nobody will speak, and nobody will think."""
    key = secrets.token_urlsafe()
    links = ChainedConfig(transcriber=f"local:{model}", responder="tones", speaker="tones")
    async with serving(BotConfig(name="files", chained=links), keys=Keys((key,))) as url:
        yield ModelServerConfig(base_url=url, api_key=key)
