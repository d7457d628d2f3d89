"""The list of calls: live ones on top, then the newest, narrowed by what was said and by what they are."""

from collections.abc import Sequence
from urllib.parse import urlencode

from aiohttp import web

from bot.calllog.detail import ListedCall, Page
from bot.calllog.filters import CallFilter
from bot.calllog.listing import Counted
from bot.calllog.records import INTERRUPTED
from bot.calllog.schema import TOP
from bot.calllog.summing_up import FLAGS
from bot.events import EndReason
from bot.review.calls_query import ListQuery, calls_meant, read
from bot.review.render import has_page, render
from bot.review.roles import Needs
from bot.review.routes import Route
from bot.review.site import site_of
from bot.review.visitor import visitor_of

PATH = "/calls"
PAGE = 50
_MOST_LIVE = 20
END_REASONS = (*(reason.value for reason in EndReason), INTERRUPTED)
VERDICTS = ("good", "bad", "unsure", "none")


async def show(request: web.Request) -> web.Response:
    log, query = site_of(request).calllog, read(list(request.query.items()))
    meant = calls_meant(query, is_admin=visitor_of(request).is_admin)
    page = await log.page(meant, PAGE, query.before)
    is_first = query.before == TOP
    counted = await _count(request, meant, page) if is_first else None
    live = await _live(request) if is_first and not query.is_narrowed else []
    on_top = {listed.call.call_id for listed in live}
    values = {
        "live": live,
        "calls": [listed for listed in page.calls if listed.call.call_id not in on_top],
        "query": query,
        "count": None if counted is None else counted.calls,
        "is_more": counted is not None and not counted.is_exact,
        "first": "" if is_first else query.address(PATH),
        "next": "" if page.next is None else query.address(PATH, before=page.next),
        "options": _options(request, query),
        "chips": _chips(request, query),
        "exports": [(kind, f"/api/calls/export?{_export(request, query, kind)}") for kind in ("csv", "jsonl")],
        "has_phone": has_page(request.app, "/phone"),
    }
    return render(request, "calls.html", values)


async def _count(request: web.Request, meant: CallFilter, page: Page) -> Counted:
    """How many calls are meant; where one page holds them all, nobody needs to look again."""
    if page.next is None:
        return Counted(len(page.calls), is_exact=True)
    return await site_of(request).calllog.count_calls(meant)


async def _live(request: web.Request) -> Sequence[ListedCall]:
    return (await site_of(request).calllog.page(CallFilter(is_live=True), _MOST_LIVE)).calls


def _options(request: web.Request, query: ListQuery) -> dict[str, list[tuple[str, str]]]:
    """What each choice of the form offers; what is asked for is among it, also where it is not configured any more."""
    site = site_of(request)
    words, any_ = site.strings, ("", site.strings("calls.any"))
    bots = dict.fromkeys([bot.name for bot in site.config.bots])
    carriers = dict.fromkeys(["twilio", "browser"])
    bots |= dict.fromkeys([query.values["bot"]] if "bot" in query.values else [])
    carriers |= dict.fromkeys([query.values["carrier"]] if "carrier" in query.values else [])
    return {
        "bot": [any_, *((name, name) for name in bots)],
        "carrier": [any_, *((name, words.find(f"calls.carriers.{name}", name)) for name in carriers)],
        "end_reason": [any_, *((name, words(f"calls.end_reasons.{name}")) for name in END_REASONS)],
        "verdict": [any_, *((name, words(f"calls.verdicts.{name}")) for name in VERDICTS)],
        "flag": [(name, words(f"calls.flags.{name}")) for name in FLAGS],
    }


def _chips(request: web.Request, query: ListQuery) -> list[tuple[str, str]]:
    """Each condition in words, with the address of the list without it."""
    words = site_of(request).strings
    chips = []
    for name, value in query.pairs():
        shown = words.find(f"calls.{name}s.{value}", value)
        label = words(f"calls.chip.{name}", value=shown)
        chips.append((label, query.address(PATH, without=(name, value))))
    return chips


def _export(request: web.Request, query: ListQuery, kind: str) -> str:
    """The same selection as the JSON API takes it."""
    meant = calls_meant(query, is_admin=visitor_of(request).is_admin)
    values = {
        "q": meant.text,
        "bot": meant.bot,
        "carrier": meant.carrier,
        "end_reason": meant.end_reason,
        "number": meant.number,
        "number_part": meant.number_part,
        "since": None if meant.since is None else meant.since.isoformat(),
        "until": None if meant.until is None else meant.until.isoformat(),
        "min_ms": meant.min_ms,
        "max_ms": meant.max_ms,
        "tool": meant.tool,
        "verdict": meant.verdict,
        "tag": meant.tag,
        "unread": "true" if meant.has_unread_message else None,
    }
    pairs = [(name, str(value)) for name, value in values.items() if value is not None]
    return urlencode([*pairs, *(("flag", flag) for flag in meant.flags), ("format", kind)])


ROUTES = [Route("GET", PATH, show, Needs.VIEWER)]
