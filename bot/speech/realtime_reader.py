"""A Realtime model as a speaker: it reads aloud what it is given. The shell around `reader.py`; it decides nothing.

This is what OpenAI names as the replacement of its speech models, which end on 2027-01-06, and it lets the sentences
that a bot has prepared sound like its realtime voice. Sessions are kept open and shared by all calls. The text is
checked against what the model says it spoke, for a model may answer what it should read.
"""

import asyncio
import itertools
import math
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import aiohttp
import structlog

from bot.config import ModelServerConfig, PriceConfig
from bot.errors import ConfigError, RequestFailedError, VoiceError
from bot.events import CloseLink, LinkEvent, OpenLink, ToModel
from bot.model_check import check_model
from bot.model_sockets import ModelSockets, realtime_endpoint
from bot.speech.links import Spent
from bot.speech.model_table import Use, lookup, named_for
from bot.speech.reader import MISREAD, Reader
from bot.speech.reader_settings import Patience, reader_settings
from bot.speech.reading import RATE_HZ, Noted, ReaderEffect, SentenceFailed, SentenceRead, SoundRead

log = structlog.get_logger()

_SLOWEST, _FASTEST = 0.25, 1.5
_NO_KEY = "set {setting}.api_key to a key that is valid there"
_NO_MODEL = "see chained.speaker for the model, and {setting}.base_url"
_NO_CREDIT = "add credit to the account, or raise its limit"
_REMEDIES: Mapping[str, str] = {
    "401": _NO_KEY,
    "3000": _NO_KEY,
    "invalid_api_key": _NO_KEY,
    "403": _NO_MODEL,
    "404": _NO_MODEL,
    "model_not_found": _NO_MODEL,
    "model_not_supported": _NO_MODEL,
    "insufficient_quota": _NO_CREDIT,
    "billing_hard_limit_reached": _NO_CREDIT,
    "billing_not_active": _NO_CREDIT,
    "invalid_value": "see chained.speaker_voice and chained.speaker_speed",
    MISREAD: "try another model in chained.speaker, or other chained.speaker_instructions",
}

Mail = bytes | Spent | BaseException
_Mailbox = asyncio.Queue[Mail]


class RealtimeReader:
    rate_hz = RATE_HZ

    def __init__(
        self,
        server: ModelServerConfig,
        model: str,
        *,
        voice: str = "marin",
        speed: float = 1.0,
        instructions: str = "",
        language: str = "en",
        prices: Mapping[str, PriceConfig] | None = None,
        patience: Patience | None = None,
        setting: str = "openai",
    ) -> None:
        """`instructions` say how to speak, `setting` says where the server is configured.

        Raises `ConfigError` for a speed out of 0.25 to 1.5, and for a model of which it is known that it cannot.
        """
        self.name = f"openai-realtime:{model}"
        self._server, self._model, self._setting = server, model, setting
        if not _SLOWEST <= speed <= _FASTEST:
            raise ConfigError(f"{self.name}: chained.speaker_speed must be {_SLOWEST} to {_FASTEST}, and is {speed:g}")
        known = lookup(model)
        if known is not None and Use.REALTIME not in known.uses:
            able = ", ".join(named_for(Use.REALTIME))
            raise ConfigError(f"{model!r} cannot be a reader: after openai-realtime: write one of {able}")
        self._settings = reader_settings(
            model,
            voice=voice,
            speed=speed,
            instructions=instructions,
            language=language,
            prices=prices,
            patience=patience,
        )
        self._numbers = itertools.count(1)
        self._mail: dict[int, _Mailbox] = {}
        self._reader: Reader | None = None
        self._sockets: ModelSockets | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._crashed: asyncio.Task[None] | None = None  # puts away what the last bug left behind
        self._timer: asyncio.TimerHandle | None = None
        self._has_news = asyncio.Event()

    # -- what a speaker does -----------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open the first session. A server that is out of reach is no error, for what a bot prepared may be kept.

        Raises `ConfigError` for an unknown model and a refused key, `VoiceError` for a session that is refused.
        """
        if self._reader is not None:
            return
        async with aiohttp.ClientSession() as http:
            await check_model(self._model, Use.REALTIME, self._server, http, datetime.now(UTC).date(), self._setting)
        reader = self._begin()
        self._carry_out(reader, reader.open(asyncio.get_running_loop().time()))
        await self._until_open(reader)

    async def close(self) -> None:
        if self._reader is not None and self._sockets is not None and self._watcher is not None:
            self._carry_out(self._reader, self._reader.close())
            self._watcher.cancel()
            await self._sockets.aclose()
        if self._crashed is not None:
            await self._crashed
        for mail in self._mail.values():
            mail.put_nowait(VoiceError(f"the reader {self.name} was closed"))
        self._reader = self._sockets = self._watcher = None

    async def speak(self, text: str, *, is_checked: bool = False) -> AsyncIterator[bytes | Spent]:
        """Pieces of whole samples, then the cost; raises `VoiceError`. Whoever stops listening cancels the reading.

        What is checked comes in one piece, and only if the model has said that it read just that.
        """
        number, reader, now = next(self._numbers), self._reader, asyncio.get_running_loop().time
        if reader is None:
            raise VoiceError(f"the reader {self.name} was not started")
        mail = self._mail[number] = _Mailbox()
        try:
            self._carry_out(reader, reader.ask(number, text, now(), is_checked=is_checked))
            while not isinstance(piece := await mail.get(), Spent):
                if isinstance(piece, BaseException):
                    raise piece
                yield piece
            yield piece
        finally:
            del self._mail[number]
            self._carry_out(reader, reader.cancel(number, now()))

    @property
    def checked(self) -> "CheckedReader":
        """The same for sentences that nobody waits for."""
        return CheckedReader(self)

    # -- sockets, timer and mail -------------------------------------------------------------------------------------

    def _begin(self) -> Reader:
        """With no session yet: the first sentence opens one."""
        self._reader = reader = Reader(self._settings, epoch_s=time.time() - asyncio.get_running_loop().time())
        endpoint = realtime_endpoint(self._server, {"model": self._model}, self._settings.patience.connect_timeout_s)
        self._sockets = ModelSockets(endpoint, partial(self._on_event, reader))
        self._watcher = asyncio.create_task(self._sockets.watch(), name="reader")
        self._watcher.add_done_callback(self._on_watched)
        return reader

    async def _until_open(self, reader: Reader) -> None:
        while not reader.is_ready and reader.fault is None:
            self._has_news.clear()
            await self._has_news.wait()
        if reader.fault is not None:
            failed = self._failure(reader.fault.reason, reader.fault.code, is_fatal=reader.fault.is_final)
            if reader.fault.is_final:
                raise failed
            log.warning(
                "reader_not_ready", error=str(failed), remedy="it is tried again when there is something to say"
            )

    async def _on_event(self, reader: Reader, event: LinkEvent) -> None:
        if reader is self._reader:
            self._carry_out(reader, reader.receive(event, asyncio.get_running_loop().time()))

    def _on_time(self) -> None:
        if self._reader is not None:
            self._carry_out(self._reader, self._reader.on_deadline(asyncio.get_running_loop().time()))

    def _on_watched(self, watcher: asyncio.Task[None]) -> None:
        """A bug in the handling of a message is met by whoever waits for sound; who comes later finds new sessions."""
        if watcher.cancelled() or (bug := watcher.exception()) is None or self._sockets is None:
            return
        log.error("reader_crashed", exc_info=bug, remedy="it begins anew; please report this")
        for mail in self._mail.values():
            mail.put_nowait(bug)
        self._crashed = asyncio.create_task(self._sockets.aclose())
        self._begin()

    def _carry_out(self, reader: Reader, effects: Sequence[ReaderEffect]) -> None:
        """Unless it has crashed since: its links are gone then, and their numbers are those of others."""
        if reader is not self._reader:
            return
        for effect in effects:
            match effect:
                case OpenLink() | ToModel() | CloseLink() if self._sockets is not None:
                    self._sockets.obey(effect)
                case SoundRead(number, pcm):
                    self._deliver(number, pcm)
                case SentenceRead(number, spent):
                    self._deliver(number, spent)
                case SentenceFailed(number, message, code, is_fatal):
                    self._deliver(number, self._failure(message, code, is_fatal=is_fatal))
                case Noted(event, is_warning, details):
                    tell: Any = log.warning if is_warning else log.info
                    tell(event, **details)
        self._has_news.set()
        self._set_timer()

    def _deliver(self, number: int, mail: Mail) -> None:
        if (mailbox := self._mail.get(number)) is not None:
            mailbox.put_nowait(mail)

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._reader is not None and self._reader.deadline < math.inf:
            self._timer = asyncio.get_running_loop().call_at(self._reader.deadline, self._on_time)

    def _failure(self, reason: str, code: str, *, is_fatal: bool) -> RequestFailedError:
        remedy = _REMEDIES.get(code, "check {setting}.base_url and the server's state")
        told = f"{self.name} at {self._server.base_url} could not read a sentence: {reason}"
        return RequestFailedError(
            f"{told}; {remedy.format(setting=self._setting)}", is_fatal=is_fatal, code=code or None
        )


class CheckedReader:
    """A speaker for sentences that are prepared and said again and again: none may be other than it stands there."""

    rate_hz = RATE_HZ

    def __init__(self, reader: RealtimeReader) -> None:
        self.name = reader.name
        self._reader = reader

    async def start(self) -> None:
        await self._reader.start()

    async def close(self) -> None:
        """The reader belongs to whoever made it."""

    def speak(self, text: str) -> AsyncIterator[bytes | Spent]:
        return self._reader.speak(text, is_checked=True)
