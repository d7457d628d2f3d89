"""What went wrong, told to whoever asked: a page for browsers, JSON for scripts, never a trace."""

import msgspec
from aiohttp import web

from bot.review.headers import PERSONAL
from bot.review.render import render
from bot.review.site import site_of

_CODES = {
    400: "bad_request",
    401: "not_signed_in",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    410: "gone",
    413: "too_large",
    415: "wrong_media_type",
    429: "too_many",
    500: "internal_error",
    503: "unavailable",
}


def wants_page(request: web.Request) -> bool:
    return not request.path.startswith("/api/") and "text/html" in request.headers.get("Accept", "")


def problem(
    request: web.Request, status: int, request_id: str, detail: str = "", retry_after_s: float | None = None
) -> web.Response:
    """The answer to a request that went wrong; `detail` is a sentence for whoever made it, as text."""
    if wants_page(request):
        response = _page(request, status, request_id, detail)
    else:
        code = _CODES.get(status, "error")
        message = detail or site_of(request).strings.find(f"error.message.{code}", code)
        body = {"error": {"code": code, "message": message, "request_id": request_id}}
        response = web.Response(body=msgspec.json.encode(body), status=status, content_type="application/json")
    response.headers["Cache-Control"] = PERSONAL
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if retry_after_s is not None:
        response.headers["Retry-After"] = str(max(1, round(retry_after_s)))
    return response


def _page(request: web.Request, status: int, request_id: str, detail: str) -> web.Response:
    strings = site_of(request).strings
    code = _CODES.get(status, "error")
    values = {
        "status": status,
        "request_id": request_id,
        "heading": strings.find(f"error.title.{code}", strings("error.title.error")),
        "message": detail or strings.find(f"error.message.{code}", strings("error.message.error")),
    }
    return render(request, "error.html", values, status)
