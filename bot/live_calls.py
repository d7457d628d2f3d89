"""What can be done to a call while it lasts, in the process that has it: overhear it, speak, put it through, end it.

Where several processes answer calls, `workers/routing.py` brings a request for `{live_call}` to the right one.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from aiohttp import web

from bot.calllog.records import Record
from bot.errors import BotError
from bot.events import OperatorHungUp, OperatorSpoke, OperatorTransferred
from bot.feed import Watcher
from bot.runner import CallRunner, Listener
from bot.service import Service
from bot.speech.links import whole_sound
from media.codec import encoder
from media.resample import Resampler

log = structlog.get_logger()

LONGEST_SENTENCE = 500
"""Characters of what an operator may have the bot say at a time."""


class NotLiveError(BotError):
    """There is no such call, or it is over."""


class LiveCalls:
    def __init__(self, service: Service) -> None:
        self._service = service

    async def say(self, call_id: str, text: str, by: str) -> None:
        """Have the bot say a sentence at once. Raises `NotLiveError`, `VoiceError`."""
        runner = self._find(call_id)
        speaker, audio = self._service.engines.speaker(runner.bot), runner.audio
        pcm = await whole_sound(speaker, text)
        resampler = Resampler(speaker.rate_hz, audio.rate_hz)
        payload = encoder(audio)(resampler.push(pcm) + resampler.flush())
        log.info("operator_spoke", call_id=call_id, by=by)
        await runner.steer(OperatorSpoke(text, payload, by))

    async def hang_up(self, call_id: str, by: str) -> None:
        """End the call at once. Raises `NotLiveError`."""
        runner = self._find(call_id)
        log.info("operator_hung_up", call_id=call_id, by=by)
        await runner.steer(OperatorHungUp(by))

    async def transfer(self, call_id: str, destination: str, by: str) -> None:
        """Put the caller through to one of the bot's `transfers`. Raises `NotLiveError`; `LookupError` for another."""
        runner = self._find(call_id)
        if destination not in runner.bot.transfers:
            raise LookupError(destination)
        log.info("operator_transferred", call_id=call_id, by=by, destination=destination)
        await runner.steer(OperatorTransferred(destination, by))

    def transfers(self, call_id: str) -> tuple[str, ...]:
        """Where the caller can be put through to. Raises `NotLiveError`."""
        return tuple(self._find(call_id).bot.transfers)

    @contextmanager
    def overheard_by(self, call_id: str, listener: Listener) -> Iterator[int]:
        """While the block lasts, `listener` gets the call's sound; yields its rate in Hz. Raises `NotLiveError`.

        A call that is not recorded cannot be overheard: nothing comes.
        """
        runner = self._find(call_id)
        with runner.overheard_by(listener):
            yield runner.audio.rate_hz

    @contextmanager
    def watched_by(self, call_id: str, watcher: Watcher) -> Iterator[None]:
        """While the block lasts, `watcher` is called with every record of the call, on the event loop."""

        def if_meant(record: Record) -> None:
            if record.call_id == call_id:
                watcher(record)

        with self._service.feed.watched_by(if_meant):
            yield

    async def written(self) -> None:
        """Wait until everything that has happened so far is in the call log. Raises `StoreError`."""
        await self._service.feed.flush()

    def _find(self, call_id: str) -> CallRunner:
        for call in self._service.supervisor:
            if isinstance(call, CallRunner) and call.call_id == call_id:
                return call
        raise NotLiveError("this call is over, or never was")


LIVE_CALLS = web.AppKey("live_calls", LiveCalls)
