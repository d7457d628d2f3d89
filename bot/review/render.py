"""A template, its page's values, and what all pages have: words, theme, who is looking, where they can go."""

from collections.abc import Mapping
from typing import Any

import aiohttp_jinja2
import jinja2
from aiohttp import web

from bot.review import cookies
from bot.review.formats import FILTERS
from bot.review.headers import PERSONAL
from bot.review.site import SITE, Site, site_of
from bot.review.tokens import form_token
from bot.review.visitor import Visitor, visitor_or_none

NAVIGATION = ("calls", "live", "overview", "phone", "settings")
"""The top bar, in this order; a page that is not mounted is left out."""
_COMPRESSED_FROM_BYTES = 1024


def set_up(app: web.Application, site: Site) -> None:
    environment = aiohttp_jinja2.setup(
        app,
        loader=jinja2.PackageLoader("bot.review"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        filters=FILTERS,
    )
    environment.globals.update(t=site.strings, asset=site.assets.url, icons=_icons(environment))


def render(request: web.Request, template: str, values: Mapping[str, Any], status: int = 200) -> web.Response:
    """A page as an answer, for this visitor alone."""
    everything = {**_shared(request), **values}
    response = aiohttp_jinja2.render_template(template, request, everything, status=status)
    response.headers["Cache-Control"] = PERSONAL
    cookies.take_notice(request, response)
    if response.body is not None and len(response.text or "") >= _COMPRESSED_FROM_BYTES:
        response.enable_compression()
    return response


def redirect(request: web.Request, path: str, notice: str = "") -> web.Response:
    """On to another page, which says `notice` (a string's name) when it comes up."""
    response = web.Response(status=303, headers={"Location": path, "Cache-Control": PERSONAL})
    if notice:
        cookies.leave_notice(response, notice, is_secure=site_of(request).is_secure)
    return response


def has_page(app: web.Application, path: str) -> bool:
    return any(route.path == path and route.method == "GET" for route in app[SITE].routes.values())


def _shared(request: web.Request) -> dict[str, Any]:
    site, visitor = site_of(request), visitor_or_none(request)
    return {
        "visitor": visitor,
        "is_admin": visitor is not None and visitor.is_admin,
        "form_token": _form_token(visitor),
        "theme": cookies.theme(request),
        "notice": site.strings.find(cookies.notice(request), ""),
        "path": request.path,
        "here": request.rel_url.raw_path_qs if request.method == "GET" else "/",
        "navigation": [name for name in NAVIGATION if has_page(request.app, f"/{name}")],
    }


def _form_token(visitor: Visitor | None) -> str:
    return form_token(visitor.session_token) if visitor is not None and visitor.session_token else ""


def _icons(environment: jinja2.Environment) -> Any:
    return environment.get_template("icons.html").module
