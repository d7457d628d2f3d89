"""The session of a live transcriber: opened, configured, lost, had again, renewed. No I/O.

What comes out is work for the runner and news for the call, and between them, in their order, what the ear must know:
that a session has begun or is lost, and what the model says of the caller's sound. Times are seconds, monotonic.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.events import FromModel, LinkClosed, LinkEvent, ToModel, VoiceFailed, VoiceWarned, WorkBegan, WorkEnded
from bot.voice import realtime_wire as wire
from bot.voice.base import Effect
from bot.voice.link_setup import Configured, LinkSetup, Unfit
from bot.voice.live_settings import LiveSettings
from bot.voice.model_links import Link, ModelLinks
from bot.voice.realtime_faults import FINAL_CLOSE_CODES, FINAL_STATUSES, Severity, describe, severity

WORK = "transcriber"


@dataclass(frozen=True, slots=True)
class Began:
    """A session takes the caller's sound from now on."""

    is_seamless: bool = False  # the one before it was there until now


@dataclass(frozen=True, slots=True)
class Lost:
    """Nobody hears the caller, and what was not written down yet never will be unless it is sent again."""


Step = Effect | Began | Lost | wire.ServerEvent


class LiveSession:
    def __init__(self, settings: LiveSettings, *, epoch_s: float) -> None:
        """`epoch_s` is the wall clock less the monotonic one: sessions expire by the former."""
        self._settings = settings
        self._setup = LinkSetup(settings.session, settings.core_session)
        self._epoch_s = epoch_s
        self._links = ModelLinks(
            connect_timeout_s=settings.connect_timeout_s,
            reconnect_s=settings.reconnect_s,
            renew_before_s=settings.renew_before_s,
        )
        self.number = 0
        """Of the link that takes the caller's sound; 0: there is none."""

    @property
    def is_ready(self) -> bool:
        return self._links.is_ready

    @property
    def deadline(self) -> float:
        return self._links.deadline

    def start(self, now: float) -> Sequence[Step]:
        return [WorkBegan(WORK), *self._links.open(now)]

    def close(self) -> Sequence[Effect]:
        self.number = 0
        return self._links.close()

    def receive(self, event: LinkEvent, now: float) -> Sequence[Step]:
        match event:
            case FromModel(number, message):
                return self._on_message(number, message, now)
            case LinkClosed(number, reason, code):
                is_final = code in FINAL_STATUSES or code in FINAL_CLOSE_CODES
                link = self._links.find(number)
                return [] if link is None else self._drop(link, reason, now, is_final=is_final)
            case _:
                return []

    def on_deadline(self, now: float) -> Sequence[Step]:
        before = self._links.current
        steps: list[Step] = [*self._links.on_deadline(now)]
        if before is not None and self._links.current is not before:
            steps += self._on_current_lost("its session was not ready in time", now)
        return steps

    def replace(self, reason: str, now: float) -> Sequence[Step]:
        """The present session does not do its work."""
        link = self._links.current
        return [] if link is None else self._drop(link, reason, now)

    def renew(self, now: float) -> Sequence[Step]:
        """The caller is silent, and all is written down: a session made ready beside the present one takes over."""
        spare = self._links.spare
        if spare is None or not spare.is_ready:
            return []
        commands = self._links.take_over(now)
        return [*self._begun(is_seamless=True), *commands]

    def fail(self, reason: str) -> Sequence[Step]:
        self._links.has_failed = True
        return [Lost(), *self.close(), WorkEnded(WORK), VoiceFailed(f"the transcriber: {reason}", is_final=True)]

    # -- one link ----------------------------------------------------------------------------------------------------

    def _on_message(self, number: int, message: str | bytes, now: float) -> Sequence[Step]:
        link = self._links.find(number)
        event = wire.decode(message)
        if link is None or event is None:
            return []
        if not link.is_ready:
            return self._on_preparing(link, event, now)
        if link is not self._links.current:
            return []
        return self._on_error(link, event, now) if event.type == "error" else [event]

    def _on_preparing(self, link: Link, event: wire.ServerEvent, now: float) -> Sequence[Step]:
        if event.session and event.session.expires_at:
            link.expires_at = event.session.expires_at - self._epoch_s
        refused_before = self._setup.refusal
        match self._setup.receive(link, event):
            case ToModel() as message:
                refusal = "" if self._setup.refusal == refused_before else self._setup.refusal
                warned = f"the transcriber's settings were refused ({refusal}): keeping to the essentials"
                return [VoiceWarned(warned), message] if refusal else [message]
            case Configured():
                self._links.ready(link, now)
                return self._begun() if link is self._links.current else []
            case Unfit(reason, is_final):
                return self._drop(link, reason, now, is_final=is_final)
            case None:
                return []

    def _on_error(self, link: Link, event: wire.ServerEvent, now: float) -> Sequence[Step]:
        fault = event.error or wire.Fault()
        match severity(fault):
            case Severity.FATAL:
                return self.fail(describe(fault))
            case Severity.RETRYABLE if fault.code == "session_expired":
                return self._drop(link, "its time was up", now)
            case _:
                return [event]

    # -- gone and there again ----------------------------------------------------------------------------------------

    def _begun(self, *, is_seamless: bool = False) -> list[Step]:
        self.number = self._links.current.number if self._links.current is not None else 0
        return [Began(is_seamless), WorkEnded(WORK)]

    def _drop(self, link: Link, reason: str, now: float, *, is_final: bool = False) -> Sequence[Step]:
        """A link is of no more use: another takes its place, if that can help."""
        is_current = link is self._links.current
        if is_current and is_final:
            return self.fail(reason)
        commands = self._links.give_up(link, now)
        if not is_current:
            return [*commands, VoiceWarned(f"the transcriber's next session was lost: {reason}")]
        return [*commands, *self._on_current_lost(reason, now)]

    def _on_current_lost(self, reason: str, now: float) -> list[Step]:
        self.number = 0
        lost: list[Step] = [VoiceWarned(f"the transcriber's session was lost: {reason}"), WorkBegan(WORK), Lost()]
        if self._links.has_failed:
            return [*lost, *self.fail(f"no session could be had again: {reason}")]
        return [*lost, *self._begun()] if self._links.is_ready else lost
