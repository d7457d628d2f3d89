"""The official SDK is the judge of the emulated REST API."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from bot.carrier.twilio import TwilioCarrier
from bot.rehearsal.api import TwilioApi
from bot.rehearsal.live import Document, LiveCall

SID, TOKEN = "AC" + "1" * 32, "secret"
CALL = "CA" + "2" * 32


class Loopback(TwilioHttpClient):
    """Twilio's own client, led to another host."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._to = urlsplit(url)

    def request(self, method, url, *args, **kwargs):
        moved = urlsplit(url)._replace(scheme=self._to.scheme, netloc=self._to.netloc)
        return super().request(method, urlunsplit(moved), *args, **kwargs)


@pytest.fixture
async def api() -> AsyncIterator[TwilioApi]:
    async with TwilioApi(SID, TOKEN) as api:
        yield api


def live() -> LiveCall:
    call = LiveCall(CALL, SID, "+15550001111", "+15550002222")
    call.become("in-progress")
    return call


def sdk(api: TwilioApi, token: str = TOKEN) -> Client:
    return Client(SID, token, http_client=Loopback(api.url))


async def test_the_official_sdk_looks_at_a_call_and_ends_it(api):
    call = live()
    with api.carrying(call):
        calls = sdk(api).calls(CALL)
        fetched = await asyncio.to_thread(calls.fetch)
        assert (fetched.sid, fetched.status, fetched.direction) == (CALL, "in-progress", "inbound")
        assert fetched.start_time is not None
        assert (fetched.from_formatted, fetched.to, fetched.end_time) == ("+15550001111", "+15550002222", None)
        updated = await asyncio.to_thread(calls.update, status="completed")
        assert updated.status == "completed"
        assert updated.end_time is not None
        assert call.is_hung_up
        assert call.interrupted.is_set()
    assert api.requests == [
        ("GET", f"/2010-04-01/Accounts/{SID}/Calls/{CALL}.json", 200),
        ("POST", f"/2010-04-01/Accounts/{SID}/Calls/{CALL}.json", 200),
    ]


async def test_a_call_that_is_over_is_remembered_and_cannot_be_ended_again(api):
    with api.carrying(live()):
        pass
    calls = sdk(api).calls(CALL)
    assert (await asyncio.to_thread(calls.fetch)).status == "completed"
    with pytest.raises(TwilioRestException) as refused:
        await asyncio.to_thread(calls.update, status="completed")
    assert (refused.value.status, refused.value.code) == (400, 21220)


@pytest.mark.parametrize(
    ("sid", "token", "update", "expected"),
    [
        (CALL, "wrong", {"status": "completed"}, (401, 20003)),
        ("CA" + "9" * 32, TOKEN, {"status": "completed"}, (404, 20404)),
        (CALL, TOKEN, {"status": "ringing"}, (400, 21218)),
        (CALL, TOKEN, {"twiml": "<Response/>", "status": "completed"}, (400, 20001)),
        (CALL, TOKEN, {"twiml": "<Response/>", "time_limit": 5}, (400, 20001)),
        (CALL, TOKEN, {"twiml": "x" * 4001}, (400, 20001)),
        (CALL, TOKEN, {"method": "GET"}, (400, 20001)),
        (CALL, TOKEN, {"url": "https://a/b", "method": "PUT"}, (400, 20001)),
        (CALL, TOKEN, {"url": "bot.example.com/next"}, (400, 21205)),
    ],
)
async def test_what_twilio_refuses_is_refused_with_its_code(api, sid, token, update, expected):
    call = live()
    with api.carrying(call), pytest.raises(TwilioRestException) as refused:
        await asyncio.to_thread(sdk(api, token).calls(sid).update, **update)
    assert (refused.value.status, refused.value.code) == expected
    assert not call.interrupted.is_set()


@pytest.mark.parametrize(
    ("update", "document"),
    [
        ({"twiml": "<Response/>"}, Document(body="<Response/>")),
        ({"url": "https://a/b"}, Document("https://a/b")),
        ({"url": "https://a/b", "method": "GET"}, Document("https://a/b", "GET")),
    ],
)
async def test_the_official_sdk_gives_a_call_new_instructions(api, update, document):
    call = live()
    with api.carrying(call):
        updated = await asyncio.to_thread(sdk(api).calls(CALL).update, **update)
    assert updated.status == "in-progress"
    assert call.interrupted.is_set()
    assert call.take_redirect() == document
    assert call.take_redirect() is None
    assert not call.interrupted.is_set()


async def test_a_call_that_is_not_answered_yet_cannot_be_redirected(api):
    call = LiveCall(CALL, SID, "+15550001111", "+15550002222")
    with api.carrying(call), pytest.raises(TwilioRestException) as refused:
        await asyncio.to_thread(sdk(api).calls(CALL).update, twiml="<Response/>")
    assert (refused.value.status, refused.value.code) == (400, 21220)


async def test_our_own_hang_up_is_understood_both_ways(api):
    carrier = TwilioCarrier(SID, (TOKEN,), "https://bot.example.com", api.url)
    request = carrier.hang_up(CALL)
    credentials = b64encode(f"{request.username}:{request.password}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}"}
    with api.carrying(live()):
        async with aiohttp.ClientSession(headers=headers) as session:
            for status in (200, 400):  # the second one finds the call already over
                async with session.request(request.method, request.url, data=dict(request.form)) as response:
                    assert response.status == status
                    assert carrier.is_done(response.status, await response.text())


async def test_credentials_that_are_none_are_refused(api):
    async with aiohttp.ClientSession() as session:
        for headers in ({}, {"Authorization": "Basic !!!"}, {"Authorization": "Bearer x"}):
            async with session.get(f"{api.url}/2010-04-01/Accounts/{SID}/Calls/{CALL}.json", headers=headers) as answer:
                assert (answer.status, (await answer.json())["code"]) == (401, 20003)
