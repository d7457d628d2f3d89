"""What all pages of one process share: the stores, the assets, the words, and which route needs what."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import structlog
from aiohttp import web

from bot.calllog.statistics import Statistics
from bot.calllog.store import CallLog
from bot.config import Config
from bot.doctor.findings import Report
from bot.review.access_log import AccessLog
from bot.review.accounts import Accounts
from bot.review.addresses import client_address, networks
from bot.review.api_tokens import ApiTokens
from bot.review.assets import Assets
from bot.review.attempts import Attempts
from bot.review.one_time_links import LIFETIME, OneTimeLinks
from bot.review.passwords import Passwords
from bot.review.remembered import Remembered
from bot.review.roles import Role
from bot.review.routes import Route
from bot.review.sign_ins import SignIns
from bot.review.storage import Storage
from bot.review.strings import Strings
from bot.review.visitor import visitor_of
from bot.review.word_times import WordTimes

log = structlog.get_logger()

FIRST_ACCOUNT = "admin"
_STATISTICS_KEPT_S = 5.0
_EXAMINED_AGAIN_AFTER_S = 3.0


class Site:
    def __init__(self, config: Config, public_url: str) -> None:
        """`public_url` is how people reach the pages; raises `StoreError` for an address that is no call log."""
        review = config.review
        self.config = config
        self.public_url = public_url
        self.storage = Storage(config.storage.database)
        self.accounts = Accounts(self.storage, review)
        self.sign_ins = SignIns(self.storage, timedelta(hours=review.session_h))
        self.links = OneTimeLinks(self.storage)
        self.api_tokens = ApiTokens(self.storage)
        self.attempts = Attempts(self.storage)
        self.access_log = AccessLog(self.storage, timedelta(days=review.access_log_days))
        self.passwords = Passwords()
        self.statistics: Remembered[Statistics] = Remembered(_STATISTICS_KEPT_S)
        self.examinations: Remembered[Report] = Remembered(_EXAMINED_AGAIN_AFTER_S)
        self.report: Report | None = None
        """What this process found when somebody last had the settings checked."""
        self.word_times = WordTimes(review.word_times)
        self.assets = Assets.load()
        self.strings = Strings.load("en")
        self.routes: Mapping[web.AbstractRoute, Route] = {}
        self._proxies = networks(review.proxies)
        self._calllog: CallLog | None = None

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach us by TLS, so that cookies may insist on it."""
        return self.public_url.startswith("https://")

    @property
    def calllog(self) -> CallLog:
        """The call log, from the moment the service has started."""
        if self._calllog is None:
            raise LookupError("the service has not started")
        return self._calllog

    def open(self, calllog: CallLog) -> None:
        self._calllog = calllog

    async def close(self) -> None:
        await self.word_times.close()
        self.passwords.close()
        await self.storage.close()

    async def announce(self) -> str:
        """While there is no admin, write a link into the log with which one can be made, and return it; else "".

        A link of before is void.
        """
        if await self.accounts.has_admin():
            return ""
        token = await self.links.make(FIRST_ACCOUNT, Role.ADMIN, "", now())
        link = f"{self.public_url.rstrip('/')}/welcome/{token}"
        log.warning("no_admin_yet", open_this_link_once=link, valid_h=LIFETIME // timedelta(hours=1))
        return link

    def address_of(self, request: web.Request) -> str:
        """Where a request comes from, behind the proxies of `review.proxies` too."""
        forwarded = ",".join(request.headers.getall("X-Forwarded-For", []))
        return client_address(request.remote or "", forwarded, self._proxies)


SITE = web.AppKey("site", Site)


def site_of(request: web.Request) -> Site:
    return request.app[SITE]


async def looked(request: web.Request, call_id: str | None, what: str, detail: str = "") -> None:
    """Write down that the visitor looks at something of a call (`what`: "call", "recording", "export", …).

    Called by a handler once it knows that the thing exists, before it answers. Raises `StoreError`: what cannot be
    written down is not shown.
    """
    await site_of(request).access_log.write(visitor_of(request), what, call_id, detail, now())


def now() -> datetime:
    return datetime.now(UTC)
