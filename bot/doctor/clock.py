"""Whether this machine's clock is right, by what servers elsewhere tell of theirs (`Date`, exact to a second)."""

from collections.abc import Iterable

from bot.doctor.findings import Finding, Level

_NOTICED_S = 5.0
_HARMFUL_S = 60.0
"""Certificates and signed webhooks of other services are refused from about there on."""


def clock_findings(told: Iterable[tuple[str, float]]) -> list[Finding]:
    """`told`: (server, how far ahead of it we are in seconds). The nearest counts: one clock of many may be wrong."""
    nearest = min(told, key=lambda one: abs(one[1]), default=None)
    if nearest is None:
        return []
    server, ahead_s = nearest
    if abs(ahead_s) < _NOTICED_S:
        return [Finding("network", "clock", "ok", f"the clock agrees with that of {server}")]
    direction = "ahead of" if ahead_s > 0 else "behind"
    level: Level = "problem" if abs(ahead_s) >= _HARMFUL_S else "warning"
    says = f"the clock is {abs(ahead_s):.0f} s {direction} that of {server}"
    return [Finding("network", "clock", level, says, "let it be set by NTP: timedatectl set-ntp true")]
