"""Somebody's own account: their password, and where they are signed in."""

import structlog
from aiohttp import web

from bot.review import cookies
from bot.review.forms import fields
from bot.review.pages.sign_in import locked, signed_in
from bot.review.passwords import MIN_CHARS, problem_of
from bot.review.render import redirect, render
from bot.review.roles import Needs
from bot.review.routes import Route
from bot.review.site import now, site_of
from bot.review.visitor import visitor_of

log = structlog.get_logger()


async def show(request: web.Request) -> web.Response:
    return await _page(request)


async def change_password(request: web.Request) -> web.Response:
    site, name = site_of(request), visitor_of(request).account
    current, password, repeated = await fields(request, "current", "password", "repeated")
    account = await site.accounts.find(name)
    if account is None or account.is_configured:
        raise web.HTTPForbidden(text=site.strings("account.configured"))
    if problem := problem_of(password, repeated, name):
        return await _page(request, {"password": site.strings(f"password.{problem}", chars=MIN_CHARS)}, 400)
    attempt = await site.attempts.begin(name, site.address_of(request), now())
    if attempt.wait_s > 0:
        return await _page(request, {"current": locked(site.strings, attempt.wait_s)}, 429)
    if not await site.passwords.fits(current, account.password_hash):
        return await _page(request, {"current": site.strings("account.wrong_password")}, 403)
    await site.attempts.succeeded(attempt)
    await site.accounts.change_password(name, await site.passwords.hash(password), now())
    changed = await site.accounts.find(name)
    if changed is None:
        raise web.HTTPNotFound
    log.info("password_set", account=name)
    await site.sign_ins.end_all(name)
    return await signed_in(request, changed, "/account", "account.password_changed")


async def end_one(request: web.Request) -> web.Response:
    number = int(request.match_info["number"])
    await site_of(request).sign_ins.end(visitor_of(request).account, number)
    return redirect(request, "/account", "account.one_ended")


async def end_all(request: web.Request) -> web.Response:
    site = site_of(request)
    await site.sign_ins.end_all(visitor_of(request).account)
    response = redirect(request, "/sign-in", "account.all_ended")
    cookies.forget_session(response, is_secure=site.is_secure)
    return response


async def _page(request: web.Request, problems: dict[str, str] | None = None, status: int = 200) -> web.Response:
    site, visitor = site_of(request), visitor_of(request)
    account = await site.accounts.find(visitor.account)
    if account is None:
        raise web.HTTPNotFound
    values = {
        "account": account,
        "sign_ins": await site.sign_ins.of(account, now()),
        "problems": problems or {},
        "min_chars": MIN_CHARS,
    }
    return render(request, "account.html", values, status)


ROUTES = [
    Route("GET", "/account", show, Needs.VIEWER, people_only=True),
    Route("POST", "/account/password", change_password, Needs.VIEWER, people_only=True),
    Route("POST", r"/account/sign-ins/{number:\d{1,18}}/end", end_one, Needs.VIEWER, people_only=True),
    Route("POST", "/account/sign-out-everywhere", end_all, Needs.VIEWER, people_only=True),
]
