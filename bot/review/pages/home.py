"""The address without a path: on to the calls."""

from aiohttp import web

from bot.review.render import NAVIGATION, has_page, redirect
from bot.review.roles import Needs
from bot.review.routes import Route


async def home(request: web.Request) -> web.Response:
    pages = (f"/{name}" for name in NAVIGATION)
    return redirect(request, next((path for path in pages if has_page(request.app, path)), "/account"))


ROUTES = [Route("GET", "/", home, Needs.VIEWER)]
