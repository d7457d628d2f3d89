"""An emulated Twilio REST API: the calls of one account, fetched and ended as Twilio's own client asks for it.

POST and GET /2010-04-01/Accounts/{sid}/Calls/{CallSid}.json, with the answers and error codes of
https://www.twilio.com/docs/voice/api/call-resource .
"""

import asyncio
import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Self

import aiohttp
from aiohttp import web

_CALLS = "/2010-04-01/Accounts/{account}/Calls/{call}.json"
_ENDED = frozenset({"completed", "canceled", "busy", "failed", "no-answer"})


@dataclass(slots=True)
class ApiCall:
    """One live call, as the account sees it; `hung_up` is set when the API was asked to end it."""

    call_sid: str
    from_number: str
    to_number: str
    status: str = "in-progress"
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended_at: datetime | None = None
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    def end(self, status: str = "completed") -> None:
        if self.status not in _ENDED:
            self.status, self.ended_at = status, datetime.now(UTC)
        self.hung_up.set()


class TwilioApi:
    """Serves one account on a free loopback port while the `async with` block lasts."""

    def __init__(self, account_sid: str, auth_token: str) -> None:
        self._account_sid = account_sid
        self._auth_token = auth_token
        self._calls: dict[str, ApiCall] = {}
        self._runner: web.AppRunner | None = None
        self.url = ""
        """What belongs into `carriers.twilio.api_base`."""
        self.requests: list[tuple[str, str, int]] = []
        """Method, path and status of everything that was asked."""

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

    def begin(self, call_sid: str, from_number: str, to_number: str) -> ApiCall:
        """A call comes to life on this account."""
        call = self._calls[call_sid] = ApiCall(call_sid, from_number, to_number)
        return call

    async def _handle(self, request: web.Request) -> web.Response:
        response = await self._answer(request)
        self.requests.append((request.method, request.path, response.status))
        return response

    async def _answer(self, request: web.Request) -> web.Response:
        if not self._is_authorised(request):
            return _error(401, 20003, "Authenticate")
        call = self._calls.get(request.path.rpartition("/")[2].removesuffix(".json"))
        path = _CALLS.format(account=self._account_sid, call=call.call_sid if call else "")
        if call is None or request.path != path:
            return _error(404, 20404, f"The requested resource {request.path} was not found")
        if request.method == "POST":
            return self._update(call, dict(await request.post()))
        if request.method != "GET":
            return _error(405, 20004, "Method not allowed")
        return web.json_response(self._resource(call))

    def _update(self, call: ApiCall, fields: dict[str, Any]) -> web.Response:
        if unknown := sorted(set(fields) - {"Status"}):
            return _error(400, 20001, f"This emulation knows Status only, not {', '.join(unknown)}")
        if fields.get("Status") not in ("completed", "canceled"):
            return _error(400, 21218, "Invalid call status; it can be set to completed or canceled")
        if call.status in _ENDED:
            return _error(400, 21220, "Call is not in-progress. Cannot redirect.")
        call.end()
        return web.json_response(self._resource(call))

    def _is_authorised(self, request: web.Request) -> bool:
        try:
            auth = aiohttp.BasicAuth.decode(request.headers.get("Authorization", ""))
        except ValueError:
            return False
        expected = f"{self._account_sid}:{self._auth_token}".encode()
        return hmac.compare_digest(f"{auth.login}:{auth.password}".encode(), expected)

    def _resource(self, call: ApiCall) -> dict[str, Any]:
        uri = _CALLS.format(account=self._account_sid, call=call.call_sid)
        duration = str(round((call.ended_at - call.started_at).total_seconds())) if call.ended_at else None
        return {
            "sid": call.call_sid,
            "account_sid": self._account_sid,
            "api_version": "2010-04-01",
            "direction": "inbound",
            "from": call.from_number,
            "from_formatted": call.from_number,
            "to": call.to_number,
            "to_formatted": call.to_number,
            "status": call.status,
            "start_time": format_datetime(call.started_at),
            "end_time": format_datetime(call.ended_at) if call.ended_at else None,
            "duration": duration,
            "date_created": format_datetime(call.started_at),
            "date_updated": format_datetime(call.ended_at or call.started_at),
            "answered_by": None,
            "annotation": None,
            "caller_name": None,
            "forwarded_from": None,
            "group_sid": None,
            "parent_call_sid": None,
            "phone_number_sid": "PN" + "0" * 32,
            "price": None,
            "price_unit": "USD",
            "queue_time": "0",
            "trunk_sid": None,
            "uri": uri,
            "subresource_uris": {},
        }


def _error(status: int, code: int, message: str) -> web.Response:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return web.json_response({"code": code, "message": message, "more_info": more, "status": status}, status=status)
