"""Stretches of time that figures are made for: the last day by hours, or the last weeks by UTC days, up to now.

A period begins with a whole hour or day, so that each of its slots is one that the list of calls can be narrowed to.
It is compared with a stretch just as long: the 7 days up to now with the 7 days up to this time a week ago, so that no
half day is held against a whole one.
"""

from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

Range = Literal["24h", "7d", "28d", "90d"]

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_SLOTS: dict[Range, tuple[int, timedelta]] = {
    "24h": (24, _HOUR),
    "7d": (7, _DAY),
    "28d": (28, _DAY),
    "90d": (90, _DAY),
}
RANGES: tuple[Range, ...] = tuple(_SLOTS)


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """From `since` until before `until`; `slots` pieces of `step` each, of which the last may not be over yet."""

    since: datetime
    until: datetime
    step: timedelta
    slots: int

    @property
    def begins(self) -> list[datetime]:
        """When each slot begins."""
        return [self.since + self.step * slot for slot in range(self.slots)]

    @property
    def before(self) -> "Period":
        """The stretch that this one is compared with, as a single slot."""
        whole = self.step * self.slots
        return Period(since=self.since - whole, until=self.until - whole, step=whole, slots=1)


def period_of(range_: Range, now: datetime) -> Period:
    """The period that ends `now`; its last slot is the hour or UTC day that is going on."""
    slots, step = _SLOTS[range_]
    utc = now.astimezone(UTC)
    going_on = utc.replace(minute=0, second=0, microsecond=0)
    if step == _DAY:
        going_on = going_on.replace(hour=0)
    return Period(since=going_on - step * (slots - 1), until=utc, step=step, slots=slots)
