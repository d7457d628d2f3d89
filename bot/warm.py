"""Voices that are made ready while the telephone still rings, and wait for their call's media socket.

A session is opened and configured at the webhook, so the caller waits for no handshake. Nothing is asked of it, so
nothing is billed if the call never comes; then it is closed when its ticket expires.
"""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from bot.events import CloseLink, LinkEvent, OpenLink, ToModel
from bot.model_sockets import Endpoint, ModelSockets
from bot.voice.base import Effect, Voice

log = structlog.get_logger()


class LinkedVoice(Voice, Protocol):
    """A voice with a model at the other end of a socket."""

    def start(self, now: float) -> Sequence[Effect]:
        """Open the session, ahead of the call's first frame."""


@dataclass(frozen=True, slots=True)
class Warm:
    """A voice with its sockets, and what it has to say before anybody listens: until then that grows."""

    voice: LinkedVoice
    sockets: ModelSockets
    untold: list[Effect]


class WarmVoice:
    """One voice and its sockets until the call takes them over."""

    def __init__(self, voice: LinkedVoice, endpoint: Endpoint) -> None:
        self._loop = asyncio.get_running_loop()
        self._voice = voice
        self._sockets = ModelSockets(endpoint, self._on_event)
        self._untold: list[Effect] = []
        self._is_claimed = False
        self._timer: asyncio.TimerHandle | None = None
        self._late: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._carry_out(self._voice.start(self._loop.time()))

    def claim(self) -> Warm:
        """The call is there, and will listen to the sockets itself in a moment."""
        self._is_claimed = True
        self._stop()
        return Warm(self._voice, self._sockets, self._untold)

    async def discard(self) -> None:
        """The call never came."""
        self._stop()
        self._voice.close()
        await self._sockets.aclose()

    async def _on_event(self, event: LinkEvent) -> None:
        await self._carry_out(self._voice.receive(event, self._loop.time()))

    async def _carry_out(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, OpenLink | ToModel | CloseLink):
                self._sockets.obey(effect)
            else:  # the call will be told when it is there
                self._untold.append(effect)
        self._stop()
        if self._voice.deadline < math.inf and not self._is_claimed:
            self._timer = self._loop.call_at(self._voice.deadline, self._on_late)

    def _on_late(self) -> None:
        self._late = self._loop.create_task(self._on_deadline())

    async def _on_deadline(self) -> None:
        await self._carry_out(self._voice.on_deadline(self._loop.time()))

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class WarmVoices:
    """Those that wait, by call."""

    def __init__(self, lifetime_s: float) -> None:
        self._lifetime_s = lifetime_s
        self._waiting: dict[str, tuple[WarmVoice, asyncio.TimerHandle]] = {}
        self._discarding: set[asyncio.Task[None]] = set()

    async def open(self, call_id: str, voice: LinkedVoice, endpoint: Endpoint) -> None:
        warm = WarmVoice(voice, endpoint)
        expiry = asyncio.get_running_loop().call_later(self._lifetime_s, self.forget, call_id)
        self._waiting[call_id] = (warm, expiry)
        await warm.start()

    def claim(self, call_id: str) -> Warm | None:
        found = self._waiting.pop(call_id, None)
        if found is None:
            return None
        warm, expiry = found
        expiry.cancel()
        return warm.claim()

    def forget(self, call_id: str) -> None:
        """The call will not come any more."""
        found = self._waiting.pop(call_id, None)
        if found is not None:
            warm, expiry = found
            expiry.cancel()
            task = asyncio.create_task(warm.discard())
            self._discarding.add(task)
            task.add_done_callback(self._discarding.discard)

    async def close(self) -> None:
        for call_id in list(self._waiting):
            self.forget(call_id)
        if self._discarding:
            await asyncio.wait(self._discarding)
