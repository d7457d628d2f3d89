"""Signing in and out."""

import math

import structlog
from aiohttp import web

from bot.review import cookies
from bot.review.accounts import Account, account_name
from bot.review.forms import fields, local_path
from bot.review.render import redirect, render
from bot.review.roles import Needs
from bot.review.routes import Route
from bot.review.site import now, site_of
from bot.review.strings import Strings
from bot.review.visitor import visitor_of, visitor_or_none

log = structlog.get_logger()


async def show(request: web.Request) -> web.Response:
    wanted = local_path(request.query.get("next", ""))
    if visitor_or_none(request) is not None:
        return redirect(request, wanted)
    has_admin = await site_of(request).accounts.has_admin()
    return render(request, "sign_in.html", {"next": wanted, "name": "", "problem": "", "has_admin": has_admin})


async def sign_in(request: web.Request) -> web.Response:
    site = site_of(request)
    name, password, wanted = await fields(request, "name", "password", "next")
    name, wanted, address = account_name(name)[:64], local_path(wanted), site.address_of(request)
    attempt = await site.attempts.begin(name, address, now())
    if attempt.wait_s > 0:
        log.warning("sign_in_locked", wait_s=round(attempt.wait_s))
        return _again(request, name, wanted, locked(site.strings, attempt.wait_s), 429, attempt.wait_s)
    account = await site.accounts.find(name)
    if not await site.passwords.fits(password, account.password_hash if account else None) or account is None:
        log.warning("sign_in_failed", address=address)
        return _again(request, name, wanted, site.strings("sign_in.wrong"), 403)
    await site.attempts.succeeded(attempt)
    return await signed_in(request, account, wanted)


async def signed_in(request: web.Request, account: Account, wanted: str, notice: str = "") -> web.Response:
    """On to what was wanted, with a session that nobody had before."""
    site = site_of(request)
    if before := cookies.session_token(request, is_secure=site.is_secure):
        await site.sign_ins.end_with(before)
    browser, address = request.headers.get("User-Agent", ""), site.address_of(request)
    token = await site.sign_ins.begin(account, address, browser, now())
    log.info("signed_in", account=account.name, role=account.role.value)
    response = redirect(request, wanted, notice)
    cookies.keep_session(response, token, is_secure=site.is_secure)
    return response


async def sign_out(request: web.Request) -> web.Response:
    site, visitor = site_of(request), visitor_of(request)
    if visitor.sign_in is not None:
        await site.sign_ins.end(visitor.account, visitor.sign_in)
    response = redirect(request, "/sign-in", "sign_in.signed_out")
    cookies.forget_session(response, is_secure=site.is_secure)
    return response


def locked(strings: Strings, wait_s: float) -> str:
    """The sentence for somebody who must wait."""
    return strings.count("sign_in.locked", max(1, math.ceil(wait_s / 60)))


def _again(
    request: web.Request, name: str, wanted: str, problem: str, status: int, retry_after_s: float = 0
) -> web.Response:
    values = {"next": wanted, "name": name, "problem": problem, "has_admin": True}
    response = render(request, "sign_in.html", values, status)
    if retry_after_s:
        response.headers["Retry-After"] = str(max(1, round(retry_after_s)))
    return response


ROUTES = [
    Route("GET", "/sign-in", show, Needs.ANYBODY),
    Route("POST", "/sign-in", sign_in, Needs.ANYBODY),
    Route("POST", "/sign-out", sign_out, Needs.VIEWER),
]
