"""The phone in the browser: talk to a bot from a page, over the same path as a carrier's call."""

import msgspec
from aiohttp import web

from bot.carrier.base import IncomingCall
from bot.carrier.browser import BrowserLine
from bot.reception import RECEPTION
from bot.review.render import has_page, render
from bot.review.roles import Needs
from bot.review.routes import Route
from bot.review.site import site_of
from bot.review.visitor import visitor_of

PATH = "/phone"


class Wanted(msgspec.Struct, forbid_unknown_fields=True):
    bot: str


async def show(request: web.Request) -> web.Response:
    bots = site_of(request).config.bots
    asked = request.query.get("bot", "")
    values = {
        "bots": [(bot.name, bot.name) for bot in bots],
        "bot": asked if any(bot.name == asked for bot in bots) else "",
        "has_calls": has_page(request.app, "/calls"),
    }
    return render(request, "phone.html", values)


async def call(request: web.Request) -> web.Response:
    """Let a call in from this page: where its socket is, and what it is called."""
    site = site_of(request)
    try:
        wanted = msgspec.json.decode(await request.read(), type=Wanted)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise web.HTTPBadRequest(text=str(exc)) from exc
    bot = next((bot for bot in site.config.bots if bot.name == wanted.bot), None)
    if bot is None:
        raise web.HTTPNotFound(text=site.strings("phone.no_such_bot"))
    incoming = IncomingCall("", f"browser:{visitor_of(request).who}", bot.name)
    expected = await request.app[RECEPTION].admit(BrowserLine(), incoming, bot)
    if expected is None:
        raise web.HTTPServiceUnavailable(text=site.strings("phone.busy"))
    return web.json_response({"call_id": expected.call_id, "socket": expected.media_path}, status=201)


ROUTES = [
    Route("GET", PATH, show, Needs.VIEWER, uses_microphone=True),
    Route("POST", f"{PATH}/calls", call, Needs.VIEWER),
]
