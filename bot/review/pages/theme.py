"""Light, dark, or as the system has it: kept in a cookie, so that the page comes up right at once."""

from aiohttp import web

from bot.review import cookies
from bot.review.forms import fields, local_path
from bot.review.render import redirect
from bot.review.roles import Needs
from bot.review.routes import Route
from bot.review.site import site_of


async def choose(request: web.Request) -> web.Response:
    wanted, back = await fields(request, "theme", "next")
    response = redirect(request, local_path(back))
    cookies.keep_theme(response, wanted, is_secure=site_of(request).is_secure)
    return response


ROUTES = [Route("POST", "/theme", choose, Needs.ANYBODY)]
