"""The shell around one session: its socket, one timer, slow work as tasks. It decides nothing."""

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

import structlog
from aiohttp import WSMsgType, web

from bot.errors import VoiceError
from bot.events import (
    CancelJob,
    Composed,
    JobFailed,
    PartComposed,
    SoundMade,
    Synthesized,
    Transcribe,
    Transcribed,
)
from bot.local.chat_answers import sentences
from bot.local.engines import LocalEngines
from bot.local.errors import RequestError
from bot.local.realtime.jobs import Close, Converse, FunctionWanted, Job, Output, Result, Speak, Think
from bot.local.realtime.session import ServerSession
from bot.speech.links import Say, Spent
from bot.speech.local import LocalSpeaker

log = structlog.get_logger()

_MOST_UNSENT = 200  # messages; whoever makes more waits until the client has read some


class RealtimeConnection:
    def __init__(self, session: ServerSession, engines: LocalEngines, socket: web.WebSocketResponse) -> None:
        self._session = session
        self._engines = engines
        self._socket = socket
        self._now = asyncio.get_running_loop().time
        self._tasks = asyncio.TaskGroup()
        self._jobs: dict[int, asyncio.Task[None]] = {}
        self._unsent: deque[str | Close] = deque()
        self._has_mail = asyncio.Event()
        self._has_room = asyncio.Event()
        self._is_rescheduled = asyncio.Event()

    async def run(self) -> None:
        """Until either side ends the connection. A bug in any of its tasks ends it too, and is raised."""
        async with self._tasks:
            helpers = [self._tasks.create_task(self._write()), self._tasks.create_task(self._keep_time())]
            self._deliver(self._session.start(self._now()))
            async for message in self._socket:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    self._deliver(self._session.receive(message.data, self._now()))
                    await self._room()
                    while self._session.is_behind:
                        await asyncio.sleep(0)
                        self._deliver(self._session.catch_up(self._now()))
                        await self._room()
            for task in [*helpers, *self._jobs.values()]:
                task.cancel()

    def _deliver(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            match output:
                case str() | Close():
                    self._unsent.append(output)
                case CancelJob(job_id):
                    task = self._jobs.pop(job_id, None)
                    if task is not None and task is not asyncio.current_task():
                        task.cancel()
                case _:
                    self._jobs[output.job_id] = self._tasks.create_task(self._work(output))
        if outputs:
            self._has_mail.set()
        self._is_rescheduled.set()

    # -- the socket and the timer ----------------------------------------------------------------------------------

    async def _write(self) -> None:
        while True:
            while self._unsent:
                await self._send(self._unsent.popleft())
                if len(self._unsent) < _MOST_UNSENT:
                    self._has_room.set()
            self._has_mail.clear()
            await self._has_mail.wait()

    async def _send(self, mail: str | Close) -> None:
        with suppress(ConnectionError):  # the client has gone; the reading side learns of it
            match mail:
                case str():
                    await self._socket.send_str(mail)
                case Close(code, reason):
                    await self._socket.close(code=code, message=reason.encode())

    async def _room(self) -> None:
        while len(self._unsent) >= _MOST_UNSENT:
            self._has_room.clear()
            await self._has_room.wait()

    async def _keep_time(self) -> None:
        while True:
            self._is_rescheduled.clear()
            deadline = self._session.deadline
            if deadline <= self._now():
                self._deliver(self._session.on_deadline(self._now()))
                continue
            # Not wait_for: in Python 3.11 it loses a cancellation that comes together with the event.
            with suppress(TimeoutError):
                async with asyncio.timeout_at(None if deadline == math.inf else deadline):
                    await self._is_rescheduled.wait()

    # -- slow work -------------------------------------------------------------------------------------------------

    async def _work(self, job: Job) -> None:
        try:
            async for result in self._results(job):
                self._deliver(self._session.from_worker(result, self._now()))
                await self._room()
                if job.job_id not in self._jobs:  # called off by its own result
                    return
        except (VoiceError, RequestError) as exc:  # the latter is what a text model refuses
            log.warning("local_job_failed", job=type(job).__name__.lower(), error=str(exc))
            self._deliver(self._session.from_worker(JobFailed(job.job_id, str(exc)), self._now()))
        finally:
            self._jobs.pop(job.job_id, None)

    async def _results(self, job: Job) -> AsyncIterator[Result]:
        match job:
            case Transcribe(job_id, pcm, is_speculative):
                transcriber = self._engines.transcriber
                yield Transcribed(job_id, await transcriber.transcribe(pcm, speculative=is_speculative))
            case Think(job_id, history):
                async for part in self._engines.responder.respond(history):
                    if not isinstance(part, Spent):
                        yield PartComposed(job_id, part)
                yield Composed(job_id)
            case Converse(job_id, turns, options):
                async for piece in sentences(self._engines.answerer.answer(turns, options)):
                    if not isinstance(piece, str):
                        yield FunctionWanted(job_id, piece.function.name, piece.function.arguments)
                    elif piece.strip():
                        yield PartComposed(job_id, Say(piece.strip()))
                yield Composed(job_id)
            case Speak(job_id):
                async for sound in self._sound(job):
                    if isinstance(sound, bytes):
                        yield SoundMade(job_id, sound)
                yield Synthesized(job_id)

    def _sound(self, job: Speak) -> AsyncIterator[bytes | Spent]:
        speaker = self._engines.speaker
        return (
            speaker.speak(job.text, speed=job.speed) if isinstance(speaker, LocalSpeaker) else speaker.speak(job.text)
        )
