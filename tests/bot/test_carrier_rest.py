"""What we ask of a carrier's REST API, over loopback: which answers are an end, and which are asked about again."""

import base64
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from structlog.testing import capture_logs

from bot.carrier.twilio import TwilioCarrier
from bot.carrier_rest import CallControl
from bot.config import TransferConfig
from bot.errors import CarrierError

SID, TOKEN, CALL = "AC" + "1" * 32, "secret token", "CA" + "2" * 32
TRANSFERS = {"sales": TransferConfig(number="+15550003333")}

Answer = Callable[[], web.Response] | None


def done() -> web.Response:
    return web.json_response({"sid": CALL, "status": "completed"})


def failed() -> web.Response:
    return web.Response(status=503, text="<h1>Service Unavailable</h1>")


def unreadable() -> web.Response:
    return web.Response(status=502, body=b"\xff\xfe\x00", headers={"Content-Type": "text/html; charset=utf-8"})


def refused(status: int, code: int) -> Callable[[], web.Response]:
    return lambda: web.json_response({"code": code, "message": "No.", "status": status}, status=status)


@dataclass
class Api:
    """A carrier that answers as the test says, one request after the other; None cuts the connection."""

    answers: list[Answer] = field(default_factory=lambda: [done])
    url: str = ""
    requests: list[tuple[str, str, str]] = field(default_factory=list)  # method, path, Authorization
    forms: list[dict[str, list[str]]] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        self.requests.append((request.method, request.path, request.headers.get("Authorization", "")))
        self.forms.append(parse_qs(await request.text(), strict_parsing=True))
        make = self.answers[len(self.requests) - 1]
        if make is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return make()


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    api = Api()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", api.handle)
    async with TestServer(app, host="127.0.0.1") as server:
        api.url = str(server.make_url("")).rstrip("/")
        yield api


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def control(http: aiohttp.ClientSession, url: str, sid: str = SID) -> CallControl:
    carrier = TwilioCarrier(sid, (TOKEN,), "https://bot.example.com", url)
    return CallControl(http, carrier, CALL, "+15550002222", TRANSFERS, "Nobody is there, sorry.")


async def test_a_hang_up_is_one_request_with_the_accounts_credentials(api, http):
    await control(http, api.url).hang_up()
    login = base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()
    assert api.requests == [("POST", f"/2010-04-01/Accounts/{SID}/Calls/{CALL}.json", f"Basic {login}")]
    assert api.forms == [{"Status": ["completed"]}]


async def test_a_transfer_arrives_as_the_carrier_wrote_it(api, http):
    await control(http, api.url).transfer("sales")
    expected = TwilioCarrier(SID, (TOKEN,), "https://bot.example.com", api.url).transfer(
        CALL, TRANSFERS["sales"].number, "+15550002222", "Nobody is there, sorry."
    )
    assert expected is not None
    assert api.forms == [{name: [value] for name, value in expected.form}]


@pytest.mark.parametrize("passing", [failed, unreadable, None])
async def test_what_fails_in_passing_is_asked_again(api, http, passing):
    api.answers = [passing, passing, done]
    with capture_logs() as lines:
        await control(http, api.url).transfer("sales")
    assert len(api.requests) == 3
    assert api.forms[0] == api.forms[1] == api.forms[2]
    assert [(line["event"], line["attempt"]) for line in lines] == [("carrier_refused", 1), ("carrier_refused", 2)]


@pytest.mark.parametrize(("failing", "said"), [(failed, "503"), (unreadable, "502"), (None, "out of reach")])
async def test_what_goes_on_failing_is_given_up(api, http, failing, said):
    api.answers = [failing] * 9
    with pytest.raises(CarrierError, match=said):
        await control(http, api.url).hang_up()
    assert len(api.requests) == 3


@pytest.mark.parametrize(("status", "code"), [(400, 21220), (404, 20404)])
async def test_a_call_that_is_over_already_needs_no_hang_up(api, http, status, code):
    api.answers = [refused(status, code)]
    await control(http, api.url).hang_up()
    assert len(api.requests) == 1


@pytest.mark.parametrize(("status", "code"), [(401, 20003), (400, 21218), (429, 20429)])
async def test_a_refusal_is_final_and_tells_neither_token_nor_number(api, http, status, code):
    api.answers = [refused(status, code)]
    with (
        capture_logs() as lines,
        pytest.raises(CarrierError, match=f"answered {status} to the request to transfer") as told,
    ):
        await control(http, api.url).transfer("sales")
    assert len(api.requests) == 1
    assert not [secret for secret in (TOKEN, TRANSFERS["sales"].number) if secret in f"{told.value} {lines}"]


async def test_an_api_that_is_not_there_is_out_of_reach(http):
    with pytest.raises(CarrierError, match="out of reach"):
        await control(http, f"http://127.0.0.1:{unused_port()}").hang_up()


async def test_without_credentials_a_hang_up_is_left_to_the_socket_and_a_transfer_cannot_be(api, http):
    await control(http, api.url, sid="").hang_up()
    with pytest.raises(CarrierError, match="credentials"):
        await control(http, api.url, sid="").transfer("sales")
    assert api.requests == []


async def test_nobody_is_put_through_to_a_destination_that_is_not_configured(api, http):
    with pytest.raises(CarrierError, match="no destination 'moon'"):
        await control(http, api.url).transfer("moon")
    assert api.requests == []
