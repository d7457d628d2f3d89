"""The shell around one call: its socket, one timer, slow work as tasks. It decides nothing."""

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from aiohttp import WSMsgType, web

from bot.calllog.records import Record as LogRecord
from bot.errors import CarrierError, VoiceError
from bot.events import (
    CancelJob,
    Compose,
    Composed,
    EndCall,
    EndReason,
    Job,
    JobFailed,
    JobResult,
    PartComposed,
    SoundMade,
    Synthesize,
    Synthesized,
    Transcribe,
    Transcribed,
)
from bot.recordings import Recording
from bot.session import Output, Overtake, Record, Session
from bot.speech.links import Responder, Speaker, Transcriber

log = structlog.get_logger()

_MAX_UNSENT = 1000
_LAST_WORDS_S = 10.0  # how long a transcription may go on when the caller has hung up
_HANG_UP_S = 5.0


@dataclass(frozen=True, slots=True)
class Links:
    """Who listens, thinks and speaks for one bot's calls."""

    transcriber: Transcriber
    responder: Responder
    speaker: Speaker


class LogWriter(Protocol):
    def write(self, record: LogRecord) -> None: ...


@dataclass(frozen=True, slots=True)
class Summary:
    """What one call came to: for the log, the metrics and the call log's last record."""

    reason: EndReason
    duration_ms: int
    turns: int
    interruptions: int
    reply_delays_ms: Sequence[int]
    counters: Mapping[str, int]


class CallRunner:
    """Reads, hands in, writes out. `run` returns when the call is over and everything of it was handed on."""

    def __init__(
        self,
        call_id: str,
        session: Session,
        links: Links,
        socket: web.WebSocketResponse,
        calllog: LogWriter,
        begin_recording: Callable[[], Awaitable[Recording | None]],
        hang_up: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        """`hang_up` asks the carrier to end the call; it must not raise for one that is already over."""
        self.call_id = call_id
        self._session = session
        self._links = links
        self._socket = socket
        self._calllog = calllog
        self._begin_recording = begin_recording
        self.recording: Recording | None = None
        self._hang_up = hang_up
        self._loop = asyncio.get_running_loop()
        self._began_at = self._loop.time()
        self._tasks = asyncio.TaskGroup()
        self._jobs: dict[int, asyncio.Task[None]] = {}
        self._outbox: deque[str] = deque()
        self._is_sending = False
        self._is_running = False
        self._is_unwanted = False
        self._timer: asyncio.TimerHandle | None = None
        self._due = asyncio.Event()

    async def run(self) -> None:
        """Carry the call to its end. A bug in any of its tasks ends it, and is raised once the rest is put in order."""
        try:
            self.recording = await self._begin_recording()
            async with self._tasks:
                self._is_running = True
                if self._is_unwanted:
                    await self.say_goodbye()
                pacer = self._tasks.create_task(self._keep_time())
                await self._talk()
                pacer.cancel()
                for job in self._jobs.values():
                    job.cancel()
        finally:
            self._close_timer()
            self._session.call.abandon(EndReason.SERVER_ERROR)  # changes nothing where the call has ended
            self._log_records()
            if self.recording is not None:
                await self.recording.close()

    async def say_goodbye(self) -> None:
        """The service cannot wait any longer. A call that is only just coming in is told as soon as it is there."""
        self._is_unwanted = True
        if not self._is_running:
            return
        await self._deliver(self._session.drain(self._loop.time()))

    async def _talk(self) -> None:
        reason = None
        try:
            self._set_timer()
            await self._read_socket()
        except CarrierError as exc:
            reason = EndReason.CARRIER_ERROR
            log.warning("carrier_error", error=str(exc), close_code=exc.close_code)
            await self._close_socket(exc.close_code, "the media stream made no sense")
        await self._deliver(self._session.carrier_closed(self._loop.time(), reason))
        if self._jobs:  # what was being said when the caller hung up is still worth reading
            await asyncio.wait([*self._jobs.values()], timeout=_LAST_WORDS_S)

    # -- the socket and the timer --------------------------------------------------------------------------------

    async def _read_socket(self) -> None:
        session, now = self._session, self._loop.time
        async for message in self._socket:
            if message.type is WSMsgType.TEXT or message.type is WSMsgType.BINARY:
                if outputs := session.from_carrier(message.data, now()):
                    await self._deliver(outputs)
                elif session.deadline < self._armed_for:
                    self._set_timer()
            elif message.type is WSMsgType.ERROR:
                raise CarrierError(f"the media socket broke: {self._socket.exception()}")

    async def _keep_time(self) -> None:
        while True:
            await self._due.wait()
            self._due.clear()
            self._timer = None
            await self._deliver(self._session.on_deadline(self._loop.time()))

    @property
    def _armed_for(self) -> float:
        return math.inf if self._timer is None else self._timer.when()

    def _set_timer(self) -> None:
        """One timer a call. One that fires too early costs little and sets itself anew; one too late is moved."""
        if self._session.deadline < self._armed_for:
            self._close_timer()
            self._timer = self._loop.call_at(self._session.deadline, self._due.set)

    def _close_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _deliver(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            match output:
                case str():
                    self._outbox.append(output)
                case Overtake(message):
                    self._outbox.clear()
                    self._outbox.append(message)
                case Record(block):
                    if self.recording is not None:
                        self.recording.append(block)
                case Transcribe() | Compose() | Synthesize():
                    self._start(output)
                case CancelJob(job_id):
                    if (task := self._jobs.pop(job_id, None)) is not None:
                        task.cancel()
                case EndCall():
                    self._tasks.create_task(self._end())
        self._log_records()
        self._set_timer()
        if self._outbox and not self._is_sending:
            await self._empty_outbox()

    async def _empty_outbox(self) -> None:
        """Whoever finds nobody writing writes for all, so that messages keep their order although tasks take turns."""
        self._is_sending = True
        try:
            while self._outbox:
                if len(self._outbox) > _MAX_UNSENT:
                    raise CarrierError(f"the carrier has left {_MAX_UNSENT} messages unread", close_code=1008)
                await self._socket.send_str(self._outbox.popleft())
        except ConnectionError:
            self._outbox.clear()  # the caller hung up in this moment; the reading side learns of it and ends the call
        finally:
            self._is_sending = False

    def _log_records(self) -> None:
        for record in self._session.timeline.take():
            self._calllog.write(record)

    # -- slow work -----------------------------------------------------------------------------------------------

    def _start(self, job: Job) -> None:
        task = self._jobs[job.job_id] = self._tasks.create_task(self._work(job))
        task.add_done_callback(lambda _: self._jobs.pop(job.job_id, None))

    async def _work(self, job: Job) -> None:
        try:
            async for result in self._results(job):
                await self._deliver(self._session.from_worker(result, self._loop.time()))
        except VoiceError as exc:
            log.warning("job_failed", job=type(job).__name__.lower(), error=str(exc))
            await self._deliver(self._session.from_worker(JobFailed(job.job_id, str(exc)), self._loop.time()))

    async def _results(self, job: Job) -> AsyncIterator[JobResult]:
        match job:
            case Transcribe(job_id, pcm, is_speculative):
                transcript = await self._links.transcriber.transcribe(pcm, speculative=is_speculative)
                yield Transcribed(job_id, transcript)
            case Compose(job_id, history):
                async for part in self._links.responder.respond(history):
                    yield PartComposed(job_id, part)
                yield Composed(job_id)
            case Synthesize(job_id, text):
                async for pcm in self._links.speaker.speak(text):
                    yield SoundMade(job_id, pcm)
                yield Synthesized(job_id)

    # -- the end -------------------------------------------------------------------------------------------------

    async def _end(self) -> None:
        """Hang up at the carrier, and close the socket, which hangs up too where the request cannot."""
        if not self._socket.closed:
            try:
                async with asyncio.timeout(_HANG_UP_S):
                    await self._hang_up()
            except (CarrierError, TimeoutError) as exc:
                log.warning("hang_up_failed", error=str(exc) or "no answer", remedy="the closing socket hangs up too")
        await self._close_socket(1000, "the call is over")

    async def _close_socket(self, code: int, why: str) -> None:
        await self._socket.close(code=code, message=why.encode())

    def summary(self) -> Summary:
        call, timeline = self._session.call, self._session.timeline
        return Summary(
            reason=call.end_reason or EndReason.SERVER_ERROR,
            duration_ms=round((self._loop.time() - self._began_at) * 1000),
            turns=timeline.turns,
            interruptions=call.interruptions,
            reply_delays_ms=tuple(timeline.reply_delays_ms),
            counters={"frames_in": self._session.frames_in, "starved_ms": round(call.playout.starved_ms)},
        )
