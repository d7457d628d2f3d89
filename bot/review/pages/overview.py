"""The overview: what the calls of the last day or weeks come to, and which of them somebody should look at."""

from collections.abc import Sequence

from aiohttp import web
from yarl import URL

from bot.calllog.detail import CallSummary
from bot.calllog.filters import CallFilter
from bot.calllog.periods import RANGES, Range
from bot.review.calls_query import ListQuery
from bot.review.overview import CALLS, Overview
from bot.review.render import has_page, render
from bot.review.roles import Needs
from bot.review.routes import Route
from bot.review.site import Site, site_of
from bot.review.statistics import statistics_for

PATH = "/overview"
DEFAULT: Range = "7d"
WORRYING = ("error", "no_words", "slow_reply")
"""Flags of calls that somebody should look at, until they have a verdict."""
_MOST_WORRYING = 6


async def show(request: web.Request) -> web.Response:
    site = site_of(request)
    range_, bot = _range(request), request.query.get("bot", "")[:256] or None
    statistics = await statistics_for(site, range_, bot)
    overview = Overview(statistics, range_, site.strings)
    values = {
        "range": range_,
        "bot": bot or "",
        "ranges": [(name, _address(name, bot)) for name in RANGES],
        "bots": _bots(site, bot, [found.bot for found in statistics.bots]),
        "since": statistics.since,
        "before": site.strings(f"overview.before.{range_}"),
        "figures": statistics.figures,
        "overview": overview,
        "worrying": await _worrying(site, bot),
        "all_worrying": _all_worrying(site, bot),
        "is_new": not statistics.figures.calls and not await site.calllog.list_calls(limit=1),
        "widest": "" if range_ == RANGES[-1] else _address(RANGES[-1], bot),
        "has_phone": has_page(request.app, "/phone"),
    }
    return render(request, "overview.html", values)


def _range(request: web.Request) -> Range:
    asked = request.query.get("range", DEFAULT)
    return next((name for name in RANGES if name == asked), DEFAULT)


def _address(range_: Range, bot: str | None) -> str:
    return str(URL(PATH).with_query({"range": range_} | ({"bot": bot} if bot else {})))


def _bots(site: Site, bot: str | None, found: Sequence[str]) -> list[tuple[str, str]]:
    """What the choice of bots offers; no choice where there is one bot only."""
    names = dict.fromkeys([*(configured.name for configured in site.config.bots), *found, *([bot] if bot else [])])
    return [("", site.strings("overview.all_bots")), *((name, name) for name in names)] if len(names) > 1 else []


async def _worrying(site: Site, bot: str | None) -> list[CallSummary]:
    """The newest of any time: what nobody has judged yet, and messages that nobody has read."""
    wanted = [CallFilter(flags=(flag,), verdict="none", bot=bot) for flag in WORRYING]
    wanted.append(CallFilter(has_unread_message=True, bot=bot))
    found: dict[int, CallSummary] = {}
    for filters in wanted:
        found |= {call.place: call for call in await site.calllog.list_calls(filters, _MOST_WORRYING)}
    return [found[place] for place in sorted(found, reverse=True)[:_MOST_WORRYING]]


def _all_worrying(site: Site, bot: str | None) -> list[tuple[str, str]]:
    """The list of each kind, in words."""
    values = {"verdict": "none"} | ({"bot": bot} if bot else {})
    lists = [
        (site.strings(f"calls.flags.{flag}"), ListQuery(values=values, flags=(flag,)).address(CALLS))
        for flag in WORRYING
    ]
    unread = ListQuery(values={"bot": bot} if bot else {}, unread=True).address(CALLS)
    return [*lists, (site.strings("overview.unread"), unread)]


ROUTES = [Route("GET", PATH, show, Needs.VIEWER)]
