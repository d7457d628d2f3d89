"""A call that is going on: what is known of it, and who wants to hear of its progress."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime

FINAL_STATUSES = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


@dataclass(frozen=True, slots=True)
class Document:
    """TwiML that a call goes on with: to be fetched, or as it stands."""

    url: str = ""
    method: str = "POST"
    fields: Mapping[str, str] = field(default_factory=dict)  # what the request says besides the usual
    body: str | None = None


@dataclass(slots=True)
class LiveCall:
    """One emulated call as the carrier's account sees it; wall-clock times, as its API shows them."""

    call_sid: str
    account_sid: str
    from_number: str
    to_number: str
    status: str = "ringing"
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    interrupted: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the REST API was asked for something else than what the call does now."""
    is_hung_up: bool = False
    redirect: Document | None = None
    on_status: Callable[["LiveCall"], None] | None = None

    @property
    def is_over(self) -> bool:
        return self.status in FINAL_STATUSES

    @property
    def duration_s(self) -> int:
        """Whole seconds since the answer, rounded up as they are billed."""
        if self.answered_at is None:
            return 0
        return -int(-((self.ended_at or datetime.now(UTC)) - self.answered_at).total_seconds() // 1)

    def become(self, status: str) -> None:
        """Enter another status; final ones are not left again."""
        if self.is_over or status == self.status:
            return
        self.status = status
        if status == "in-progress":
            self.answered_at = datetime.now(UTC)
        if self.is_over:
            self.ended_at = datetime.now(UTC)
        if self.on_status is not None:
            self.on_status(self)

    def hang_up(self) -> None:
        """The REST API was asked to end the call."""
        self.become("completed")
        self.is_hung_up = True
        self.interrupted.set()

    def go_on_with(self, document: Document) -> None:
        """The REST API has new instructions, which replace whatever the call does."""
        self.redirect = document
        self.interrupted.set()

    def take_redirect(self) -> Document | None:
        """The new instructions, once."""
        redirect, self.redirect = self.redirect, None
        if redirect is not None:
            self.interrupted.clear()
        return redirect

    def form(self) -> dict[str, str]:
        """What every request about the call says of it, Twilio's many blank and legacy fields included."""
        places = {f"{end}{part}": "" for end in ("Called", "Caller", "From", "To") for part in ("City", "State", "Zip")}
        return places | {
            "AccountSid": self.account_sid,
            "ApiVersion": "2010-04-01",
            "CallSid": self.call_sid,
            "CallStatus": self.status,
            "Called": self.to_number,
            "CalledCountry": "US",
            "Caller": self.from_number,
            "CallerCountry": "US",
            "Direction": "inbound",
            "From": self.from_number,
            "FromCountry": "US",
            "StirVerstat": "TN-Validation-Passed-A",
            "To": self.to_number,
            "ToCountry": "US",
        }

    def progress_form(self, sequence: int) -> dict[str, str]:
        """A status callback's fields."""
        fields = self.form() | {
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(sequence),
            "Timestamp": format_datetime(datetime.now(UTC)),
        }
        if self.is_over:
            fields |= {"CallDuration": str(self.duration_s), "Duration": str(-(-self.duration_s // 60))}
        return fields
