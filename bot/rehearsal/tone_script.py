"""What a model of tones is to say, part by part, and what is to go wrong with its connections.

A response is a sequence of parts. Most are output items of their own, as with the models that say a preamble first and
then the answer; `Pause`, `Stall`, `Complain` and `Fail` are what happens between or instead of them.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Tone:
    """An audio item; its transcript is `text`, or says what sounds."""

    ms: int = 2000
    hz: float = 440.0
    text: str = ""

    @property
    def transcript(self) -> str:
        return self.text or f"tone {self.hz:g} hertz for {self.ms} milliseconds"


@dataclass(frozen=True, slots=True)
class Words:
    """An item of text without sound."""

    text: str


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A call of a tool; arguments that are no object go out as they are, however broken."""

    name: str
    arguments: Mapping[str, Any] | str = dataclasses.field(default_factory=dict)
    call_id: str = ""  # empty: one is made up


@dataclass(frozen=True, slots=True)
class Pause:
    ms: float


@dataclass(frozen=True, slots=True)
class Stall:
    """Nothing more comes of this response, not even its end."""


@dataclass(frozen=True, slots=True)
class Complain:
    """An `error` event; the response goes on."""

    code: str | None
    message: str = "This error was asked for."
    kind: str = "invalid_request_error"


@dataclass(frozen=True, slots=True)
class Fail:
    """The response ends as failed; nothing after this is said."""

    code: str
    message: str = "This failure was asked for."
    kind: str = "invalid_request_error"


@dataclass(frozen=True, slots=True)
class Exhaust:
    """The response ends as incomplete, its tokens used up; nothing after this is said."""


Part = Tone | Words | FunctionCall | Pause | Stall | Complain | Fail | Exhaust
Answer = Part | Sequence[Part]
"""What one response says."""


@dataclass(slots=True)
class Faults:
    """What is wrong with one connection. It may be changed while the connection lasts."""

    status: int = 0
    """The upgrade is refused with this HTTP status (401, 404, 503)."""
    is_mute: bool = False
    """The socket is accepted and read, and nothing is ever said on it, not even `session.created`."""
    has_bad_key: bool = False
    """As the real service treats a wrong key: the upgrade succeeds, an error comes, and a close with code 3000."""
    update_error: str = ""
    """Each `session.update` is answered with an error of this code and changes nothing."""
    never_answers: bool = False
    """Speech is heard and committed, responses can be asked for, and none ever begins."""
    delay_ms: float = 0.0
    """How much later than usual each response has its first output."""
    cut_after_ms: float | None = None
    """The connection is cut, without a close frame, after so much sound was sent on it."""
    stops_reading_after_ms: float | None = None
    """After so much appended sound nothing is read from the connection, which stays open; 0: from the start."""
    expires_in_s: float = 3600.0
    """The session's life, which `expires_at` tells; then `session_expired` and a close."""


def parts_of(answer: Answer) -> Sequence[Part]:
    return answer if isinstance(answer, Sequence) else (answer,)
