"""The calls that are going on now: the list, kept up to date over all processes, and one call with what can be done."""

import asyncio
from datetime import datetime

import msgspec
from aiohttp import web

from bot.calllog.filters import CallFilter
from bot.live_calls import LIVE_CALLS, NotLiveError
from bot.privacy import mask_number
from bot.review.event_stream import EventStream
from bot.review.render import has_page, redirect, render
from bot.review.roles import Needs
from bot.review.routes import Route
from bot.review.site import looked, site_of
from bot.review.visitor import visitor_of

PATH = "/live"
_LOOK_EVERY_S = 1.0
"""Other processes' calls are seen in the call log only, which nothing tells of."""
_MOST_CALLS = 200
_MOST_WORDS = 300


class LiveCall(msgspec.Struct, frozen=True):
    """A call as the list shows it."""

    call_id: str
    bot: str
    carrier: str
    caller: str
    started_at: datetime
    speaker: str = ""  # caller or bot
    words: str = ""


async def show(request: web.Request) -> web.Response:
    return render(request, "live.html", {"calls": await _calls(request), "has_phone": has_page(request.app, "/phone")})


async def follow(request: web.Request) -> web.StreamResponse:
    """`calls` with the whole list, at once and whenever it is another one."""
    events, sent = EventStream(request), None
    try:
        while True:
            calls = await _calls(request)
            if calls != sent:
                await events.send("calls", calls)
                sent = calls
            else:
                await events.beat()
            await asyncio.sleep(_LOOK_EVERY_S)
    except ConnectionError:
        return events.response


async def show_call(request: web.Request) -> web.Response:
    """One call; where it is over, the page on which it is reviewed."""
    call_id = request.match_info["live_call"]
    call = await site_of(request).calllog.get_call(call_id)
    if call is None:
        raise web.HTTPNotFound
    try:
        transfers = request.app[LIVE_CALLS].transfers(call_id)
    except NotLiveError:
        if has_page(request.app, "/calls") and call.call.ended_at is not None:
            return redirect(request, f"/calls/{call_id}")
        transfers = ()
    await looked(request, call_id, "live")
    is_recorded = bool(call.recordings)
    values = {"call": call.call, "transfers": [(name, name) for name in transfers], "is_recorded": is_recorded}
    return render(request, "live_call.html", values)


async def _calls(request: web.Request) -> list[LiveCall]:
    log, is_admin = site_of(request).calllog, visitor_of(request).is_admin
    found = await log.list_calls(CallFilter(is_live=True), _MOST_CALLS)
    words = await log.latest_words([call.row for call in found])
    return [
        LiveCall(
            call.call_id,
            call.bot,
            call.carrier,
            call.from_number if is_admin else mask_number(call.from_number),
            call.started_at,
            words.get(call.row, ("", ""))[0],
            words.get(call.row, ("", ""))[1][-_MOST_WORDS:],
        )
        for call in found
    ]


ROUTES = [
    Route("GET", PATH, show, Needs.VIEWER),
    Route("GET", f"{PATH}/events", follow, Needs.VIEWER),
    Route("GET", f"{PATH}/{{live_call}}", show_call, Needs.VIEWER),
]
