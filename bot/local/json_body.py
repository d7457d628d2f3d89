"""Bodies of JSON requests: read up to a limit, and checked against a type, in OpenAI's words where they do not fit."""

import re
from typing import TypeVar

import msgspec
from aiohttp import web

from bot.local.errors import RequestError

T = TypeVar("T")

_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]+)`(?: - at `\$\.?(?P<path>[^`]*)`)?")
_WRONG = re.compile(r"(?P<what>.*?) - at `\$\.?(?P<path>[^`]*)`")


async def read_json(request: web.Request, kind: type[T], longest: int) -> T:
    """The body as `kind`, of at most `longest` bytes; raises `RequestError`."""
    body = bytearray()
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > longest:
            count = request.content_length or len(body)
            raise RequestError(f"Maximum content size limit ({longest}) exceeded ({count} bytes read)", status=413)
    try:
        return msgspec.json.decode(bytes(body), type=kind)
    except msgspec.ValidationError as exc:
        raise _misfit(str(exc)) from exc
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise RequestError(
            "We could not parse the JSON body of your request. The OpenAI API expects a JSON payload, but what was "
            f"sent was not valid JSON: {exc}"
        ) from exc


def _misfit(message: str) -> RequestError:
    if missing := _MISSING.match(message):
        name = ".".join(part for part in (missing["path"], missing["name"]) if part)
        return RequestError(f"Missing required parameter: '{name}'.", name, "missing_required_parameter")
    if wrong := _WRONG.match(message):
        what = wrong["what"].replace("`", "'")
        return RequestError(f"Invalid type for '{wrong['path']}': {what}.", wrong["path"] or None, "invalid_type")
    return RequestError(f"Invalid body: {message}.", code="invalid_type")
