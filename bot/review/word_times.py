"""When the words of a call were said: found when somebody first wants to know, and kept beside the recording.

A process of the lowest priority finds it (`analysis/word_finding_process.py`), so that no call waits for it, not even
for Python's lock; it is gone when it is done, and its model with it. One call is worked at, and some more may wait.
"""

import asyncio
import importlib.util
import os
import sys
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

import msgspec
import structlog

from bot.analysis.call_words import Order, TurnWords
from bot.calllog.detail import CallDetail
from bot.calllog.recorded import words_beside
from bot.errors import BotError
from bot.review.call.order import digest, order_of

MAX_UNDER_WAY = 20
_LONGEST_S = 1800.0
_FAILURES_KEPT = 500

log = structlog.get_logger()


class WordsNotFoundError(BotError):
    """The process could not do it."""


class Kept(msgspec.Struct, frozen=True):
    """The file beside a recording; `of` says of what."""

    of: str
    turns: list[TurnWords]


class WordTimes:
    def __init__(self, engine: str) -> None:
        """`engine` is local: and a model's name or folder; empty: nothing is found, but what was is still read."""
        self._model = engine.removeprefix("local:")
        self._can_find = bool(self._model) and importlib.util.find_spec("faster_whisper") is not None
        self._turn = asyncio.Semaphore(1)
        self._under_way: dict[str, asyncio.Task[list[TurnWords] | None]] = {}
        self._failed: OrderedDict[str, None] = OrderedDict()

    async def close(self) -> None:
        """Ends what is under way."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def find(self, detail: CallDetail, patience_s: float) -> list[TurnWords] | None:
        """What was found, at most so much later; None: it takes longer. Empty where it cannot be found."""
        if detail.call.ended_at is None or not detail.recordings:
            return []
        order = order_of(detail, self._model)
        recording = Path(order.recording)
        size_bytes = await asyncio.to_thread(_size_of, recording)
        if size_bytes is None or not order.turns:
            return []
        of = digest(order, size_bytes)
        kept = await asyncio.to_thread(_read, words_beside(recording))
        if kept is not None and kept.of == of:
            return kept.turns
        if not self._can_find or of in self._failed:
            return []
        task = self._task(order, of)
        if task is None:
            return None
        done, _ = await asyncio.wait({task}, timeout=patience_s)
        return (task.result() or []) if done and not task.cancelled() else None

    def _task(self, order: Order, of: str) -> asyncio.Task[list[TurnWords] | None] | None:
        """The work on this call; None where too many wait already."""
        if of not in self._under_way and len(self._under_way) < MAX_UNDER_WAY:
            task = asyncio.create_task(self._found(order, of))
            self._under_way[of] = task
            task.add_done_callback(lambda _: self._under_way.pop(of))
        return self._under_way.get(of)

    async def _found(self, order: Order, of: str) -> list[TurnWords] | None:
        async with self._turn:
            try:
                turns = await find_words(order)
            except WordsNotFoundError as exc:
                log.warning("words_not_found", recording=Path(order.recording).name, reason=str(exc))
                self._remember_failure(of)
                return None
        await asyncio.to_thread(_keep, Path(order.recording), Kept(of, turns))
        return turns

    def _remember_failure(self, of: str) -> None:
        self._failed[of] = None
        while len(self._failed) > _FAILURES_KEPT:
            self._failed.popitem(last=False)


async def find_words(order: Order) -> list[TurnWords]:
    """Raises `WordsNotFoundError`. Cancelled, it takes the process with it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot.analysis.word_finding_process",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_LONGEST_S):
            told, complaint = await process.communicate(msgspec.json.encode(order))
    except TimeoutError as exc:
        raise WordsNotFoundError(f"it took longer than {_LONGEST_S / 60:.0f} min") from exc
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0:
        raise WordsNotFoundError(complaint.decode(errors="replace").strip()[-300:] or f"status {process.returncode}")
    return msgspec.json.decode(told, type=list[TurnWords])


def _size_of(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _read(path: Path) -> Kept | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Kept)
    except (OSError, msgspec.DecodeError):
        return None


def _keep(recording: Path, kept: Kept) -> None:
    """Whole or not at all; and not where the recording has been deleted meanwhile."""
    path = words_beside(recording)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(msgspec.json.encode(kept))
        unfinished.replace(path)
        if not recording.exists():
            path.unlink(missing_ok=True)
    except OSError as exc:
        log.error("words_not_kept", path=str(path), error=str(exc), remedy="let Offhook write in that folder")
        unfinished.unlink(missing_ok=True)
