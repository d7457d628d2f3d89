"""What a check has found, in a sentence, and what to do about it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec

Level = Literal["ok", "warning", "problem"]
Area = Literal["configuration", "carrier", "network", "engines", "storage", "service"]
AREAS: tuple[Area, ...] = ("configuration", "carrier", "network", "engines", "storage", "service")


class Finding(msgspec.Struct, frozen=True):
    area: Area
    subject: str
    """What was looked at: an account, a number, a model, a folder."""
    level: Level
    says: str
    remedy: str = ""
    """What to do; empty where all is well."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    at: datetime
    findings: list[Finding]

    @property
    def problems(self) -> int:
        return count(self.findings, "problem")

    @property
    def warnings(self) -> int:
        return count(self.findings, "warning")

    def of(self, area: Area) -> list[Finding]:
        return [finding for finding in self.findings if finding.area == area]


def count(findings: Iterable[Finding], level: Level) -> int:
    return sum(finding.level == level for finding in findings)
