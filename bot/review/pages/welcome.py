"""Where a one-time link leads: its account gets a password, and whoever has set it is signed in."""

import structlog
from aiohttp import web

from bot.review.forms import fields
from bot.review.one_time_links import OneTimeLink
from bot.review.pages.sign_in import signed_in
from bot.review.passwords import MIN_CHARS, problem_of
from bot.review.render import render
from bot.review.roles import Needs
from bot.review.routes import Route
from bot.review.site import now, site_of

log = structlog.get_logger()


async def show(request: web.Request) -> web.Response:
    link = await site_of(request).links.find(request.match_info["link"], now())
    return _spent(request) if link is None else _form(request, link)


async def set_password(request: web.Request) -> web.Response:
    site, token = site_of(request), request.match_info["link"]
    password, repeated = await fields(request, "password", "repeated")
    link = await site.links.find(token, now())
    if link is None:
        return _spent(request)
    if problem := problem_of(password, repeated, link.account):
        return _form(request, link, site.strings(f"password.{problem}", chars=MIN_CHARS), 400)
    if await site.links.redeem(token, await site.passwords.hash(password), now()) is None:
        return _spent(request)
    account = await site.accounts.find(link.account)
    if account is None:
        return _spent(request)
    log.info("password_set", account=account.name)
    return await signed_in(request, account, "/", "welcome.done")


def _form(request: web.Request, link: OneTimeLink, problem: str = "", status: int = 200) -> web.Response:
    values = {"account": link.account, "role": link.role, "problem": problem, "min_chars": MIN_CHARS}
    return render(request, "welcome.html", values, status)


def _spent(request: web.Request) -> web.Response:
    return render(request, "welcome_spent.html", {}, 410)


ROUTES = [
    Route("GET", "/welcome/{link}", show, Needs.ANYBODY),
    Route("POST", "/welcome/{link}", set_password, Needs.ANYBODY),
]
