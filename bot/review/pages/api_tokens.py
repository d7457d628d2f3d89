"""Tokens for scripts: made, shown once, revoked."""

import structlog
from aiohttp import web

from bot.review.forms import fields
from bot.review.render import redirect, render
from bot.review.roles import Needs, Role
from bot.review.routes import Route
from bot.review.site import now, site_of
from bot.review.visitor import visitor_of

log = structlog.get_logger()

PATH = "/account/tokens"
_NAME_CHARS = 60


async def show(request: web.Request) -> web.Response:
    return await _page(request)


async def make(request: web.Request) -> web.Response:
    site, visitor = site_of(request), visitor_of(request)
    name, role = await fields(request, "name", "role")
    name = name.strip()
    if not name or len(name) > _NAME_CHARS or not name.isprintable() or role not in set(Role):
        return await _page(request, problem=site.strings("api_tokens.name_problem", chars=_NAME_CHARS), status=400)
    token = await site.api_tokens.make(name, Role(role), visitor.account, now())
    log.info("api_token_made", name=name, role=role, made_by=visitor.account)
    return await _page(request, token=token, status=201)


async def revoke(request: web.Request) -> web.Response:
    number = int(request.match_info["number"])
    await site_of(request).api_tokens.revoke(number, now())
    log.info("api_token_revoked", number=number, revoked_by=visitor_of(request).account)
    return redirect(request, PATH, "api_tokens.revoked")


async def _page(request: web.Request, token: str = "", problem: str = "", status: int = 200) -> web.Response:
    site = site_of(request)
    example = f'curl -H "Authorization: Bearer {token}" {site.public_url.rstrip("/")}/api/calls'
    values = {"tokens": await site.api_tokens.all(), "token": token, "example": example, "problem": problem}
    return render(request, "api_tokens.html", values, status)


ROUTES = [
    Route("GET", PATH, show, Needs.ADMIN, people_only=True),
    Route("POST", PATH, make, Needs.ADMIN, people_only=True),
    Route("POST", PATH + r"/{number:\d{1,18}}/revoke", revoke, Needs.ADMIN, people_only=True),
]
