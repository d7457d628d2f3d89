"""The one place that decides who may come in: a middleware around every route that is not the carriers' or machines'.

In this order: the route must have declared what it needs; what changes something must come from our own pages; whoever
asks is looked up (cookie or token); their role must do; a form must carry its session's token. What goes wrong after
that, here or in a handler, becomes a page or JSON with the request's id, and a line in the log under the same id.
"""

import secrets
from collections.abc import Collection
from urllib.parse import quote

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from structlog.contextvars import bound_contextvars

from bot.errors import BotError
from bot.review import cookies
from bot.review.api_tokens import bearer_token
from bot.review.headers import SECURITY, permissions_policy
from bot.review.origin import SAFE_METHODS, is_from_elsewhere, must_be_checked
from bot.review.passwords import BusyError
from bot.review.problems import problem, wants_page
from bot.review.render import redirect
from bot.review.roles import Needs, may
from bot.review.routes import Route
from bot.review.site import Site, now, site_of
from bot.review.tokens import is_form_token
from bot.review.visitor import Visitor, remember

log = structlog.get_logger()

_REQUEST_ID = web.RequestKey("request_id", str)
"""Only requests of pages have one."""


def guarding(others: Collection[web.AbstractRoute]) -> Middleware:
    """The middleware; `others` prove by themselves that they may come in (a signature, a ticket) or need not."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.match_info.route in others:
            return await handler(request)
        request[_REQUEST_ID] = request_id = secrets.token_hex(8)
        with bound_contextvars(request_id=request_id):
            return await _answered(request, handler, request_id)

    return guard


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """For the signal `on_response_prepare`, so that streams and files have them too."""
    if (request_id := request.get(_REQUEST_ID)) is None:
        return
    route = _route(request)
    response.headers.update(SECURITY)
    response.headers["Permissions-Policy"] = permissions_policy(microphone=route is not None and route.uses_microphone)
    response.headers["X-Request-Id"] = request_id
    response.headers.setdefault("Cache-Control", "no-store")
    if site_of(request).is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"


async def _answered(request: web.Request, handler: Handler, request_id: str) -> web.StreamResponse:
    try:
        refusal = await _refusal(request, request_id)
        return await handler(request) if refusal is None else refusal
    except web.HTTPException as exc:
        if exc.status < 400:
            raise
        detail = "" if exc.text == f"{exc.status}: {exc.reason}" else exc.text or ""  # the former is aiohttp's own
        response = problem(request, exc.status, request_id, detail)
        if "Allow" in exc.headers:
            response.headers["Allow"] = exc.headers["Allow"]
        return response
    except BusyError:
        return problem(request, 503, request_id, retry_after_s=5)
    except BotError as exc:
        log.error("page_failed", path=request.path, error=str(exc))
        return problem(request, 503, request_id, retry_after_s=10)
    except Exception:  # a bug in one page is a page that says so, with the id that finds the trace in the log
        log.exception("page_crashed", route=str(request.match_info.route.resource))
        return problem(request, 500, request_id)


async def _refusal(request: web.Request, request_id: str) -> web.Response | None:
    """Why this request is not answered, or None where it may come in."""
    site, needs = site_of(request), _needs(request)
    if needs is Needs.NOTHING:
        return None
    if (visitor := await _visitor(request, site)) is not None:
        remember(request, visitor)
    if request.match_info.http_exception is not None:
        return None  # the router's own answer: no such page, or not by this method
    if needs is None:
        log.error("route_undeclared", route=str(request.match_info.route.resource))
        return problem(request, 404, request_id)
    if must_be_checked(request.method, request.headers) and is_from_elsewhere(request.headers, site.public_url):
        log.warning("request_from_elsewhere", path=request.path, origin=request.headers.get("Origin", "")[:100])
        return problem(request, 403, request_id, site.strings("error.from_elsewhere"))
    if needs is Needs.ANYBODY:
        return None
    if visitor is None:
        return _sign_in_first(request, request_id)
    if not may(visitor.role, needs) or (_is_people_only(request) and visitor.sign_in is None):
        return problem(request, 403, request_id)
    if not await _is_own_form(request, visitor):
        return problem(request, 403, request_id, site.strings("error.stale_form"))
    return None


def _route(request: web.Request) -> Route | None:
    return site_of(request).routes.get(request.match_info.route)


def _needs(request: web.Request) -> Needs | None:
    route = _route(request)
    return None if route is None else route.needs


def _is_people_only(request: web.Request) -> bool:
    route = _route(request)
    return route is not None and route.people_only


async def _visitor(request: web.Request, site: Site) -> Visitor | None:
    """Whoever sends this: a token in a header counts before a cookie, and a wrong one is nobody."""
    address = site.address_of(request)
    if (authorization := request.headers.get("Authorization")) is not None:
        bearer = bearer_token(authorization)
        token = await site.api_tokens.find(bearer, address, now()) if bearer else None
        return None if token is None else Visitor(token.role, address, api_token=token.name)
    cookie = cookies.session_token(request, is_secure=site.is_secure)
    sign_in = await site.sign_ins.find(cookie, now()) if cookie else None
    if cookie is None or sign_in is None:
        return None
    account = await site.accounts.find(sign_in.account)
    if account is None or account.mark != sign_in.password_mark:
        return None
    await site.sign_ins.touch(sign_in, address, now())
    return Visitor(account.role, address, account.name, sign_in.id, cookie)


def _sign_in_first(request: web.Request, request_id: str) -> web.Response:
    if request.method in SAFE_METHODS and wants_page(request):
        wanted = request.rel_url.raw_path_qs
        return redirect(request, "/sign-in" if wanted == "/" else f"/sign-in?next={quote(wanted, safe='')}")
    return problem(request, 401, request_id)


async def _is_own_form(request: web.Request, visitor: Visitor) -> bool:
    """Whether what changes something carries the token of its session; a script's own token is proof enough."""
    if request.method in SAFE_METHODS or visitor.sign_in is None:
        return True
    token = request.headers.get("X-CSRF-Token")
    if token is None and request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        token = str((await request.post()).get("csrf", ""))
    return is_form_token(token or "", visitor.session_token)
