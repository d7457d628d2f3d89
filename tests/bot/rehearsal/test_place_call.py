"""Emulated calls to a small service of the test's own, in real time over loopback."""

import asyncio
import json
import wave
from base64 import b64encode
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer
from twilio.request_validator import RequestValidator

from bot.errors import RehearsalError
from bot.rehearsal.caller import HangUp, Press, Say, ScriptedCaller, Wait, WaitForReply
from bot.rehearsal.line import Line
from bot.rehearsal.report import CallReport
from bot.rehearsal.twilio import place_call
from media.g711 import encode_ulaw
from media.level import tone
from tests.support.starved import starving

TOKEN = "0123456789abcdef0123456789abcdef"
WORDS = tone(300, 200, 8000)
BEEP = encode_ulaw(tone(700, 200, 8000))

Socket = web.WebSocketResponse
Behaviour = Callable[["Bot", Socket], Awaitable[None]]


@dataclass
class Bot:
    """A service that answers with one document, and behaves on its media socket as the test says."""

    behave: Behaviour
    twiml: Callable[[str], str]
    pages: dict[str, Callable[[dict[str, str]], str]] = field(default_factory=dict)  # other documents, by their path
    webhooks: list[tuple[str, dict[str, str], str]] = field(default_factory=list)  # path, fields, signature
    messages: list[dict] = field(default_factory=list)
    handshakes: list[str] = field(default_factory=list)
    stream_sid: str = ""
    close_code: int | None = None
    parted: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def webhook(self, request: web.Request) -> web.Response:
        fields = dict(await request.post())
        self.webhooks.append((request.path, fields, request.headers["X-Twilio-Signature"]))
        page = self.pages.get(request.path)
        return web.Response(text=page(fields) if page else self.twiml(self.url), content_type="text/xml")

    async def media(self, request: web.Request) -> Socket:
        self.handshakes.append(request.headers["X-Twilio-Signature"])
        socket = Socket()
        await socket.prepare(request)
        try:
            await self.behave(self, socket)
            await socket.close()
        finally:  # a lost connection cancels the handler
            self.close_code = socket.close_code
            self.parted.set()
        return socket

    async def listen(self, socket: Socket, until: str = "stop") -> None:
        """Note what comes until an event of that name did, or the socket closes."""
        async for message in socket:
            self.messages.append(json.loads(message.data))
            if self.messages[-1]["event"] == "start":
                self.stream_sid = self.messages[-1]["streamSid"]
            if self.messages[-1]["event"] == until:
                return

    async def say(self, socket: Socket, payload: bytes, mark: str = "") -> None:
        media = {"payload": b64encode(payload).decode()}
        await socket.send_json({"event": "media", "streamSid": self.stream_sid, "media": media})
        if mark:
            await socket.send_json({"event": "mark", "streamSid": self.stream_sid, "mark": {"name": mark}})

    def events(self, name: str) -> list[dict]:
        return [message for message in self.messages if message["event"] == name]


def connecting(url: str) -> str:
    return f"""<Response><Connect><Stream url="{url.replace("http", "ws")}/media" statusCallback="/status">
        <Parameter name="token" value="a &amp; b"/></Stream></Connect><Hangup/></Response>"""


async def only_listen(bot: Bot, socket: Socket) -> None:
    await bot.listen(socket)


@asynccontextmanager
async def serving(behave: Behaviour = only_listen, twiml: Callable[[str], str] = connecting):
    bot = Bot(behave, twiml)
    app = web.Application()
    app.router.add_post("/{path:.*}", bot.webhook)
    app.router.add_get("/media", bot.media)
    async with TestServer(app, host="127.0.0.1") as server:
        bot.url = str(server.make_url("")).rstrip("/")
        yield bot


async def call(bot: Bot, *steps, **options) -> CallReport:
    return await place_call(bot.url, ScriptedCaller(steps), auth_token=TOKEN, **{"max_s": 10.0} | options)


async def test_the_webhook_and_the_handshake_are_signed_as_the_official_sdk_checks():
    async with serving() as bot:
        report = await call(bot, HangUp(), from_number="+15551112222")
    path, fields, signature = bot.webhooks[0]
    assert path == "/twilio/voice"
    assert (fields["CallSid"], fields["From"], fields["CallStatus"]) == (report.call_sid, "+15551112222", "ringing")
    assert "" in fields.values()  # blank fields are signed too
    validator = RequestValidator(TOKEN)
    assert validator.validate(bot.url + path, fields, signature)
    assert validator.validate(bot.url.replace("http", "ws") + "/media", {}, bot.handshakes[0])


async def test_the_stream_speaks_as_twilio_does():
    async with serving() as bot:
        report = await call(bot, Wait(100), Press("7"), HangUp())
    connected, start, *_, stop = bot.messages
    assert connected == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
    assert start["start"]["customParameters"] == {"token": "a & b"}
    assert start["start"]["mediaFormat"] == {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
    assert start["start"]["callSid"] == stop["stop"]["callSid"] == report.call_sid
    media = [message["media"] for message in bot.events("media")]
    assert [frame["chunk"] for frame in media] == [str(n + 1) for n in range(15)]
    assert [frame["timestamp"] for frame in media] == [str(20 * n) for n in range(15)]
    assert {(frame["track"], len(frame["payload"])) for frame in media} == {("inbound", 216)}
    assert [message["sequenceNumber"] for message in bot.messages[1:]] == [
        str(n + 1) for n in range(len(bot.messages) - 1)
    ]
    assert bot.events("dtmf")[0]["dtmf"] == {"track": "inbound_track", "digit": "7"}
    assert bot.close_code == 1000
    assert report.sent == {"start": 1, "media": 15, "dtmf": 1, "stop": 1}


async def greet(bot: Bot, socket: Socket) -> None:
    await bot.listen(socket, until="start")
    await bot.say(socket, BEEP, mark="greeted")
    await bot.listen(socket)


async def test_a_greeting_is_heard_and_its_mark_comes_back_once_it_was():
    async with serving(greet) as bot:
        report = await call(bot, WaitForReply(quiet_ms=100), HangUp())
    assert (report.outcome, report.ended_by, report.errors) == ("answered", "caller", ())
    assert report.greeting_ms <= 60
    [heard] = report.stretches
    assert heard.end_ms - heard.start_ms == pytest.approx(200, abs=2)
    frames = [message["event"] for message in bot.messages if message["event"] in ("media", "mark")]
    assert abs(frames.index("mark") - 11) <= 2  # ten frames of beep
    assert report.gap_ms == 0
    assert report.received == {"media": 1, "mark": 1}


async def answer_once(bot: Bot, socket: Socket) -> None:
    while not bot.events("media")[14:]:
        await bot.listen(socket, until="media")
    await bot.say(socket, BEEP)
    await bot.listen(socket)


async def test_a_reply_is_timed_from_the_callers_last_sound_to_the_ear():
    async with serving(answer_once) as bot:
        report = await call(bot, Say(WORDS), WaitForReply(quiet_ms=100), HangUp())
    [delay] = report.reply_delays_ms
    assert delay == pytest.approx(120, abs=25)  # fifteen frames, 200 ms of which are words, and a frame to play in


async def test_both_sides_are_kept_on_one_clock(tmp_path):
    async with serving(answer_once) as bot:
        report = await call(bot, Say(WORDS), WaitForReply(quiet_ms=100), HangUp())
    assert len(report.spoke_pcm) == len(report.heard_pcm) == report.duration_ms * 16
    report.write_wav(tmp_path / "call.wav")
    with wave.open(str(tmp_path / "call.wav"), "rb") as file:
        assert (file.getnchannels(), file.getframerate()) == (2, 8000)
        sides = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    assert sides[:, 0].tobytes() == report.spoke_pcm
    assert sides[:, 1].tobytes() == report.heard_pcm
    assert json.loads(json.dumps(report.as_dict()))["call_sid"] == report.call_sid


async def clear_after_five_frames(bot: Bot, socket: Socket) -> None:
    await bot.listen(socket, until="start")
    await bot.say(socket, BEEP * 5, mark="a")
    await bot.say(socket, BEEP, mark="b")
    while len(bot.events("media")) < 5:
        await bot.listen(socket, until="media")
    await socket.send_json({"event": "clear", "streamSid": bot.stream_sid})
    await bot.listen(socket)


async def test_a_clear_silences_at_once_and_returns_all_marks():
    async with serving(clear_after_five_frames) as bot:
        report = await call(bot, Wait(400), HangUp())
    [clear] = report.clears
    assert clear.pending_marks == ("a", "b")
    assert clear.dropped_ms == pytest.approx(1100, abs=45)
    assert [message["mark"]["name"] for message in bot.events("mark")] == ["a", "b"]
    [heard] = report.stretches
    assert heard.end_ms - heard.start_ms == pytest.approx(100, abs=45)
    assert report.late_audio_ms == 0


async def misbehave(bot: Bot, socket: Socket) -> None:
    await bot.listen(socket, until="start")
    await socket.send_bytes(b"\x00")
    await socket.send_bytes(b"\x01")
    await socket.send_str("{")
    await socket.send_json({"event": "clear", "streamSid": "MZ-other"})
    await bot.listen(socket)


async def test_messages_that_twilio_would_not_follow_are_noted_with_its_numbers():
    async with serving(misbehave) as bot:
        report = await call(bot, Wait(100), HangUp())
    assert [error[:5] for error in report.errors] == ["31950", "31950", "31924"]
    assert report.received == {"invalid": 4}
    assert (report.outcome, report.clears) == ("answered", ())


async def close_at_once(bot: Bot, socket: Socket) -> None:
    await bot.listen(socket, until="start")
    await bot.say(socket, BEEP * 10)


async def test_when_the_server_closes_the_next_verb_runs():
    def then_say(url: str) -> str:
        return connecting(url).replace("<Hangup/>", "<Say>We have closed.</Say><Hangup/>")

    async with serving(close_at_once, then_say) as bot:
        report = await call(bot, Wait(60_000))
    assert (report.outcome, report.ended_by) == ("answered", "bot")
    assert report.spoken_by_carrier == ("We have closed.",)
    assert report.unheard_ms > 1500  # closing threw the beeps away


async def test_an_action_is_asked_for_what_comes_next():
    def with_action(url: str) -> str:
        return "<Response><Say>Bye.</Say></Response>" if len(bot.webhooks) > 1 else connecting(url).replace(
            "<Connect>", '<Connect action="/after">'
        )  # fmt: skip

    async with serving(close_at_once, with_action) as bot:
        report = await call(bot, Wait(60_000))
    assert "/after" in [path for path, _, _ in bot.webhooks]
    assert report.spoken_by_carrier == ("Bye.",)


async def test_a_caller_who_is_refused_hears_why():
    async with serving(twiml=lambda _: "<Response><Say>All lines are busy.</Say><Hangup/></Response>") as bot:
        report = await call(bot, Wait(60_000))
    assert (report.outcome, report.ended_by) == ("refused", "bot")
    assert report.spoken_by_carrier == ("All lines are busy.",)


async def test_a_call_can_be_rejected():
    async with serving(twiml=lambda _: '<Response><Reject reason="busy"/></Response>') as bot:
        report = await call(bot)
    assert (report.outcome, report.answered_ms is not None) == ("rejected", True)


@pytest.mark.parametrize(
    ("twiml", "reason"),
    [
        ("<Response><Gather/></Response>", "<Gather>"),
        ("OK", "12100"),
        ('<Response><Redirect method="POST">/twilio/voice</Redirect></Response>', "redirected"),
        ('<Response><Connect><Stream url="ws://127.0.0.1:1/x"/></Connect></Response>', "31920"),
        ('<Response><Connect><Stream url="https://a/x"/></Connect></Response>', "31922"),
    ],
)
async def test_a_document_that_cannot_be_followed_fails_the_call(twiml, reason):
    async with serving(twiml=lambda _: twiml) as bot:
        report = await call(bot)
    assert report.outcome == "failed"
    assert reason in report.errors[0]


async def test_a_service_that_is_not_there_fails_the_call(unused_tcp_port):
    report = await place_call(f"http://127.0.0.1:{unused_tcp_port}", ScriptedCaller([]), auth_token=TOKEN)
    assert report.outcome == "failed"
    assert report.errors[0].startswith("11205")


async def test_an_answer_of_another_kind_fails_the_call():
    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=403, text="no")

    app = web.Application()
    app.router.add_post("/twilio/voice", refuse)
    async with TestServer(app) as server:
        report = await place_call(str(server.make_url("/")), ScriptedCaller([]), auth_token=TOKEN)
    assert (report.outcome, report.errors) == ("failed", ("11200: the webhook answered 403: no",))


async def test_an_address_that_is_none_is_refused():
    with pytest.raises(RehearsalError, match=r"write it like http://127\.0\.0\.1:8080"):
        await place_call("localhost:8080", ScriptedCaller([]), auth_token=TOKEN)


async def test_the_caller_has_no_more_patience_than_max_s():
    async with serving() as bot:
        report = await call(bot, Wait(60_000), max_s=0.2)
    assert (report.ended_by, report.duration_ms) == ("caller", 200)
    assert "longer than 0.2 s" in report.errors[0]
    assert bot.messages[-1]["event"] == "stop"


async def test_a_line_that_is_cut_ends_without_stop_or_close():
    async with serving() as bot:
        report = await call(bot, Wait(60_000), line=Line(close_after_ms=100))
        await bot.parted.wait()
    assert report.ended_by == "network"
    assert not bot.events("stop")
    assert bot.close_code != 1000


async def vanish(bot: Bot, socket: Socket) -> None:
    await bot.listen(socket, until="media")
    socket._req.transport.abort()  # a crash of the service has no public name


async def test_a_service_that_crashes_is_the_networks_doing():
    async with serving(vanish) as bot:
        report = await call(bot, Wait(60_000))
    assert report.ended_by == "network"


async def test_a_slow_line_delays_both_directions_and_keeps_their_order():
    async with serving(greet) as bot:
        report = await call(
            bot, WaitForReply(quiet_ms=100), HangUp(), line=Line(delay_ms=40, jitter_ms=20, late_start_ms=30)
        )
    assert 80 <= report.greeting_ms <= 180
    sequence = [int(message["sequenceNumber"]) for message in bot.messages[1:]]
    assert sequence == list(range(1, len(sequence) + 1))


async def test_lost_frames_leave_a_hole_in_the_times_and_doubled_ones_come_twice():
    async with serving() as bot:
        await call(bot, Wait(800), HangUp(), line=Line(loss=0.2, duplicate=0.2, seed=5))
    media = [message["media"] for message in bot.events("media")]
    chunks = [int(frame["chunk"]) for frame in media]
    assert sorted(set(chunks)) == list(range(1, max(chunks) + 1))
    assert len(chunks) > len(set(chunks))
    times = {int(frame["timestamp"]) for frame in media}
    assert len(times) == len(set(chunks)) < 40


async def test_a_service_behind_another_name_is_reached_and_signed_as_that():
    def public(_: str) -> str:
        return connecting("https://bot.example.com")

    async with serving(twiml=public) as bot:
        report = await call(bot, Wait(40), HangUp(), public_url="https://bot.example.com")
    _, fields, signature = bot.webhooks[0]
    assert report.outcome == "answered"
    assert RequestValidator(TOKEN).validate("https://bot.example.com/twilio/voice", fields, signature)


async def test_those_who_asked_are_told_of_the_stream_and_the_call():
    async with serving() as bot:
        await call(bot, Wait(100), HangUp(), status_callback=bot.url + "/progress")
    stream = [fields["StreamEvent"] for path, fields, _ in bot.webhooks if path == "/status"]
    assert sorted(stream) == ["stream-started", "stream-stopped"]
    progress = {fields["SequenceNumber"]: fields for path, fields, _ in bot.webhooks if path == "/progress"}
    assert [fields["CallStatus"] for _, fields in sorted(progress.items())] == ["in-progress", "completed"]
    for path, fields, signature in bot.webhooks:
        assert RequestValidator(TOKEN).validate(bot.url + path, fields, signature)


async def test_nothing_is_left_of_a_call():
    async with serving(greet) as bot:
        before = asyncio.all_tasks()
        for line in (Line(), Line(close_after_ms=60), Line(delay_ms=20)):
            await call(bot, Wait(100), HangUp(), line=line)
        if left := asyncio.all_tasks() - before:
            await asyncio.wait(left, timeout=5)  # the server's side notices a little later
        assert asyncio.all_tasks() <= before


async def echo(bot: Bot, socket: Socket) -> None:
    async for message in socket:
        if message.type is WSMsgType.TEXT and '"event":"media"' in message.data:
            frame = json.loads(message.data)
            await socket.send_json(
                {"event": "media", "streamSid": frame["streamSid"], "media": {"payload": frame["media"]["payload"]}}
            )


async def test_twenty_calls_at_once_stay_on_time():
    async with serving(echo) as bot, starving() as starved:
        reports = await asyncio.gather(*(call(bot, Say(tone(300, 600, 8000)), Wait(400), HangUp()) for _ in range(20)))
    assert {report.outcome for report in reports} == {"answered"}
    assert {report.sent["media"] for report in reports} == {50}
    # One absolute schedule: being late once does not add up, so the last frame is no later than the worst one.
    assert all(report.lateness.p50_ms < 15 + starved.ms for report in reports)
