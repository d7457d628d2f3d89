"""The Realtime session of one call: opened, configured, lost, had again, renewed. No I/O.

What comes out is work for the runner and news for the call, and between them, in their order, what the owner must know:
that a session has begun or is lost, and what the model says. Times are seconds, monotonic.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bot.events import FromModel, LinkClosed, LinkCommand, ToModel, VoiceFailed, VoiceWarned, WorkBegan, WorkEnded
from bot.voice import realtime_wire as wire
from bot.voice.link_setup import Configured, LinkSetup, Unfit
from bot.voice.model_links import Link, ModelLinks
from bot.voice.realtime_faults import FINAL_CLOSE_CODES, FINAL_STATUSES, Severity, describe, severity


class SessionSettings(Protocol):
    """What a session is told, and how long it is waited for (seconds)."""

    @property
    def session(self) -> Mapping[str, Any]: ...
    @property
    def core_session(self) -> Mapping[str, Any]: ...
    @property
    def connect_timeout_s(self) -> float: ...
    @property
    def reconnect_s(self) -> float: ...
    @property
    def renew_before_s(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Began:
    """A session takes the caller's sound from now on; whoever waits for it is told by the owner (`WorkEnded`)."""

    is_seamless: bool = False  # the one before it was there until now


@dataclass(frozen=True, slots=True)
class Lost:
    """Nobody hears the caller, and what was not dealt with yet never will be unless it is sent again."""


@dataclass(frozen=True, slots=True)
class Failed:
    """There will be no session any more."""


@dataclass(frozen=True, slots=True)
class SpareReady:
    """Another session is ready beside the present one, and can take over (`renew`)."""


News = Began | Lost | Failed | SpareReady
Step = LinkCommand | WorkBegan | WorkEnded | VoiceWarned | VoiceFailed | News | wire.ServerEvent


class ModelSession:
    def __init__(self, who: str, settings: SessionSettings, *, epoch_s: float) -> None:
        """`who` names it, also as a work that is waited for.

        `epoch_s` is the wall clock less the monotonic one: sessions expire by the former.
        """
        self._who = who
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
        return [WorkBegan(self._who), *self._links.open(now)]

    def close(self) -> Sequence[LinkCommand]:
        self.number = 0
        return self._links.close()

    def receive(self, event: FromModel | LinkClosed, now: float) -> Sequence[Step]:
        match event:
            case FromModel(number, message):
                return self._on_message(number, message, now)
            case LinkClosed(number, reason, code):
                is_final = code in FINAL_STATUSES or code in FINAL_CLOSE_CODES
                link = self._links.find(number)
                return [] if link is None else self._drop(link, reason, now, is_final=is_final)

    def on_deadline(self, now: float) -> Sequence[Step]:
        before = self._links.current
        steps: list[Step] = [*self._links.on_deadline(now)]
        if before is not None and self._links.current is not before:
            steps += self._on_current_lost("it was not ready in time", now)
        return steps

    def replace(self, reason: str, now: float) -> Sequence[Step]:
        """The present session does not do its work."""
        link = self._links.current
        return [] if link is None else self._drop(link, reason, now)

    def renew(self, now: float) -> Sequence[Step]:
        """Nothing is under way: a session made ready beside the present one takes over."""
        spare = self._links.spare
        if spare is None or not spare.is_ready:
            return []
        commands = self._links.take_over(now)
        return [self._begun(is_seamless=True), *commands]

    def fail(self, reason: str) -> Sequence[Step]:
        self._links.has_failed = True
        failed = VoiceFailed(f"the {self._who}: {reason}", is_final=True)
        return [Failed(), *self.close(), WorkEnded(self._who), failed]

    # -- one link ----------------------------------------------------------------------------------------------------

    def _on_message(self, number: int, message: str | bytes, now: float) -> Sequence[Step]:
        link = self._links.find(number)
        event = wire.decode(message)
        if link is None or event is None:
            return []
        if not link.is_ready:
            return self._on_preparing(link, event, now)
        if event.type == "error":
            return self._on_error(link, event, now)
        return [event] if link is self._links.current else []

    def _on_preparing(self, link: Link, event: wire.ServerEvent, now: float) -> Sequence[Step]:
        """A link that is not ready speaks of nothing but its session."""
        if event.session and event.session.expires_at:
            link.expires_at = event.session.expires_at - self._epoch_s
        refused_before = self._setup.refusal
        match self._setup.receive(link, event):
            case ToModel() as message:
                refusal = "" if self._setup.refusal == refused_before else self._setup.refusal
                warned = f"the {self._who}'s settings were refused ({refusal}): keeping to the essentials"
                return [VoiceWarned(warned), message] if refusal else [message]
            case Configured():
                self._links.ready(link, now)
                return [self._begun() if link is self._links.current else SpareReady()]
            case Unfit(reason, is_final):
                return self._drop(link, reason, now, is_final=is_final)
            case None:
                return []

    def _on_error(self, link: Link, event: wire.ServerEvent, now: float) -> Sequence[Step]:
        fault = event.error or wire.Fault()
        match severity(fault):
            case Severity.FATAL:
                return self._drop(link, describe(fault), now, is_final=True)
            case Severity.RETRYABLE if fault.code == "session_expired":
                return self._drop(link, "its time was up", now)
            case _:
                return [event] if link is self._links.current else []

    # -- gone and there again ----------------------------------------------------------------------------------------

    def _begun(self, *, is_seamless: bool = False) -> Began:
        self.number = self._links.current.number if self._links.current is not None else 0
        return Began(is_seamless)

    def _drop(self, link: Link, reason: str, now: float, *, is_final: bool = False) -> Sequence[Step]:
        """A link is of no more use: another takes its place, if that can help."""
        is_current = link is self._links.current
        if is_current and is_final:
            return self.fail(reason)
        commands = self._links.give_up(link, now)
        if not is_current:
            return [*commands, VoiceWarned(f"the {self._who}'s next session was lost: {reason}")]
        return [*commands, *self._on_current_lost(reason, now)]

    def _on_current_lost(self, reason: str, now: float) -> list[Step]:
        self.number = 0
        lost: list[Step] = [VoiceWarned(f"the {self._who}'s session was lost: {reason}"), WorkBegan(self._who), Lost()]
        if self._links.has_failed:
            return [*lost, *self.fail(f"no session could be had again: {reason}")]
        return [*lost, self._begun()] if self._links.is_ready else lost
