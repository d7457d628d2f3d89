"""An emulated Twilio REST API: look at a live emulated call, end it, give it new instructions; the account's numbers.

It speaks as the real one does (paths, Basic authentication, JSON, error codes), so that the official SDK and our own
hang-up requests work against it. https://www.twilio.com/docs/voice/api/call-resource
"""

import hmac
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from email.utils import format_datetime
from typing import Any, Self
from urllib.parse import urlsplit

from aiohttp import web

from bot.rehearsal.account import account_path, account_resource, numbers_path, numbers_resource
from bot.rehearsal.live import Document, LiveCall

_ENDINGS = frozenset({"completed", "canceled"})
_WISHES = ("Status", "Twiml", "Url")  # of which an update names one
_MAX_TWIML_CHARS = 4000
_PARTS = ("events", "notifications", "payments", "recordings", "siprec", "streams", "transcriptions")


class TwilioApi:
    """Serves one account on a free loopback port while the `async with` block lasts.

    `place_call(..., api=api)` makes a call known here; it is remembered after its end.
    """

    def __init__(self, account_sid: str, auth_token: str) -> None:
        self.url = ""
        """What belongs into `carriers.twilio.api_base`."""
        self.calls: dict[str, LiveCall] = {}
        self.requests: list[tuple[str, str, int]] = []
        """Method, path and status of everything that was asked."""
        self.numbers: dict[str, str] = {}
        """The account's numbers, each with the URL of its voice webhook."""
        self.account_status = "active"
        self._account_sid = account_sid
        self._auth_token = auth_token
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @contextmanager
    def carrying(self, call: LiveCall) -> Iterator[None]:
        """The call can be ended from here until the context ends."""
        self.calls[call.call_sid] = call
        try:
            yield
        finally:
            call.become("completed")

    async def _handle(self, request: web.Request) -> web.Response:
        response = await self._answer(request)
        self.requests.append((request.method, request.path, response.status))
        return response

    async def _answer(self, request: web.Request) -> web.Response:
        if not self._is_authentic(request.headers.get("Authorization", "")):
            return _error(401, 20003, "Authenticate")
        if request.method == "GET" and request.path == account_path(self._account_sid):
            return web.json_response(account_resource(self._account_sid, self.account_status))
        if request.method == "GET" and request.path == numbers_path(self._account_sid):
            return web.json_response(numbers_resource(self._account_sid, self.numbers))
        call = self.calls.get(request.path.rpartition("/")[2].removesuffix(".json"))
        if call is None or request.path != f"{_path(call)}.json":
            return _error(404, 20404, f"The requested resource {request.path} was not found")
        match request.method:
            case "GET":
                return web.json_response(_resource(call))
            case "POST":
                return _update(call, await request.post())
            case _:
                return _error(405, 20004, "Method not allowed")

    def _is_authentic(self, authorization: str) -> bool:
        scheme, _, given = authorization.partition(" ")
        expected = b64encode(f"{self._account_sid}:{self._auth_token}".encode())
        return hmac.compare_digest(given.strip().encode(errors="replace"), expected) and scheme.lower() == "basic"


def _update(call: LiveCall, fields: Mapping[str, object]) -> web.Response:
    given = {name: str(value) for name, value in fields.items() if value}
    if unknown := sorted(set(given) - {*_WISHES, "Method"}):
        return _error(400, 20001, f"This emulation knows {', '.join(_WISHES)} and Method, not {', '.join(unknown)}")
    if len(given.keys() & set(_WISHES)) != 1:
        return _error(400, 20001, f"An update needs one of {', '.join(_WISHES)}")
    if (wrong := _complaint(given)) is not None:
        return wrong
    if call.is_over or (call.status != "in-progress" and "Status" not in given):
        return _error(400, 21220, "Call is not in-progress. Cannot redirect.")
    if "Status" in given:
        call.hang_up()
    else:
        call.go_on_with(Document(given.get("Url", ""), given.get("Method", "POST").upper(), body=given.get("Twiml")))
    return web.json_response(_resource(call))


def _complaint(given: Mapping[str, str]) -> web.Response | None:
    """What Twilio would say of one field by itself."""
    if given.get("Status", "completed") not in _ENDINGS:
        return _error(400, 21218, "Invalid call status; it can be set to completed or canceled")
    if len(given.get("Twiml", "")) > _MAX_TWIML_CHARS:
        return _error(400, 20001, f"Twiml has more than {_MAX_TWIML_CHARS} characters")
    if urlsplit(given.get("Url", "https:")).scheme not in ("http", "https"):
        return _error(400, 21205, "Url is not a valid URL")
    if given.get("Method", "POST").upper() not in ("GET", "POST"):
        return _error(400, 20001, "Method must be GET or POST")
    return None


def _error(status: int, code: int, message: str) -> web.Response:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return web.json_response({"code": code, "message": message, "more_info": more, "status": status}, status=status)


def _path(call: LiveCall) -> str:
    return f"/2010-04-01/Accounts/{call.account_sid}/Calls/{call.call_sid}"


def _resource(call: LiveCall) -> dict[str, Any]:
    return {
        "sid": call.call_sid,
        "account_sid": call.account_sid,
        "annotation": None,
        "answered_by": None,
        "api_version": "2010-04-01",
        "caller_name": None,
        "date_created": _rfc2822(call.created_at),
        "date_updated": _rfc2822(call.ended_at or call.answered_at or call.created_at),
        "direction": "inbound",
        "duration": str(call.duration_s) if call.is_over else None,
        "end_time": _rfc2822(call.ended_at),
        "forwarded_from": None,
        "from": call.from_number,
        "from_formatted": call.from_number,
        "group_sid": None,
        "parent_call_sid": None,
        "phone_number_sid": None,
        "price": None,
        "price_unit": "USD",
        "queue_time": "0",
        "start_time": _rfc2822(call.answered_at),
        "status": call.status,
        "subresource_uris": {part: f"{_path(call)}/{part.title().replace('_', '')}.json" for part in _PARTS},
        "to": call.to_number,
        "to_formatted": call.to_number,
        "trunk_sid": None,
        "uri": f"{_path(call)}.json",
    }


def _rfc2822(time: datetime | None) -> str | None:
    return None if time is None else format_datetime(time)
