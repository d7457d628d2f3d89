"""Who looked at what, for admins: the newest first, narrowed by person, call and kind."""

from datetime import datetime
from urllib.parse import urlencode

from aiohttp import web

from bot.review.access_log import Look, LookFilter
from bot.review.render import has_page, render
from bot.review.roles import Needs
from bot.review.routes import Route
from bot.review.site import site_of

PATH = "/access-log"
PAGE = 50


async def show(request: web.Request) -> web.Response:
    wanted = {name: request.query.get(name, "").strip() for name in ("who", "call_id")}
    filters = LookFilter(**wanted)
    before = _place(request.query.get("before", ""))
    looks = await site_of(request).access_log.page(filters, PAGE + 1, before)
    set_ = {name: value for name, value in wanted.items() if value}
    values = {
        "looks": looks[:PAGE],
        "filters": filters,
        "is_filtered": bool(set_),
        "first": f"{PATH}?{urlencode(set_)}" if before else "",
        "next": f"{PATH}?{urlencode(set_ | {'before': _cursor(looks[PAGE - 1])})}" if len(looks) > PAGE else "",
        "has_calls": has_page(request.app, "/calls"),
    }
    return render(request, "access_log.html", values)


def _cursor(look: Look) -> str:
    return f"{look.at.isoformat()}_{look.id}"


def _place(cursor: str) -> tuple[datetime, int] | None:
    """Where a page begins; raises `HTTPBadRequest` for what is no cursor of ours."""
    if not cursor:
        return None
    at, _, number = cursor.partition("_")
    try:
        place = datetime.fromisoformat(at), int(number)
    except ValueError as exc:
        raise web.HTTPBadRequest from exc
    if place[0].tzinfo is None or abs(place[1]) > 1 << 62:
        raise web.HTTPBadRequest
    return place


ROUTES = [Route("GET", PATH, show, Needs.ADMIN)]
