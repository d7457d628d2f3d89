"""An emulated call, as Twilio places it: webhook, TwiML, media stream, in real time over real sockets."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import aiohttp
import numpy as np

from bot.rehearsal.api import ApiCall, TwilioApi
from bot.rehearsal.caller import Caller
from bot.rehearsal.dial import CallFacts, Dialler, Route, WebhookError, new_sid, origin_of
from bot.rehearsal.line import Line
from bot.rehearsal.report import CallReport, EndedBy, Lateness, Outcome, reply_delays
from bot.rehearsal.sound import stretches
from bot.rehearsal.stream import EmulatedStream, Ending, StreamIds
from bot.rehearsal.twiml import Connect, Hangup, Pause, Play, Redirect, Reject, Say, TwimlError, Verb, parse
from media.g711 import decode_ulaw

DEFAULT_ACCOUNT = "AC" + "0" * 32
_MAX_DOCUMENTS = 10  # a redirect that leads back to itself must not ring for ever
_SPEECH_MERGES_MS = 400
"""Silence that a stretch of bot speech may hold: the pauses between its sentences."""


async def place_call(
    server_url: str,
    caller: Caller,
    *,
    auth_token: str,
    account_sid: str = DEFAULT_ACCOUNT,
    from_number: str = "+15550001111",
    to_number: str = "+15550002222",
    webhook_path: str = "/twilio/voice",
    public_url: str | None = None,
    line: Line | None = None,
    api: TwilioApi | None = None,
    session: aiohttp.ClientSession | None = None,
    max_s: float = 300.0,
) -> CallReport:
    """Call a service and stay on the line until it, the caller or `max_s` ends the call.

    `public_url` is the service's configured origin where it differs from `server_url`; `api` makes the call known to an
    emulated REST API, which can then hang up. Raises `RehearsalError` only for arguments that make no sense: what goes
    wrong in the call is in the report.
    """
    async with AsyncExitStack() as resources:
        http = session if session is not None else await resources.enter_async_context(aiohttp.ClientSession())
        server = origin_of(server_url)
        route = Route(server, origin_of(public_url) if public_url else server)
        facts = CallFacts(new_sid("CA"), account_sid, from_number, to_number)
        known = api.begin(facts.call_sid, from_number, to_number) if api else ApiCall(facts.call_sid, "", "")
        call = _Call(Dialler(http, auth_token, route), facts, caller, line or Line(), known)
        return await call.place(route.public + webhook_path, max_s)


@dataclass(slots=True)
class _Call:
    """One call's progress through the documents that the server answers with."""

    dialler: Dialler
    facts: CallFacts
    caller: Caller
    line: Line
    known: ApiCall
    outcome: Outcome = "failed"
    ended_by: EndedBy = "bot"
    errors: list[str] = field(default_factory=list)
    spoken: list[str] = field(default_factory=list)
    stream: EmulatedStream | None = None
    dialled_at: float = 0.0
    answered_ms: float | None = None
    connected_ms: float | None = None

    async def place(self, url: str, max_s: float) -> CallReport:
        self.dialled_at = asyncio.get_running_loop().time()
        limit = asyncio.get_running_loop().call_later(max_s, self.known.hung_up.set)
        try:
            await self._follow(url, "POST")
        except (WebhookError, TwimlError) as exc:
            self.errors.append(str(exc))
        finally:
            limit.cancel()
            self.known.end()
        return self._report()

    async def _follow(self, url: str, method: str) -> None:
        """Ask for a document and do what it says, until one of them has nothing left to do."""
        for _ in range(_MAX_DOCUMENTS):
            body = await self.dialler.twiml(url, method, self.facts.form())
            if self.answered_ms is None:
                self.answered_ms = self._since_dialling_ms()
            self.facts.status = "in-progress"
            following = await self._obey(parse(body))
            if following is None:
                return
            url, method = following
        raise TwimlError(f"{_MAX_DOCUMENTS} documents in one call: do they redirect to each other?")

    async def _obey(self, verbs: Sequence[Verb]) -> tuple[str, str] | None:
        """Do the verbs in order; returns where the next document is, or None when the call is over."""
        for verb in verbs:
            match verb:
                case Connect():
                    ending = await self._connect(verb)
                    if ending != "server":
                        self.ended_by = {"caller": "caller", "network": "network"}.get(ending, "bot")  # type: ignore[assignment]
                        return None
                    if verb.action:
                        return verb.action, verb.action_method
                case Say(text):
                    self.spoken.append(text)
                case Pause(length_s):
                    await asyncio.sleep(length_s)
                case Play():
                    pass  # a file that the carrier would fetch; nobody here listens to it
                case Redirect(url, method):
                    return url, method
                case Reject():
                    self.outcome = "rejected"
                    return None
                case Hangup():
                    break
        if self.outcome == "failed":
            self.outcome = "refused"
        return None

    async def _connect(self, connect: Connect) -> Ending:
        socket = await self.dialler.open_socket(connect.url)
        self.connected_ms = self._since_dialling_ms()
        self.outcome = "answered"
        ids = StreamIds(self.facts.account_sid, self.facts.call_sid, new_sid("MZ"))
        self.stream = EmulatedStream(socket, self.caller, self.line, ids)
        ending = await self.stream.run(connect.parameters, self.known.hung_up)
        if connect.status_callback:
            fields = {"StreamSid": ids.stream_sid, "StreamEvent": "stream-stopped"}
            if error := await self.dialler.tell(connect.status_callback, self.facts.form() | fields):
                self.errors.append(error)
        return ending

    def _since_dialling_ms(self) -> float:
        return (asyncio.get_running_loop().time() - self.dialled_at) * 1000

    def _report(self) -> CallReport:
        stream = self.stream
        if stream is None:
            return CallReport(
                call_sid=self.facts.call_sid, outcome=self.outcome, ended_by=self.ended_by, errors=tuple(self.errors),
                spoken_by_carrier=tuple(self.spoken), answered_ms=self.answered_ms, sent={}, received={},
            )  # fmt: skip
        spoke, heard = decode_ulaw(bytes(stream.spoke)), decode_ulaw(bytes(stream.heard))
        speeches = stretches(heard, _SPEECH_MERGES_MS)
        utterances = self.caller.utterances()
        utterances = stretches(spoke, _SPEECH_MERGES_MS) if utterances is None else utterances
        return CallReport(
            call_sid=self.facts.call_sid,
            outcome=self.outcome,
            ended_by=self.ended_by,
            errors=(*self.errors, *stream.errors),
            spoken_by_carrier=tuple(self.spoken),
            answered_ms=self.answered_ms,
            connected_ms=self.connected_ms,
            duration_ms=len(spoke) / 16,
            greeting_ms=speeches[0].start_ms if speeches else None,
            spoke_pcm=spoke,
            heard_pcm=heard,
            stretches=tuple(speeches),
            utterances=tuple(utterances),
            reply_delays_ms=tuple(reply_delays(utterances, speeches)),
            clears=tuple(stream.buffer.clears),
            late_audio_ms=stream.buffer.late_audio_ms,
            gap_ms=stream.buffer.gap_ms,
            unheard_ms=stream.buffer.waiting_ms,
            sent=dict(stream.sent),
            received=dict(stream.received),
            lateness=_lateness(stream.late_s),
        )


def _lateness(late_s: Sequence[float]) -> Lateness:
    if not late_s:
        return Lateness()
    p50, p99, longest = np.percentile(np.asarray(late_s) * 1000, [50, 99, 100])
    return Lateness(float(p50), float(p99), float(longest))
