"""Who may look: accounts, the links with which somebody sets a password, and taking an account away."""

import structlog
from aiohttp import web

from bot.review.accounts import Account, account_name, is_account_name
from bot.review.forms import fields
from bot.review.one_time_links import LIFETIME
from bot.review.render import redirect, render
from bot.review.roles import Needs, Role
from bot.review.routes import Route
from bot.review.site import now, site_of
from bot.review.visitor import visitor_of

log = structlog.get_logger()

PATH = "/people"


async def show(request: web.Request) -> web.Response:
    return await _page(request)


async def invite(request: web.Request) -> web.Response:
    site = site_of(request)
    name, role = await fields(request, "name", "role")
    name = account_name(name)
    if not is_account_name(name) or role not in set(Role):
        return await _page(request, name=name, problem=site.strings("people.name_problem"), status=400)
    if await site.accounts.find(name) is not None:
        return await _page(request, name=name, problem=site.strings("people.name_taken", name=name), status=409)
    return await _with_link(request, name, Role(role))


async def renew(request: web.Request) -> web.Response:
    """A link with which somebody who has forgotten their password sets another one."""
    account = await _changeable(request)
    return await _with_link(request, account.name, account.role)


async def remove(request: web.Request) -> web.Response:
    site, visitor, account = site_of(request), visitor_of(request), await _changeable(request)
    if account.name == visitor.account:
        raise web.HTTPForbidden(text=site.strings("people.not_yourself"))
    await site.accounts.remove(account.name)
    await site.sign_ins.end_all(account.name)
    log.info("account_removed", account=account.name, removed_by=visitor.account)
    return redirect(request, PATH, "people.removed")


async def _changeable(request: web.Request) -> Account:
    """The account in the path, if the pages may change it."""
    site = site_of(request)
    account = await site.accounts.find(request.match_info["name"])
    if account is None:
        raise web.HTTPNotFound
    if account.is_configured:
        raise web.HTTPForbidden(text=site.strings("account.configured"))
    return account


async def _with_link(request: web.Request, name: str, role: Role) -> web.Response:
    site, visitor = site_of(request), visitor_of(request)
    token = await site.links.make(name, role, visitor.account, now())
    log.info("link_made", account=name, role=role.value, made_by=visitor.account)
    link = f"{site.public_url.rstrip('/')}/welcome/{token}"
    return await _page(request, linked=name, link=link, status=201)


async def _page(
    request: web.Request, *, linked: str = "", link: str = "", name: str = "", problem: str = "", status: int = 200
) -> web.Response:
    values = {
        "people": await site_of(request).accounts.all(),
        "linked": linked,
        "link": link,
        "name": name,
        "problem": problem,
        "hours": round(LIFETIME.total_seconds() / 3600),
    }
    return render(request, "people.html", values, status)


ROUTES = [
    Route("GET", PATH, show, Needs.ADMIN, people_only=True),
    Route("POST", PATH, invite, Needs.ADMIN, people_only=True),
    Route("POST", PATH + "/{name}/link", renew, Needs.ADMIN, people_only=True),
    Route("POST", PATH + "/{name}/remove", remove, Needs.ADMIN, people_only=True),
]
