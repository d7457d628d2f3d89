"""What a stranger, a broken carrier or a late one gets: a status or close code and a sentence; other calls go on."""

import asyncio
import json
from base64 import b64encode
from urllib.parse import urlencode
from xml.etree import ElementTree

import aiohttp
import pytest
from aiohttp import WSMsgType
from structlog.testing import capture_logs
from twilio.request_validator import RequestValidator

from bot.rehearsal.caller import HangUp, Say, ScriptedCaller, WaitForReply
from bot.rehearsal.stage import Stage
from bot.rehearsal.twilio import place_call
from tests.support.tones import ACCOUNT, TOKEN, speech

CALL = "CA" + "a" * 32
FIELDS = {"CallSid": CALL, "AccountSid": ACCOUNT, "From": "+15550001111", "To": "+15550002222", "CallStatus": "ringing"}


def signed(url: str, fields: dict[str, str]) -> dict[str, str]:
    """Signed by Twilio's own SDK."""
    return {"X-Twilio-Signature": RequestValidator(TOKEN).compute_signature(url, fields)}


async def ring(there: Stage, http: aiohttp.ClientSession, fields: dict[str, str] | None = None) -> str:
    """Call the webhook; returns the media socket's URL."""
    fields, url = fields or FIELDS, f"{there.url}/twilio/voice"
    async with http.post(url, data=fields, headers=signed(url, fields)) as response:
        assert response.status == 200
        stream = ElementTree.fromstring(await response.text()).find("Connect/Stream")
        assert stream is not None
        return stream.get("url", "")


def start(call_sid: str = CALL, encoding: str = "audio/x-mulaw") -> str:
    body = {
        "streamSid": "MZ" + "b" * 32, "accountSid": ACCOUNT, "callSid": call_sid, "tracks": ["inbound"],
        "mediaFormat": {"encoding": encoding, "sampleRate": 8000, "channels": 1}, "customParameters": {},
    }  # fmt: skip
    return json.dumps({"event": "start", "sequenceNumber": "1", "streamSid": body["streamSid"], "start": body})


def media(payload: bytes, chunk: int = 1) -> str:
    encoded = b64encode(payload).decode()
    body = {"track": "inbound", "chunk": str(chunk), "timestamp": str(20 * chunk), "payload": encoded}
    return json.dumps({"event": "media", "sequenceNumber": str(chunk + 1), "streamSid": "MZ" + "b" * 32, "media": body})


CONNECTED = '{"event":"connected","protocol":"Call","version":"1.0.0"}'


async def test_an_unsigned_or_wrongly_signed_webhook_is_forbidden_and_nothing_happens(there: Stage):
    url = f"{there.url}/twilio/voice"
    async with aiohttp.ClientSession() as http:
        for headers in ({}, {"X-Twilio-Signature": "bm90IGl0"}, signed(url, FIELDS | {"From": "+1"})):
            async with http.post(url, data=FIELDS, headers=headers) as response:
                assert response.status == 403
                assert "Traceback" not in await response.text()
    assert there.service.tickets.count(0) == 0


async def test_a_signed_get_is_answered_as_well(there: Stage):
    url = f"{there.url}/twilio/voice?{urlencode(FIELDS)}"
    async with aiohttp.ClientSession() as http, http.get(url, headers=signed(url, {})) as response:
        assert response.status == 200
        assert "<Stream" in await response.text()


async def test_a_signed_webhook_without_its_fields_is_a_bad_request(there: Stage):
    url = f"{there.url}/twilio/voice"
    async with (
        aiohttp.ClientSession() as http,
        http.post(url, data={"A": "b"}, headers=signed(url, {"A": "b"})) as response,
    ):
        assert response.status == 400
        assert "CallSid" in await response.text()


async def test_other_methods_and_oversized_bodies_are_refused(there: Stage):
    async with aiohttp.ClientSession() as http:
        async with http.delete(f"{there.url}/twilio/voice") as response:
            assert response.status == 405
        async with http.post(f"{there.url}/twilio/voice", data=b"x" * 100_000) as response:
            assert response.status == 413


async def test_a_token_opens_one_socket_once(there: Stage):
    async with aiohttp.ClientSession() as http:
        url = await ring(there, http)
        async with http.ws_connect(url) as socket:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await http.ws_connect(url)
            assert refused.value.status == 403
            await socket.close()
        with pytest.raises(aiohttp.WSServerHandshakeError) as unknown:
            await http.ws_connect(url.rpartition("/")[0] + "/made-up")
        assert unknown.value.status == 403


async def test_a_webhook_that_is_repeated_replaces_its_token(there: Stage):
    async with aiohttp.ClientSession() as http:
        first, second = await ring(there, http), await ring(there, http)
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await http.ws_connect(first)
        async with http.ws_connect(second) as socket:
            assert not socket.closed


async def test_a_status_callback_is_taken_when_signed(there: Stage):
    url = f"{there.url}/twilio/status"
    fields = FIELDS | {"CallStatus": "completed", "SequenceNumber": "3"}
    async with aiohttp.ClientSession() as http:
        async with http.post(url, data=fields, headers=signed(url, fields)) as response:
            assert response.status == 204
        async with http.post(url, data=fields) as response:
            assert response.status == 403


BROKEN = {
    "not JSON": "{",
    "a binary frame": b"\x00\x01",
    "media before start": media(bytes(160)),
    "another encoding": start(encoding="audio/x-opus"),
    "another call's start": start(call_sid="CA" + "f" * 32),
    "no object": "[]",
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
async def test_a_stream_that_makes_no_sense_ends_its_call_and_no_other(there: Stage, broken: str | bytes):
    steps = [WaitForReply(quiet_ms=300), Say(speech(700)), WaitForReply(quiet_ms=300), HangUp()]
    other = asyncio.create_task(
        place_call(there.url, ScriptedCaller(steps), auth_token=TOKEN, account_sid=ACCOUNT, api=there.api)
    )
    with capture_logs() as logs:
        async with aiohttp.ClientSession() as http, http.ws_connect(await ring(there, http)) as socket:
            await socket.send_str(CONNECTED)
            await (socket.send_bytes(broken) if isinstance(broken, bytes) else socket.send_str(broken))
            while (await socket.receive(timeout=10)).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.ERROR):
                pass
            assert socket.close_code in (1002, 1003, 1007, 1008)
        report = await other
    assert [line["event"] for line in logs if line["log_level"] in ("warning", "error")] == ["carrier_error"]
    assert report.outcome == "answered"
    assert len(report.reply_delays_ms) == 1


async def test_an_oversized_message_ends_its_call(there: Stage):
    with capture_logs() as logs:
        async with aiohttp.ClientSession() as http, http.ws_connect(await ring(there, http)) as socket:
            await socket.send_str(CONNECTED)
            await socket.send_str(start())
            await socket.send_str("x" * 1_000_000)
            while (await socket.receive(timeout=10)).type is WSMsgType.TEXT:
                pass
            assert socket.close_code == 1009
        await asyncio.wait_for(there.service.supervisor.empty(), 10)
    assert [line["reason"] for line in logs if line["event"] == "call_ended"] == ["carrier_error"]


async def test_unknown_and_doubled_messages_are_passed_over(there: Stage):
    async with aiohttp.ClientSession() as http, http.ws_connect(await ring(there, http)) as socket:
        for message in (CONNECTED, start(), '{"event":"news","streamSid":"MZ1","news":{}}', media(b"\xff" * 160),
                        media(b"\xff" * 160), media(b"\xff" * 77, 3), media(b"", 4)):  # fmt: skip
            await socket.send_str(message)
        await socket.send_str('{"event":"stop","sequenceNumber":"9","streamSid":"MZ1","stop":{}}')
        heard = [await socket.receive(timeout=10)]
        assert heard[0].type is WSMsgType.TEXT  # the greeting


async def test_health_readiness_and_metrics(there: Stage):
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{there.url}/healthz") as response:
            assert (response.status, await response.json()) == (200, {"status": "ok"})
        async with http.get(f"{there.url}/readyz") as response:
            assert (response.status, (await response.json())["status"]) == (200, "ready")
        await place_call(there.url, ScriptedCaller([WaitForReply(), HangUp()]), auth_token=TOKEN, account_sid=ACCOUNT)
        await there.service.supervisor.empty()
        async with http.get(f"{there.url}/metrics") as response:
            text = await response.text()
        assert 'offhook_calls_total{bot="tones",reason="caller_hung_up"} 1.0' in text
        there.service.supervisor.is_draining = True
        async with http.get(f"{there.url}/readyz") as response:
            assert (response.status, (await response.json())["status"]) == (503, "draining")


async def test_no_secret_no_number_and_no_word_reaches_the_log(there: Stage):
    with capture_logs() as logs:
        steps = [WaitForReply(), Say(speech(700)), WaitForReply(), HangUp()]
        await place_call(there.url, ScriptedCaller(steps), auth_token=TOKEN, account_sid=ACCOUNT, api=there.api)
        await there.service.supervisor.empty()
    text = json.dumps(logs, default=str)
    assert logs
    for secret in (TOKEN, "+15550001111", "words", "/media/twilio/"):
        assert secret not in text
