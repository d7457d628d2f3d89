"""The JSON API, as its handlers declare themselves: what each takes, gives, needs and may answer instead.

One declaration is both the route and its page in the OpenAPI file (`api_openapi.py`), so that the two cannot differ.
Query and body are read into msgspec types, strictly: what is not in the type, too long or of another kind is a 400 with
a sentence. Errors are `{"error": {"code", "message", "request_id"}}`, as `problems.py` writes them.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from aiohttp import web
from msgspec import Meta

from bot.review.roles import Needs
from bot.review.routes import Route

MAX_BODY_BYTES = 64 * 1024
Q = TypeVar("Q", bound=msgspec.Struct)
B = TypeVar("B", bound=msgspec.Struct)

CallId = Annotated[str, Meta(min_length=1, max_length=256, description="As the list gives it.")]


class Fields(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What comes in, as query or as body."""


class Nothing(Fields, frozen=True):
    """No query."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path. The handler gets the request, its query and, where there is one, its body."""

    method: str
    path: str
    summary: str
    needs: Needs
    handler: Callable[..., Awaitable[web.StreamResponse]]
    query: type[Fields] = Nothing
    body: type[Fields] | None = None
    answer: Any = None
    """The type of the JSON that it answers with; None: nothing (204), or a file."""
    files: tuple[str, ...] = ()
    """The media types of the files it may answer with."""
    problems: tuple[int, ...] = ()
    """What it may answer besides 400, 401, 403, 429 and 503, which all may."""

    @property
    def route(self) -> Route:
        async def handle(request: web.Request) -> web.StreamResponse:
            query = read_query(request, self.query)
            if self.body is None:
                await _no_body(request)
                return await self.handler(request, query)
            return await self.handler(request, query, await read_body(request, self.body))

        return Route(self.method, self.path, handle, self.needs)


_ERRORS: dict[int, type[web.HTTPException]] = {
    400: web.HTTPBadRequest,
    403: web.HTTPForbidden,
    404: web.HTTPNotFound,
    409: web.HTTPConflict,
    410: web.HTTPGone,
    415: web.HTTPUnsupportedMediaType,
}


def status_error(status: int, sentence: str) -> web.HTTPException:
    """What a handler raises; `guard.py` makes the answer of it."""
    return _ERRORS[status](text=sentence)


def json_answer(value: Any, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")


def done() -> web.Response:
    return web.Response(status=204)


def read_query(request: web.Request, kind: type[Q]) -> Q:
    """Raises the 400 that names the parameter."""
    hints = get_type_hints(kind)  # without what Annotated adds
    values: dict[str, Any] = {}
    for name in request.query:
        given = request.query.getall(name)
        if get_origin(hints.get(name)) is tuple:
            values[name] = given
        elif len(given) > 1:
            raise status_error(400, f"The parameter {name[:40]!r} is given twice.")
        else:
            values[name] = _moment(name, given[0]) if datetime in get_args(hints.get(name)) else given[0]
    return _convert(values, kind)


def _moment(name: str, text: str) -> datetime:
    """Read strictly: else a number would be one too."""
    try:
        return msgspec.convert(text, datetime)
    except msgspec.ValidationError as exc:
        raise status_error(400, f"{name} must be a time like 2026-11-20T10:30:00Z.") from exc


def _convert(values: dict[str, Any], kind: type[Q]) -> Q:
    try:
        query = msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as exc:
        raise status_error(400, f"{exc}.") from exc
    if nulls := [name for name in values if getattr(query, name) is None]:  # msgspec reads the word null so
        raise status_error(400, f"Leave the parameter {nulls[0]!r} out instead.")
    return query


async def read_body(request: web.Request, kind: type[B]) -> B:
    """Raises 400, 413 or 415."""
    if request.content_type != "application/json":
        raise status_error(415, "Send JSON, with the header Content-Type: application/json.")
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise web.HTTPRequestEntityTooLarge(MAX_BODY_BYTES, request.content_length or 0)
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise status_error(400, f"{exc}.") from exc


async def _no_body(request: web.Request) -> None:
    if request.can_read_body and await request.read():
        raise status_error(400, "This takes no body.")
