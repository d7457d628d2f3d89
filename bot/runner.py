"""The shell around one call: its socket, one alarm clock, slow work as tasks. It decides nothing."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

import structlog
from aiohttp import WSMsgType, web

from bot.alarm import Alarm
from bot.calllog.records import Record as LogRecord
from bot.config import BotConfig
from bot.errors import CarrierError, RequestFailedError, VoiceError
from bot.events import (
    CancelJob,
    CloseLink,
    Compose,
    Composed,
    Converse,
    Conversed,
    EndCall,
    EndReason,
    Job,
    JobFailed,
    JobResult,
    LinkEvent,
    OpenLink,
    OperatorEvent,
    PartComposed,
    PartConversed,
    RateLimitsTold,
    RunTool,
    SoundMade,
    Synthesize,
    Synthesized,
    TokensUsed,
    ToModel,
    ToolRan,
    Transcribe,
    Transcribed,
    TransferCall,
    VoiceFailed,
    VoiceWarned,
)
from bot.model_sockets import ModelSockets
from bot.recordings import Recording
from bot.session import Output, Overtake, Record, Session
from bot.speech.conversing import Converser
from bot.speech.links import Responder, Speaker, Spent, Transcriber
from media.frame import AudioFormat

log = structlog.get_logger()

_MAX_UNSENT = 1000
_LAST_WORDS_S = 10.0  # how long a transcription may go on when the caller has hung up
_HANG_UP_S = 5.0
_TRANSFER_S = 10.0


@dataclass(frozen=True, slots=True)
class Links:
    """Who works for a call: in a chain the first three, else a converser, and the others where they are wanted."""

    transcriber: Transcriber | None
    responder: Responder | None
    speaker: Speaker
    converser: Converser | None = None


Listener = Callable[[bytes], None]
"""Gets stretches of the recording: 16-bit stereo, caller left, bot right, at the line's rate."""


class LogWriter(Protocol):
    def write(self, record: LogRecord) -> None: ...


class Tools(Protocol):
    async def run(self, name: str, arguments: str) -> str:
        """Do what the voice asks for; `arguments` is its JSON, the result is text for it. What fails is told so."""


class CarrierControl(Protocol):
    """What can be asked of the carrier for one call. Raises `CarrierError` where it will not."""

    async def hang_up(self) -> None:
        """End the call; one that is already over is no error."""

    async def transfer(self, destination: str) -> None:
        """Hand the caller over to somebody; the media stream ends."""


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
        links: Links | None,
        socket: web.WebSocketResponse,
        calllog: LogWriter,
        begin_recording: Callable[[], Awaitable[Recording | None]],
        control: CarrierControl,
        *,
        bot: BotConfig,
        tools: Tools | None = None,
        sockets: ModelSockets | None = None,
        on_rate_limits: Callable[[RateLimitsTold], None] = lambda told: None,
    ) -> None:
        self.bot = bot
        self._tools = tools
        self._sockets = sockets
        self._on_rate_limits = on_rate_limits
        self.call_id = call_id
        self._session = session
        self._links = links
        self._socket = socket
        self._calllog = calllog
        self._begin_recording = begin_recording
        self.recording: Recording | None = None
        self._control = control
        self._loop = asyncio.get_running_loop()
        self._began_at = self._loop.time()
        self._tasks = asyncio.TaskGroup()
        self._jobs: dict[int, asyncio.Task[None]] = {}
        self._outbox: deque[str] = deque()
        self._is_sending = False
        self._is_running = False
        self._is_unwanted = False
        self._listeners: list[Listener] = []
        self._alarm = Alarm(self._loop)

    async def run(self) -> None:
        """Carry the call to its end. A bug in any of its tasks ends it, and is raised once the rest is put in order."""
        try:
            self.recording = await self._begin_recording()
            async with self._tasks:
                self._is_running = True
                if self._is_unwanted:
                    await self.say_goodbye()
                watchers = [self._tasks.create_task(self._keep_time())]
                if self._sockets is not None:
                    self._sockets.deliver = self._from_model
                    watchers.append(self._tasks.create_task(self._sockets.watch()))
                await self._talk()
                for watcher in watchers:
                    watcher.cancel()
                for job in self._jobs.values():
                    job.cancel()
        finally:
            self._alarm.stop()
            self._session.call.abandon(EndReason.SERVER_ERROR)  # changes nothing where the call has ended
            self._log_records()
            if self._sockets is not None:
                await self._sockets.aclose()
            if self.recording is not None:
                await self.recording.close()

    async def say_goodbye(self) -> None:
        """The service cannot wait any longer. A call that is only just coming in is told as soon as it is there."""
        self._is_unwanted = True
        if not self._is_running:
            return
        await self._deliver(self._session.drain(self._loop.time()))

    async def steer(self, event: OperatorEvent) -> None:
        """Somebody who watches the call does something to it; changes nothing where it is over."""
        if self._is_running:
            await self._deliver(self._session.from_operator(event, self._loop.time()))

    @contextmanager
    def overheard_by(self, listener: Listener) -> Iterator[None]:
        """While the block lasts, `listener` gets the recording as it grows, on the event loop: it must be quick."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    @property
    def audio(self) -> AudioFormat:
        """What the carrier plays."""
        return self._session.audio

    async def _talk(self) -> None:
        reason = None
        try:
            self._alarm.set(self._session.deadline)
            await self._read_socket()
        except CarrierError as exc:
            reason = EndReason.CARRIER_ERROR
            log.warning("carrier_error", error=str(exc), close_code=exc.close_code)
            await self._close_socket(exc.close_code, "the media stream made no sense")
        await self._deliver(self._session.carrier_closed(self._loop.time(), reason))
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_S):
                await self._last_words()

    async def _last_words(self) -> None:
        """What was being said when the caller hung up is still worth reading: it may be a message."""
        if self._sockets is not None:
            await self._sockets.until_closed()
        if self._jobs:
            await asyncio.wait([*self._jobs.values()])

    # -- the socket and the alarm --------------------------------------------------------------------------------

    async def _read_socket(self) -> None:
        session, now = self._session, self._loop.time
        async for message in self._socket:
            if message.type is WSMsgType.TEXT or message.type is WSMsgType.BINARY:
                outputs = session.from_carrier(message.data, now())
                if len(outputs) == 1 and type(outputs[0]) is ToModel and self._sockets is not None:
                    self._sockets.send(outputs[0].link, outputs[0].message)  # a frame, and nothing else happened
                elif outputs:
                    await self._deliver(outputs)
                elif session.deadline < self._alarm.at:
                    self._alarm.set(session.deadline)
            elif message.type is WSMsgType.ERROR:
                raise CarrierError(f"the media socket broke: {self._socket.exception()}")

    async def _keep_time(self) -> None:
        while True:
            await self._alarm.wait()
            await self._deliver(self._session.on_deadline(self._loop.time()))

    async def _from_model(self, event: LinkEvent) -> None:
        await self._deliver(self._session.from_model(event, self._loop.time()))

    async def _deliver(self, outputs: Sequence[Output]) -> None:
        to_model: list[ToModel] = []
        for output in outputs:
            match output:
                case ToModel():
                    to_model.append(output)
                case str():
                    self._outbox.append(output)
                case Overtake(message):
                    self._outbox.clear()
                    self._outbox.append(message)
                case Record(block):
                    if self.recording is not None:
                        self.recording.append(block)
                    for listener in self._listeners:
                        listener(block)
                case Transcribe() | Compose() | Converse() | Synthesize() | RunTool():
                    self._start(output)
                case CancelJob(job_id):
                    if (task := self._jobs.pop(job_id, None)) is not None:
                        task.cancel()
                case OpenLink(number) if self._sockets is not None:
                    self._sockets.open(number)
                case CloseLink(number) if self._sockets is not None:
                    self._sockets.close(number)
                case TransferCall(destination):
                    self._tasks.create_task(self._transfer(destination))
                case VoiceWarned() | VoiceFailed() | RateLimitsTold():
                    self._tell(output)
                case EndCall():
                    self._tasks.create_task(self._end())
        self._log_records()
        self._alarm.set(self._session.deadline)
        if self._outbox and not self._is_sending:  # the caller's ear goes before the model's bookkeeping
            await self._empty_outbox()
        if self._sockets is not None:
            for one in to_model:
                self._sockets.send(one.link, one.message)

    def _tell(self, news: VoiceWarned | VoiceFailed | RateLimitsTold) -> None:
        match news:
            case VoiceWarned(message):
                log.warning("voice_warned", error=message)
            case VoiceFailed(message, True):
                log.error("voice_failed", error=message, remedy="the caller was told; see the error and the settings")
            case VoiceFailed(message):
                log.warning("voice_failed", error=message)
            case RateLimitsTold():
                self._on_rate_limits(news)

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
            is_final = isinstance(exc, RequestFailedError) and exc.is_final
            failed = JobFailed(job.job_id, str(exc), is_final)
            await self._deliver(self._session.from_worker(failed, self._loop.time()))

    async def _results(self, job: Job) -> AsyncIterator[JobResult | TokensUsed]:
        match job, self._links:
            case Transcribe(job_id, pcm, is_speculative), Links(transcriber) if transcriber is not None:
                transcript = await transcriber.transcribe(pcm, speculative=is_speculative)
                if transcript.spent is not None:
                    yield _used(transcript.spent)
                yield Transcribed(job_id, transcript)
            case Compose(job_id, history), Links(_, responder) if responder is not None:
                async for part in responder.respond(history):
                    yield _used(part) if isinstance(part, Spent) else PartComposed(job_id, part)
                yield Composed(job_id)
            case Converse(job_id, turns, may_use_tools), Links(converser=converser) if converser is not None:
                async for piece in converser.converse(turns, may_use_tools=may_use_tools):
                    yield _used(piece) if isinstance(piece, Spent) else PartConversed(job_id, piece)
                yield Conversed(job_id)
            case Synthesize(job_id, text), Links(_, _, speaker):
                async for sound in speaker.speak(text):
                    yield _used(sound) if isinstance(sound, Spent) else SoundMade(job_id, sound)
                yield Synthesized(job_id)
            case RunTool(job_id, name, arguments), _ if self._tools is not None:
                yield ToolRan(job_id, await self._tools.run(name, arguments))

    # -- the end -------------------------------------------------------------------------------------------------

    async def _end(self) -> None:
        """Hang up at the carrier, and close the socket, which hangs up too where the request cannot."""
        if not self._socket.closed:
            try:
                async with asyncio.timeout(_HANG_UP_S):
                    await self._control.hang_up()
            except (CarrierError, TimeoutError) as exc:
                log.warning("hang_up_failed", error=str(exc) or "no answer", remedy="the closing socket hangs up too")
        await self._close_socket(1000, "the call is over")

    async def _transfer(self, destination: str) -> None:
        try:
            async with asyncio.timeout(_TRANSFER_S):
                await self._control.transfer(destination)
        except (CarrierError, TimeoutError) as exc:
            log.warning("transfer_failed", error=str(exc) or "no answer")
            await self._deliver(self._session.transfer_failed(str(exc) or "no answer", self._loop.time()))

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
            counters={
                "frames_in": self._session.frames_in,
                "starved_ms": round(call.playout.starved_ms),
                **({"cost_microdollars": round(timeline.cost_usd * 1e6)} if timeline.cost_usd else {}),
                **timeline.tokens,
            },
        )


def _used(spent: Spent) -> TokensUsed:
    return TokensUsed(spent.model, spent.tokens, spent.usd)
