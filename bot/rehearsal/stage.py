"""A service and an emulated carrier, set up together on this machine for one rehearsal."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec

from bot.config import CarriersConfig, Config
from bot.errors import ConfigError
from bot.rehearsal.api import TwilioApi
from bot.service import Service
from bot.serving import completed, running
from bot.speech.links import Speaker


@dataclass(frozen=True, slots=True)
class Stage:
    """Where to call, and with which account."""

    service: Service
    url: str
    account_sid: str
    auth_token: str
    api: TwilioApi

    @property
    def speaker(self) -> Speaker:
        """The first bot's speaker, loaded: callers may borrow it."""
        return self.service.speaker(self.service.config.bots[0])


@asynccontextmanager
async def stage(config: Config) -> AsyncIterator[Stage]:
    """A service of this configuration on a free loopback port, its carrier's REST API emulated beside it.

    Raises `ConfigError`, `StoreError` or `VoiceError`, saying what to do.
    """
    config = completed(config)
    twilio = config.carriers.twilio
    if twilio is None:
        raise ConfigError("a rehearsal needs an account in carriers.twilio")
    async with TwilioApi(twilio.account_sid, twilio.auth_token) as api:
        twilio = msgspec.structs.replace(twilio, api_base=api.url)
        server = msgspec.structs.replace(config.server, host="127.0.0.1", port=0, public_url="", drain_s=0.0)
        config = msgspec.structs.replace(config, server=server, carriers=CarriersConfig(twilio=twilio))
        async with running(config) as (service, url):
            yield Stage(service, url, twilio.account_sid, twilio.auth_token, api)
