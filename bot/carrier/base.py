"""What every carrier must be able to do: small protocols, none of which does I/O.

`Line` is where calls come in and can be steered; `Carrier` is one that announces them by webhooks, with signatures;
`MediaStream` is one call's audio socket. Adding a carrier is one new file beside this one that implements them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.events import Event
from media.frame import AudioFormat


@dataclass(frozen=True, slots=True)
class Webhook:
    """One HTTP request from a carrier, as it came: nothing is decoded or re-encoded before the signature is checked."""

    method: str
    raw_path: str  # path and query exactly as on the request line, a bare trailing "?" included
    headers: Mapping[str, str]  # case-insensitive
    body: bytes


@dataclass(frozen=True, slots=True)
class IncomingCall:
    carrier_call_id: str
    from_number: str  # E.164, or whatever the carrier says of an anonymous or SIP caller
    to_number: str


@dataclass(frozen=True, slots=True)
class CallProgress:
    """What a status callback says of a call; `is_final` statuses never change again."""

    carrier_call_id: str
    status: str
    is_final: bool
    sequence: int  # callbacks may arrive out of order


@dataclass(frozen=True, slots=True)
class Answer:
    """The body of our reply to a webhook."""

    body: str
    content_type: str


@dataclass(frozen=True, slots=True)
class RestRequest:
    """A call to the carrier's REST API, described; the runner performs it."""

    method: str
    url: str
    form: Sequence[tuple[str, str]]
    username: str
    password: str


class MediaStream(Protocol):
    """One call's media socket, without the socket. Outgoing messages need the stream to have started."""

    audio: AudioFormat

    def receive(self, message: str | bytes) -> Sequence[Event]:
        """What one message means. Unknown messages mean nothing; impossible ones raise `CarrierError`."""

    def media(self, payload: bytes) -> str: ...

    def mark(self, name: str) -> str: ...

    def clear(self) -> str: ...


class Line(Protocol):
    name: str

    def is_handshake_signed(self, handshake: Webhook) -> bool:
        """Whether a media socket's upgrade request carries the carrier's signature as well."""

    def open_stream(self) -> MediaStream: ...

    def hang_up(self, carrier_call_id: str) -> RestRequest | None:
        """The request that ends a call; None without credentials (closing the socket must do, then)."""

    def transfer(self, carrier_call_id: str, destination: str, caller_id: str, regret: str) -> RestRequest | None:
        """The request that hands the caller over to a number or sip: address, which sees `caller_id`.

        If nobody answers there the caller hears `regret` and the call ends. None where there is no such request.
        """

    def is_done(self, status: int, body: str) -> bool:
        """Whether a REST answer means that what was asked for is done, or the call over already."""


class Carrier(Line, Protocol):
    def check(self, webhook: Webhook) -> None:
        """Raise `SignatureError` unless the carrier signed this request."""

    def incoming(self, webhook: Webhook) -> IncomingCall:
        """Who calls whom; raises `CarrierError` where the request does not say."""

    def answer(self, media_path: str, parameters: Mapping[str, str]) -> Answer:
        """Connect the call to our media socket, and hang up when we close it."""

    def refuse(self, spoken: str, language: str) -> Answer:
        """Say one sentence and hang up."""

    def progress(self, webhook: Webhook) -> CallProgress: ...

    def after_transfer(self, webhook: Webhook, regret: str, language: str) -> Answer:
        """What comes when somebody hung up or nobody answered: the end, and `regret` before it if they never talked."""
