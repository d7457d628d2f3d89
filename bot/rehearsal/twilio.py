"""An emulated caller's call through an emulated Twilio, in real time over real sockets: `place_call`.

It asks the webhook, follows the TwiML verb by verb as Twilio does, keeps the media stream (stream.py) and reports what
was heard. <Say> is noted, not synthesised, and <Play> passed over: they take no time here. What <Dial> leads to is a
`Callee`, who makes no sound.
"""

import asyncio
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit

import aiohttp

from bot.errors import RehearsalError
from bot.rehearsal import twiml
from bot.rehearsal.api import TwilioApi
from bot.rehearsal.callee import Callee, Dialled, DialStatus
from bot.rehearsal.caller import Caller
from bot.rehearsal.dial import WEBHOOK_TIMEOUT_S, Dialler, Route, new_sid, origin_of
from bot.rehearsal.line import Line
from bot.rehearsal.live import Document, LiveCall
from bot.rehearsal.report import CallReport, EndedBy, Outcome, lateness, reply_delays
from bot.rehearsal.sound import RATE_HZ, stretches
from bot.rehearsal.stream import EmulatedStream, Ending, StreamIds
from media.g711 import decode_ulaw

DEFAULT_ACCOUNT = "AC" + "0" * 32
DEFAULT_PATH = "/twilio/voice"
SPEECH_MERGE_MS = 400
"""Pauses up to this long are part of one stretch of bot speech."""
UTTERANCE_MERGE_MS = 800
"""Pauses up to this long are part of one utterance of a caller who does not say when he spoke."""

_MAX_DOCUMENTS = 10  # a service that redirects for ever
_PARTED: dict[Ending, EndedBy] = {"caller": "caller", "server": "bot", "network": "network", "api": "bot"}


async def place_call(
    server_url: str,
    caller: Caller,
    *,
    auth_token: str,
    account_sid: str = DEFAULT_ACCOUNT,
    from_number: str = "+15550001111",
    to_number: str = "+15550002222",
    line: Line | None = None,
    session: aiohttp.ClientSession | None = None,
    max_s: float = 300.0,
    api: TwilioApi | None = None,
    public_url: str | None = None,
    status_callback: str = "",
    callee: Callee | None = None,
) -> CallReport:
    """Call the service at `server_url` (its voice webhook; /twilio/voice where it names no path) and see it through.

    After `max_s` the caller hangs up. `api` is the REST API that can end or redirect the call; `callee` is at the other
    end when it is put through to somebody; `public_url` is the service's own
    public origin, where that is not how it is reached from here; `status_callback` is a URL that hears when the call
    was answered and when it ended. What the service does wrong stands in the report; only an address that is none
    raises `RehearsalError`.
    """
    origin = origin_of(server_url)
    route = Route(origin, origin_of(public_url) if public_url else origin)
    voice_url = server_url if urlsplit(server_url).path.strip("/") else origin + DEFAULT_PATH
    live = LiveCall(new_sid("CA"), account_sid, from_number, to_number)
    async with AsyncExitStack() as stack:
        if session is None:
            session = await stack.enter_async_context(aiohttp.ClientSession())
        if api is not None:
            stack.enter_context(api.carrying(live))
        call = _Call(live, caller, line or Line(), Dialler(session, auth_token, route), max_s, callee or Callee())
        return await call.run(route.as_public(voice_url), route.as_public(status_callback))


class _Call:
    """One call from dialling to its report."""

    def __init__(
        self, live: LiveCall, caller: Caller, line: Line, dialler: Dialler, max_s: float, callee: Callee
    ) -> None:
        self._live = live
        self._caller = caller
        self._line = line
        self._dialler = dialler
        self._max_s = max_s
        self._callee = callee
        self._outcome: Outcome = "refused"  # until a stream opens
        self._ended_by: EndedBy = "bot"
        self._errors: list[str] = []
        self._spoken: list[str] = []
        self._dialled: list[Dialled] = []
        self._dialled_at = asyncio.get_running_loop().time()
        self._answered_ms: float | None = None
        self._connected_ms: float | None = None
        self._stream: EmulatedStream | None = None
        self._callbacks: list[asyncio.Task[str]] = []  # nothing in the call waits for them

    async def run(self, voice_url: str, status_callback: str) -> CallReport:
        if status_callback:
            self._live.on_status = lambda live: self._tell(status_callback, live.progress_form(len(self._callbacks)))
        try:
            # The stream keeps max_s by itself; this bounds a service that only ever pauses or redirects.
            async with asyncio.timeout(self._max_s + WEBHOOK_TIMEOUT_S):
                await self._follow(voice_url)
        except TimeoutError:
            self._ended_by = "caller"
            self._errors.append(f"the call was not over after {self._max_s:g} s")
        except RehearsalError as exc:
            if self._stream is None:
                self._outcome = "failed"
            self._errors.append(str(exc))
        self._live.become("failed" if self._outcome == "failed" else "completed")
        self._errors += filter(None, await asyncio.gather(*self._callbacks))
        return self._report()

    async def _follow(self, voice_url: str) -> None:
        """Fetch and follow TwiML until nothing is left to do or somebody has hung up."""
        document = Document(voice_url)
        for _ in range(_MAX_DOCUMENTS):
            verbs = twiml.parse(await self._body(document))
            if self._answered_ms is None:
                self._answered_ms = self._since_dialled_ms()
            own_wish = await self._follow_document(verbs, document.url)
            goes_on = self._live.take_redirect() or own_wish
            if goes_on is None or self._is_over:
                return
            document = goes_on
        raise RehearsalError(f"the call was redirected {_MAX_DOCUMENTS} times")

    async def _body(self, document: Document) -> str:
        if document.body is not None:
            return document.body
        return await self._dialler.twiml(document.url, document.method, self._live.form() | dict(document.fields))

    async def _follow_document(self, verbs: list[twiml.Verb], base: str) -> Document | None:
        """Where the call goes on; None if it is over, as it is when the verbs run out, or was interrupted."""
        if verbs and isinstance(verbs[0], twiml.Reject):
            self._outcome = "rejected"  # without having been answered
            self._live.become("busy" if verbs[0].reason == "busy" else "no-answer")
            return None
        self._live.become("in-progress")
        for verb in verbs:
            match verb:
                case twiml.Say(text):
                    self._spoken.append(text)
                case twiml.Play():
                    pass  # a file that the carrier would fetch; nobody here listens to it
                case twiml.Pause(length_s):
                    await self._pause(length_s)
                case twiml.Connect():
                    await self._connect(verb, base)
                    if verb.action and not self._is_over:
                        return Document(urljoin(base, verb.action), verb.action_method)
                case twiml.Dial():
                    outcome = await self._dial(verb)
                    if verb.action:
                        return Document(urljoin(base, verb.action), verb.action_method, outcome)
                case twiml.Redirect(url, method):
                    return Document(urljoin(base, url), method)
                case twiml.Hangup() | twiml.Reject():
                    return None
            if self._is_over or self._live.interrupted.is_set():
                return None
        return None

    @property
    def _is_over(self) -> bool:
        return self._live.is_hung_up or self._ended_by != "bot"

    async def _pause(self, length_s: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._live.interrupted.wait(), length_s)

    async def _dial(self, verb: twiml.Dial) -> dict[str, str]:
        """Put the caller through, and what the verb's action is told of it."""
        if verb.caller_id not in ("", self._live.from_number, self._live.to_number):
            raise RehearsalError(f"13214: callerId {verb.caller_id!r} is neither the caller's nor the called number")
        status, rings_s = self._callee.outcome(verb.timeout_s)
        self._dialled.append(Dialled(verb.number, verb.caller_id or self._live.from_number, status))
        await self._pause(rings_s)
        if status == "completed":
            await self._pause(self._callee.talks_s)
        return _dial_fields(status, self._callee.talks_s)

    async def _connect(self, verb: twiml.Connect, base: str) -> None:
        if self._stream is not None:
            raise RehearsalError("a second <Connect><Stream> in one call is not emulated")
        url = _socket_url(base, verb.url)
        socket = await self._dialler.open_socket(url)
        self._connected_ms, self._outcome = self._since_dialled_ms(), "answered"
        ids = StreamIds(self._live.account_sid, self._live.call_sid, new_sid("MZ"))
        self._stream = EmulatedStream(socket, self._caller, self._line, ids)
        self._tell_of_stream(verb, base, ids, "stream-started")
        ending = await self._stream.run(verb.parameters, self._live.interrupted, self._max_s)
        self._tell_of_stream(verb, base, ids, "stream-stopped")
        self._ended_by = _PARTED[ending]

    def _tell_of_stream(self, verb: twiml.Connect, base: str, ids: StreamIds, event: str) -> None:
        if verb.status_callback:
            fields = {
                "AccountSid": ids.account_sid,
                "CallSid": ids.call_sid,
                "StreamEvent": event,
                "StreamName": verb.name or ids.stream_sid,
                "StreamSid": ids.stream_sid,
                "Timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
            }
            self._tell(urljoin(base, verb.status_callback), fields)

    def _tell(self, url: str, fields: dict[str, str]) -> None:
        self._callbacks.append(asyncio.create_task(self._dialler.tell(url, fields)))

    def _since_dialled_ms(self) -> float:
        return (asyncio.get_running_loop().time() - self._dialled_at) * 1000

    def _report(self) -> CallReport:
        report = CallReport(
            call_sid=self._live.call_sid,
            outcome=self._outcome,
            ended_by=self._ended_by,
            errors=(*self._errors, *(self._stream.errors if self._stream else ())),
            spoken_by_carrier=tuple(self._spoken),
            dialled=tuple(self._dialled),
            answered_ms=self._answered_ms,
            connected_ms=self._connected_ms,
        )
        return report if self._stream is None else _with_stream(report, self._stream, self._caller)


def _with_stream(report: CallReport, stream: EmulatedStream, caller: Caller) -> CallReport:
    spoke, heard = decode_ulaw(bytes(stream.spoke)), decode_ulaw(bytes(stream.heard))
    speech = stretches(heard, SPEECH_MERGE_MS)
    utterances = caller.utterances()
    if utterances is None:
        utterances = stretches(spoke, UTTERANCE_MERGE_MS)
    return replace(
        report,
        duration_ms=len(spoke) / 2 * 1000 / RATE_HZ,
        greeting_ms=speech[0].start_ms if speech else None,
        spoke_pcm=spoke,
        heard_pcm=heard,
        stretches=tuple(speech),
        utterances=tuple(utterances),
        reply_delays_ms=tuple(reply_delays(utterances, speech)),
        clears=tuple(stream.buffer.clears),
        runs=tuple(stream.buffer.runs),
        late_audio_ms=stream.buffer.late_audio_ms,
        gap_ms=stream.buffer.gap_ms,
        unheard_ms=stream.buffer.waiting_ms,
        sent=dict(stream.sent),
        received=dict(stream.received),
        lateness=lateness(stream.late_s),
    )


def _dial_fields(status: DialStatus, talked_s: float) -> dict[str, str]:
    """What the request for a <Dial>'s action says besides what every request does."""
    fields = {"DialCallSid": new_sid("CA"), "DialCallStatus": status}
    is_answered = status == "completed"
    return fields | {"DialBridged": "true", "DialCallDuration": f"{talked_s:.0f}"} if is_answered else fields


def _socket_url(base: str, url: str) -> str:
    """A stream's URL; one that is relative means the webhook's host."""
    absolute = url if "://" in url else urljoin("ws" + base.removeprefix("http"), url)
    if urlsplit(absolute).scheme not in ("ws", "wss"):
        raise RehearsalError(f"31922: the stream's url is {absolute!r}, which is no ws:// or wss:// address")
    return absolute
