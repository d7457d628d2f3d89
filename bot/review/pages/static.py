"""Style sheet, scripts and pictures, for everybody: there is nothing about a call in them."""

from aiohttp import web

from bot.review.headers import IMMUTABLE
from bot.review.roles import Needs
from bot.review.routes import Route
from bot.review.site import site_of


async def asset(request: web.Request) -> web.Response:
    assets = site_of(request).assets
    found = assets.find(request.match_info["name"])
    if found is None:
        raise web.HTTPNotFound
    is_current = request.match_info["version"] == assets.version
    headers = {"Cache-Control": IMMUTABLE if is_current else "no-cache", "Vary": "Accept-Encoding"}
    body = found.body
    if found.gzipped is not None and "gzip" in request.headers.get("Accept-Encoding", "").lower():
        body = found.gzipped
        headers["Content-Encoding"] = "gzip"
    charset = "utf-8" if found.content_type.startswith("text/") else None
    return web.Response(body=body, headers=headers, content_type=found.content_type, charset=charset)


ROUTES = [Route("GET", "/static/{version:[0-9a-f]+}/{name:.+}", asset, Needs.NOTHING)]
