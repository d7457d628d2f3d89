"""The parent of the workers: holds the port, starts them, replaces one that dies, and stops them all.

It answers no call and loads no engine, so that there is little in it that could fail. If it dies nevertheless, its
workers drain and stop.
"""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import structlog

from bot.config import Config
from bot.errors import ConfigError, WorkerError
from bot.metrics import forget_process
from bot.serving import bind
from bot.workers.backoff import STEADY_S, Backoff
from bot.workers.board import Board, Row
from bot.workers.lifeline import Orders, Report, encode, read_report

log = structlog.get_logger()

_METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client reads it when it is imported


async def serve_with_workers(config: Config) -> None:
    """Answer calls in `server.workers` processes until SIGTERM or SIGINT, then drain; a second signal does not wait.

    Raises `ConfigError`, or `WorkerError` where a worker cannot start, saying what to do.
    """
    bound, url = bind(config.server)
    loop = asyncio.get_running_loop()
    with closing(bound), _shared_folder() as folder, closing(Foreman(config, bound, url, folder)) as foreman:
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, foreman.stop)
        await foreman.work()
    log.info("stopped")


@contextmanager
def _shared_folder() -> Iterator[Path]:
    """A folder that only this user can open: whoever writes to a mailbox there is believed."""
    try:
        folder = TemporaryDirectory(prefix="offhook-", ignore_cleanup_errors=True)
    except OSError as exc:
        raise ConfigError(f"several workers need a folder for temporary files: {exc}; set TMPDIR") from exc
    with folder as path:
        yield Path(path)


@dataclass(frozen=True, slots=True)
class _Worker:
    process: Process
    lifeline: asyncio.StreamWriter  # it lives as long as this stays open
    started_at: float


class Foreman:
    def __init__(self, config: Config, listener: socket.socket, url: str, folder: Path) -> None:
        self._config = config
        self._listener = listener
        self._url = url
        self._folder = folder
        self._board = Board.make(self._orders(1).board, config.server.workers)
        self._workers: dict[int, _Worker] = {}
        self._stopping = asyncio.Event()

    def close(self) -> None:
        self._board.close()

    async def work(self) -> None:
        """Start all workers and keep them running until `stop`; returns when the last of them has ended."""
        numbers = range(1, self._config.server.workers + 1)
        try:
            await self._start(1)  # alone: what is wrong with the configuration is said once, the tables are made once
            others = await asyncio.gather(*(self._start(number) for number in numbers[1:]), return_exceptions=True)
            for failure in filter(None, others):
                raise failure
            self._say_that_we_listen()
            async with asyncio.TaskGroup() as tasks:
                for number in numbers:
                    tasks.create_task(self._keep(number))
        finally:
            await self._end_all()

    def stop(self) -> None:
        """Let all workers drain; said again, end them at once."""
        is_urgent = self._stopping.is_set()
        self._stopping.set()
        if not is_urgent:
            live_calls = sum(row.live_calls for row in self._board.rows().values())
            log.info("draining", live_calls=live_calls, patience_s=self._config.server.drain_s)
        for worker in self._workers.values():
            _signal(worker.process, signal.SIGKILL if is_urgent else signal.SIGTERM)

    async def _keep(self, number: int) -> None:
        backoff = Backoff()
        while True:
            lived_s = await self._see_out(number)
            if self._stopping.is_set():
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), backoff.next_pause_s(lived_s))
            try:
                await self._start(number)
            except WorkerError as exc:
                log.error("worker_not_started", worker=number, error=str(exc))

    async def _see_out(self, number: int) -> float:
        """Wait until a worker is dead, and tidy up after it; returns how long it lived, in seconds."""
        worker = self._workers.get(number)
        if worker is None:  # it could not even be born
            return 0.0
        code = await worker.process.wait()
        del self._workers[number]
        worker.lifeline.close()
        self._board.write(number, Row())
        forget_process(self._folder, worker.process.pid)
        lived_s = asyncio.get_running_loop().time() - worker.started_at
        if code == 0:  # it was told to stop, by us or by somebody who wants a fresh one
            log.info("worker_stopped", worker=number, pid=worker.process.pid, lived_s=round(lived_s))
            return STEADY_S
        if not self._stopping.is_set():
            log.error("worker_died", worker=number, pid=worker.process.pid, code=code, lived_s=round(lived_s))
        return lived_s

    async def _start(self, number: int) -> None:
        """Start a worker and wait until it listens; raises `WorkerError` that says why it does not."""
        if self._stopping.is_set():
            return
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = await self._spawn(theirs)
            except OSError as exc:
                ours.close()
                raise WorkerError(f"no process can be started: {exc}") from exc
        reader, lifeline = await asyncio.open_connection(sock=ours)
        self._workers[number] = _Worker(process, lifeline, asyncio.get_running_loop().time())
        if self._stopping.is_set():  # since a moment ago
            _signal(process, signal.SIGTERM)
        lifeline.write(encode(self._orders(number)))
        try:
            report = await read_report(reader)
        except (EOFError, ConnectionError):
            report = Report(f"worker {number} died while it was starting: its lines in the log say why")
        if not report.error:
            log.info("worker_started", worker=number, pid=process.pid)
        elif not self._stopping.is_set():
            raise WorkerError(report.error)

    async def _spawn(self, lifeline: socket.socket) -> Process:
        inherited = (self._listener.fileno(), lifeline.fileno())
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot.workers.worker", *map(str, inherited),
            pass_fds=inherited, stdin=DEVNULL, start_new_session=True,  # a Ctrl-C is for the foreman alone
            env=os.environ | {_METRICS_FOLDER: str(self._folder)},
        )  # fmt: skip

    def _orders(self, number: int) -> Orders:
        return Orders(number, str(self._folder), self._url, self._config)

    async def _end_all(self) -> None:
        """After a start that failed nobody may be left behind."""
        for worker in self._workers.values():
            _signal(worker.process, signal.SIGKILL)
            await worker.process.wait()

    def _say_that_we_listen(self) -> None:
        config = self._config
        carriers = sorted(name for name, carrier in msgspec.structs.asdict(config.carriers).items() if carrier)
        bots = [bot.name for bot in config.bots]
        log.info("listening", url=self._url, bots=bots, carriers=carriers, workers=config.server.workers)


def _signal(process: Process, name: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(name)
