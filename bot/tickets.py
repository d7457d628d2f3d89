"""One-use passes from a webhook's answer to the media socket it names.

A carrier's media socket carries no signature that proxies do not break, so the answer to its signed webhook holds a
token that opens one socket, once, within a minute. Where several processes share a port, it begins with the number of
the one that issued it, and no other one knows it.
"""

import secrets
from dataclasses import dataclass

from bot.config import BotConfig

LIFETIME_S = 60.0


@dataclass(frozen=True, slots=True)
class Ticket:
    """The call that a token lets in."""

    call_id: str
    carrier: str
    carrier_call_id: str
    from_number: str
    to_number: str
    bot: BotConfig


def issuer_of(token: str) -> int | None:
    """The process that a token says it is from; None for one that says nothing of it."""
    number, dash, _ = token.partition("-")
    return int(number) if dash and number.isascii() and number.isdigit() and len(number) < 6 else None


class Tickets:
    def __init__(self, issuer: int = 1, lifetime_s: float = LIFETIME_S) -> None:
        self.issuer = issuer
        self._lifetime_s = lifetime_s
        self._open: dict[str, tuple[Ticket, float]] = {}

    def issue(self, ticket: Ticket, now: float) -> str:
        """A token for this call. A webhook that a carrier repeats for a call replaces the token before."""
        self._forget_expired(now)
        for token, (other, _) in list(self._open.items()):
            if (other.carrier, other.carrier_call_id) == (ticket.carrier, ticket.carrier_call_id):
                del self._open[token]
        token = f"{self.issuer}-{secrets.token_urlsafe(24)}"
        self._open[token] = (ticket, now + self._lifetime_s)
        return token

    def claim(self, token: str, carrier: str, now: float) -> Ticket | None:
        """The call that may open its socket; None for a token that is unknown, used, expired or another carrier's."""
        self._forget_expired(now)
        found = self._open.get(token)
        if found is None or found[0].carrier != carrier:
            return None
        del self._open[token]
        return found[0]

    def count(self, now: float) -> int:
        """Calls that were answered and have not opened their socket yet."""
        self._forget_expired(now)
        return len(self._open)

    def _forget_expired(self, now: float) -> None:
        for token in [token for token, (_, expires_at) in self._open.items() if expires_at <= now]:
            del self._open[token]
