"""How the session at the end of a new link is made as it should be: the settings told, and what comes of that. No I/O.

Settings that name anything a server does not know are refused as a whole, so there are two: all that is wished for, and
without what a server need not know.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.events import ToModel
from bot.voice import realtime_wire as wire
from bot.voice.model_links import Link
from bot.voice.realtime_faults import Severity, describe, severity

_CONFIGURE, _CONFIGURE_CORE = "configure", "configure-core"


@dataclass(frozen=True, slots=True)
class Configured:
    session: wire.SessionInfo


@dataclass(frozen=True, slots=True)
class Unfit:
    """The session is of no use."""

    reason: str
    is_final: bool  # it would be no different with another one
    code: str = ""


class LinkSetup:
    def __init__(self, session: Mapping[str, Any], core_session: Mapping[str, Any]) -> None:
        self._session = session
        self._core_session = core_session
        self.refusal = ""
        """Why a server keeps to the essentials; it is not asked for more again."""

    def receive(self, link: Link, event: wire.ServerEvent) -> ToModel | Configured | Unfit | None:
        """What to do about an event of a link that is not ready."""
        match event.type:
            case "session.created":
                return self._tell(link, is_core=bool(self.refusal))
            case "session.updated":
                return self._agreed(event.session or wire.SessionInfo())
            case "error" if event.error is not None:
                return self._refused(link, event.error)
            case _:
                return None

    def _tell(self, link: Link, *, is_core: bool) -> ToModel:
        if is_core:
            return ToModel(link.number, wire.update_session(self._core_session, _CONFIGURE_CORE))
        return ToModel(link.number, wire.update_session(self._session, _CONFIGURE))

    def _agreed(self, session: wire.SessionInfo) -> Configured | Unfit:
        told = session.audio or wire.Audio()
        for verb, way, agreed in (("hear", "input", told.input), ("speak", "output", told.output)):
            wanted = self._core_session["audio"].get(way, {}).get("format", {}).get("type")
            if wanted and agreed and agreed.format and agreed.format.type != wanted:
                return Unfit(f"the model would {verb} {agreed.format.type} and not {wanted}", is_final=True)
        return Configured(session)

    def _refused(self, link: Link, fault: wire.Fault) -> ToModel | Unfit | None:
        match severity(fault):
            case Severity.BENIGN:
                return None
            case Severity.NOTED if fault.event_id != _CONFIGURE_CORE and not self.refusal:
                self.refusal = describe(fault)
                return self._tell(link, is_core=True)
            case worth:
                return Unfit(describe(fault), worth is not Severity.RETRYABLE, fault.code or "")
