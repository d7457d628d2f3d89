"""Everything that lives as long as the process, loaded and let go of in order: engines, the call log, lines, calls.

What is done with it when something comes in is in the files that serve: `webhooks.py`, `media_sockets.py`, `review/`.
"""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import structlog

from bot.calllog.store import CallLog
from bot.calllog.upkeep import Upkeep
from bot.carrier import browser
from bot.carrier.base import Carrier, Line
from bot.carrier.twilio import TwilioCarrier
from bot.config import BotConfig, Config
from bot.engines import Engines
from bot.errors import CarrierError
from bot.feed import Feed
from bot.metrics import Metrics
from bot.model_check import check_models
from bot.recordings import Recordings
from bot.review.site import Site
from bot.speech.links import Speaker
from bot.supervisor import Lines, OwnLines, Supervisor
from bot.tickets import Tickets
from bot.tools import Toolbox
from bot.voices import Voices
from media.frame import PCMU_8K

log = structlog.get_logger()

GOODBYE_S = 15.0


class Service:
    def __init__(
        self,
        config: Config,
        public_url: str,
        *,
        lines: Lines | None = None,
        tickets: Tickets | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        """`public_url` is what carriers reach; raises `ConfigError` for engines that do not exist.

        The last three are given where several processes answer calls together.
        """
        self.config = config
        self.metrics = metrics or Metrics()
        self.supervisor = Supervisor(lines or OwnLines(config.server.max_calls))
        self.tickets = tickets or Tickets()
        self.carriers = _carriers(config, public_url)
        self.lines: Mapping[str, Line] = {**self.carriers, browser.NAME: browser.BrowserLine()}
        self.toolboxes = {bot.name: Toolbox(bot) for bot in config.bots}
        tools = {name: box.specs for name, box in self.toolboxes.items()}
        recordings = Path(config.storage.recordings)
        self.engines = Engines(config.bots, config.openai, tools=tools, prompts=recordings.parent / "prompts")
        self.voices = Voices(config, self.engines, tools)
        self.recordings = Recordings(recordings)
        self.site = Site(config, public_url)
        self._resources = AsyncExitStack()
        self._feed: Feed | None = None
        self._http: aiohttp.ClientSession | None = None
        self.is_ready = False

    async def start(self) -> None:
        """Open the call log and load the engines; raises `StoreError` or `VoiceError` that says what to do."""
        calllog = await CallLog.open(self.config.storage.database)
        self._resources.push_async_callback(calllog.close)
        self._feed = Feed(calllog)
        self.site.open(calllog)
        self._resources.push_async_callback(self.site.close)
        self._resources.push_async_callback(self.recordings.close)
        self._http = await self._resources.enter_async_context(aiohttp.ClientSession())
        self._resources.push_async_callback(self.engines.close)
        self._resources.push_async_callback(self.voices.close)
        for toolbox in self.toolboxes.values():
            self._resources.push_async_callback(toolbox.close)
            await toolbox.start()
        await check_models(self.config, self._http, datetime.now(UTC).date())
        log.info("loading_engines", bots=[bot.name for bot in self.config.bots])
        await self.engines.start(PCMU_8K)
        kept = {bot.name: timedelta(days=bot.keep_days) for bot in self.config.bots if bot.keep_days is not None}
        upkeep = Upkeep(calllog, kept)
        self._resources.push_async_callback(upkeep.close)
        upkeep.start()
        self.is_ready = True
        self.metrics.processes.set(1)

    async def stop(self, patience_s: float | None = None) -> None:
        """Take no new calls, let the live ones finish (at most so long), write everything, let go of everything."""
        told = await self.supervisor.drain(self.config.server.drain_s if patience_s is None else patience_s, GOODBYE_S)
        if told:
            log.warning("calls_cut_by_stop", calls=told)
        self.is_ready = False
        await self._resources.aclose()

    def speaker(self, bot: BotConfig) -> Speaker:
        """The voice of one bot, loaded once the service has started."""
        return self.engines.speaker(bot)

    @property
    def http(self) -> aiohttp.ClientSession:
        """The one client session, from the moment the service has started."""
        if self._http is None:
            raise CarrierError("the service has not started")
        return self._http

    @property
    def feed(self) -> Feed:
        """Every record of every call, from the moment the service has started."""
        if self._feed is None:
            raise CarrierError("the service has not started")
        return self._feed


def _carriers(config: Config, public_url: str) -> dict[str, Carrier]:
    carriers: dict[str, Carrier] = {}
    if (twilio := config.carriers.twilio) is not None:
        tokens = (twilio.auth_token, twilio.old_auth_token)
        carriers["twilio"] = TwilioCarrier(
            twilio.account_sid, tokens, public_url, twilio.api_base, after_transfer_path="/twilio/transferred"
        )
    return carriers
