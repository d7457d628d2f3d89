"""Several recordings transcribed, one after the other. What failed is tried once more.

A file that fails does not keep the others from being done. Those that failed for a passing reason are gone on with at
the end, where their finished parts are still there.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from rich.console import Console

from bot.analysis.asked_for import FileRequest
from bot.analysis.channels import ChannelTranscription
from bot.analysis.chat_model import ChatModel
from bot.analysis.correction import corrected
from bot.analysis.file_transcription import FileTranscription, Manner, PartFailedError, Watcher
from bot.analysis.model_servers import client_for
from bot.analysis.outputs import Output, Transcript
from bot.analysis.spending import Tally
from bot.analysis.terminal import ProgressBar, print_correction, print_failure, print_spending, print_warning
from bot.config import OpenAIConfig
from bot.errors import BotError, VoiceError
from bot.speech.engine_names import EngineName
from bot.speech.model_table import warning
from bot.speech.openai_client import OpenAIClient

Correct = Callable[[Transcript], Awaitable[Transcript]]
"""Spells names right; raises `VoiceError`."""


Write = Callable[[Path, Transcript], None]


class Work(Protocol):
    async def run(self) -> Transcript:
        """May be called again after a failure; raises `BotError`."""


@dataclass(frozen=True, slots=True)
class Failed:
    path: Path
    why: BotError

    @property
    def is_passing(self) -> bool:
        return isinstance(self.why, PartFailedError) and not self.why.is_fatal


@dataclass(frozen=True, slots=True)
class CorrectionOrder:
    """Names that are to be spelt as here, by a text model."""

    name: EngineName
    names: Sequence[str]


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done; the request is one that is allowed."""

    files: tuple[Path, ...]
    name: EngineName
    request: FileRequest
    manner: Manner
    output: Output
    channels: Sequence[str] = ()  # who speaks on each, where each has a channel
    correction: CorrectionOrder | None = None


async def carry_out(order: Order, openai: OpenAIConfig) -> list[Failed]:
    """Shows how far it is on the error output, and in the end what it cost. Raises `ConfigError`, `VoiceError`."""
    console = Console(stderr=True)
    tally = Tally(openai.prices)
    began = time.monotonic()
    if order.name.kind == "openai" and (told := warning(order.name.model, datetime.now(UTC).date())) is not None:
        print_warning(console, told)
    async with AsyncExitStack() as servers:
        client = await servers.enter_async_context(client_for(order.name, openai))
        correct = await _corrector(order.correction, openai, servers, console, tally)
        with ProgressBar(console) as progress:
            work = {
                path: _work(order, client, path, progress.file(path.name, order.name.model, tally))
                for path in order.files
            }

            def write(path: Path, transcript: Transcript) -> None:
                with progress.aside():
                    order.output.write(path, transcript)

            failed = await transcribe_all(work, write, correct)
    for one in failed:
        print_failure(console, one.path, one.why)
    done, took_s = len(work) - len(failed), time.monotonic() - began
    is_free = order.name.kind == "local" and order.correction is None
    print_spending(console, done, tally, took_s, is_free=is_free)
    return failed


def _work(order: Order, client: OpenAIClient, path: Path, watcher: Watcher) -> Work:
    if order.channels:
        return ChannelTranscription(
            client, path, order.request, order.manner, watcher, order.channels, order.output.response_format
        )
    return FileTranscription(client, path, order.request, order.manner, watcher)


async def _corrector(
    order: CorrectionOrder | None, openai: OpenAIConfig, servers: AsyncExitStack, console: Console, tally: Tally
) -> Correct | None:
    if order is None:
        return None
    client = await servers.enter_async_context(client_for(order.name, openai))
    model = ChatModel(client, order.name.model, tally)

    async def correct(transcript: Transcript) -> Transcript:
        correction = await corrected(transcript.body, order.names, model)
        print_correction(console, correction)
        return Transcript(correction.body)

    return correct


async def transcribe_all(work: Mapping[Path, Work], write: Write, correct: Correct | None = None) -> list[Failed]:
    """In the order given; those that failed for good. What cannot be corrected is written as it was heard."""
    failed = await _each(work, write, correct)
    hopeful = {one.path: work[one.path] for one in failed if one.is_passing}
    return [one for one in failed if not one.is_passing] + await _each(hopeful, write, correct)


async def _each(work: Mapping[Path, Work], write: Write, correct: Correct | None) -> list[Failed]:
    failed = []
    for path, one in work.items():
        try:
            transcript = await one.run()
            if correct is not None:
                try:
                    transcript = await correct(transcript)
                except VoiceError as exc:
                    failed.append(Failed(path, VoiceError(f"the names were not corrected: {exc}")))
            write(path, transcript)
        except BotError as exc:
            failed.append(Failed(path, exc))
    return failed
