"""What all of the local server's answers share: keys, OpenAI's error objects, and the headers programs log.

Nothing here knows an endpoint; a handler raises `RequestError` for what was asked wrongly and `VoiceError` for what
failed at our end, and this file makes the answer of it.
"""

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from bot.errors import VoiceError
from bot.local.errors import RequestError

log = structlog.get_logger()

_OPENAI_VERSION = "2020-10-01"  # the one REST version there is; programs log it
_KEY_PROTOCOL = "openai-insecure-api-key."


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that open the server; without any, everybody may come in."""

    accepted: Sequence[str] = field(default=(), repr=False)

    def check(self, request: web.Request) -> None:
        """Raises `RequestError` (401) unless a right key is in one of the places where programs put it."""
        if not self.accepted:
            return
        given = presented_key(request)
        if given is None:
            raise RequestError(
                "You didn't provide an API key. You need to provide your API key in an Authorization header using "
                "Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
                status=401,
            )
        # Every key is compared, and to its end, so that time tells nothing.
        fits = [hmac.compare_digest(_bytes(given), _bytes(key)) for key in self.accepted]
        if not any(fits):
            raise RequestError(f"Incorrect API key provided: {_masked(given)}.", code="invalid_api_key", status=401)

    def middleware(self, *open_paths: str) -> Middleware:
        """Nobody without a key gets further, except to the open paths, whose handlers check for themselves."""

        @web.middleware
        async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path not in open_paths:
                self.check(request)
            return await handler(request)

        return check


def presented_key(request: web.Request) -> str | None:
    """The key in the Authorization header, in `api-key`, or among the sub-protocols, as browsers have to send it."""
    scheme, _, key = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() == "bearer" and key.strip():
        return key.strip()
    if key := request.headers.get("api-key", ""):
        return key
    offered = [one.strip() for one in request.headers.get(hdrs.SEC_WEBSOCKET_PROTOCOL, "").split(",")]
    return next((one.removeprefix(_KEY_PROTOCOL) for one in offered if one.startswith(_KEY_PROTOCOL)), None)


def error_object(message: str, kind: str, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    """OpenAI's REST error, as JSON."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def refusal(error: RequestError) -> web.Response:
    kind = "invalid_request_error" if error.status < 500 else "server_error"
    return web.json_response(error_object(str(error), kind, error.param, error.code), status=error.status)


@web.middleware
async def errors_are_objects(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever goes wrong before an answer has begun is told as OpenAI tells it."""
    try:
        return await handler(request)
    except RequestError as exc:
        return refusal(exc)
    except VoiceError as exc:
        log.error("local_request_failed", path=request.path, error=str(exc))
        return web.json_response(error_object(str(exc), "server_error"), status=503)
    except ConnectionError:
        return web.Response(status=499)  # whoever asked has hung up, and nobody reads this
    except web.HTTPNotFound:
        message = f"Invalid URL ({request.method} {request.path})"
        return web.json_response(error_object(message, "invalid_request_error"), status=404)
    except web.HTTPMethodNotAllowed as exc:
        message = f"Not allowed to {request.method} on {request.path} (HINT: Perhaps you meant to use another method?)"
        body = error_object(message, "invalid_request_error", code="method_not_supported")
        return web.json_response(body, status=405, headers={hdrs.ALLOW: ",".join(exc.allowed_methods)})
    except web.HTTPClientError as exc:
        return web.json_response(error_object(exc.reason, "invalid_request_error"), status=exc.status)


async def sign_response(request: web.Request, response: web.StreamResponse) -> None:
    """For `on_response_prepare`, which streams and upgrades pass as well: what programs log of an answer."""
    response.headers["x-request-id"] = f"req_{secrets.token_hex(16)}"
    response.headers["openai-version"] = _OPENAI_VERSION


def _masked(key: str) -> str:
    return f"{key[:3]}***{key[-4:]}" if len(key) > 12 else "***"


def _bytes(key: str) -> bytes:
    return key.encode("utf-8", "surrogateescape")  # as aiohttp reads headers
