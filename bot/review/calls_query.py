"""What a reviewer has asked the list of calls for: a form's fields, which are the page's address too, as a filter.

A field that nobody filled in is no condition. What makes no sense is told in a sentence and left out of account, so
that a mistyped address still shows a list.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import get_args
from urllib.parse import urlencode

import msgspec

from bot.calllog.filters import MAX_MS, CallFilter, Verdict
from bot.calllog.schema import TOP
from bot.calllog.summing_up import FLAGS

LONGEST_TEXT = 400
SINGLE = ("q", "bot", "carrier", "number", "end_reason", "tool", "tag", "verdict", "since", "until", "min_s", "max_s")
_VERDICTS = (*get_args(Verdict), "none")
_LEAST_PART = 3


class ListQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The fields as they came, those that make sense; `problems` names the others."""

    values: Mapping[str, str] = {}
    flags: tuple[str, ...] = ()
    unread: bool = False
    before: int = TOP
    problems: tuple[str, ...] = ()

    @property
    def is_narrowed(self) -> bool:
        return bool(self.values or self.flags or self.unread)

    def pairs(self, *, without: tuple[str, str] | None = None) -> list[tuple[str, str]]:
        """Every condition as name and value, in a fixed order; `without` leaves one of them out."""
        pairs = [(name, self.values[name]) for name in SINGLE if name in self.values]
        pairs += [("flag", flag) for flag in self.flags]
        pairs += [("unread", "1")] if self.unread else []
        return [pair for pair in pairs if pair != without]

    def address(self, path: str, *, without: tuple[str, str] | None = None, before: int | None = None) -> str:
        pairs = self.pairs(without=without) + ([] if before is None else [("before", str(before))])
        return f"{path}?{urlencode(pairs)}" if pairs else path


def read(fields: Sequence[tuple[str, str]]) -> ListQuery:
    """A query string's names and values."""
    given = {name: value.strip() for name, value in fields if name in SINGLE and value.strip()}
    problems = [name for name, value in given.items() if not _makes_sense(name, value)]
    flags = tuple(dict.fromkeys(value for name, value in fields if name == "flag" and value in FLAGS))
    before = next((value for name, value in fields if name == "before"), "")
    return ListQuery(
        values={name: value for name, value in given.items() if name not in problems},
        flags=flags,
        unread=("unread", "1") in fields,
        before=int(before) if before.isascii() and before.isdigit() and int(before) <= TOP else TOP,
        problems=tuple(problems),
    )


def calls_meant(query: ListQuery, *, is_admin: bool) -> CallFilter:
    """A number is looked for whole, by admins also in part."""
    value = query.values.get
    number = value("number")
    is_part = number is not None and is_admin and not number.startswith("+") and len(number) >= _LEAST_PART
    since, until = value("since"), value("until")
    return CallFilter(
        text=value("q"),
        bot=value("bot"),
        carrier=value("carrier"),
        number=None if is_part else number,
        number_part=number if is_part else None,
        end_reason=value("end_reason"),
        tool=value("tool"),
        tag=value("tag"),
        verdict=value("verdict"),
        since=None if since is None else _begin(since),
        until=None if until is None else _end(until),
        min_ms=_ms(value("min_s")),
        max_ms=_ms(value("max_s")),
        flags=query.flags,
        has_unread_message=True if query.unread else None,
    )


def _makes_sense(name: str, value: str) -> bool:
    match name:
        case "since" | "until":
            return _begin(value) is not None
        case "min_s" | "max_s":
            return value.isascii() and value.isdigit() and int(value) * 1000 <= MAX_MS
        case "verdict":
            return value in _VERDICTS
        case "q":
            return len(value) <= LONGEST_TEXT
        case _:
            return len(value) <= 256


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1970 < day.year < 9000 else None


def _begin(text: str) -> datetime | None:
    """Of a day, in UTC as all times of the call log; a moment (`2026-11-20T14:00Z`) is its own beginning."""
    day = _day(text)
    return _moment(text) if day is None else datetime.combine(day, time(), UTC)


def _end(text: str) -> datetime | None:
    """The first moment after a day; a moment is its own end."""
    day = _day(text)
    return _moment(text) if day is None else datetime.combine(day + timedelta(days=1), time(), UTC)


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None and 1970 < moment.year < 9000 else None


def _ms(seconds: str | None) -> int | None:
    return None if seconds is None else int(seconds) * 1000
