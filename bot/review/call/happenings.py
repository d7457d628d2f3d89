"""Everything that happened in a call, in one list by time: events, turns and messages, each with its particulars."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from bot.calllog.detail import CallDetail
from bot.review.call.said import Said
from bot.review.formats import printable
from bot.review.strings import Strings

PAGE = 100
SHORT_CHARS = 160
LONG_CHARS = 12_000


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """`n` is its place in the list, `kind` an event's or "said_by_caller", "said_by_bot", "message"."""

    n: int
    at_ms: int
    to_ms: int  # `at_ms` where it takes no time, or none that is known
    kind: str
    facts: dict[str, Any]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One of them as a page shows it: text, of which nothing is markup."""

    n: int
    at_ms: int
    what: str
    facts: list[tuple[str, str]]


def everything(detail: CallDetail, said: list[Said]) -> list[Happening]:
    """By time; what happened at the same time in the order in which it was written."""
    found = sorted(_all(detail, said), key=lambda happening: happening.at_ms)
    return [msgspec.structs.replace(happening, n=n) for n, happening in enumerate(found)]


def _all(detail: CallDetail, said: list[Said]) -> Iterator[Happening]:
    for event in detail.events:
        yield Happening(n=0, at_ms=event.at_ms, to_ms=event.at_ms, kind=event.kind, facts=event.data)
    for turn in said:
        facts = {"text": turn.heard} | ({"unheard": turn.unheard.strip()} if turn.unheard else {})
        yield Happening(n=0, at_ms=turn.from_ms, to_ms=turn.to_ms, kind=f"said_by_{turn.role}", facts=facts)
    for message in detail.messages:
        end_ms, facts = message.at_ms + message.duration_ms, {"text": message.text}
        yield Happening(n=0, at_ms=message.at_ms, to_ms=end_ms, kind="message", facts=facts)


def lines_of(happenings: Iterable[Happening], strings: Strings, most_chars: int = SHORT_CHARS) -> list[Line]:
    """In words; a particular is no longer than that."""
    return [
        Line(
            n=each.n,
            at_ms=each.at_ms,
            what=printable(strings.find(f"call.happened.{each.kind}", each.kind)),
            facts=facts_of(each, most_chars),
        )
        for each in happenings
    ]


def facts_of(happening: Happening, most_chars: int) -> list[tuple[str, str]]:
    """Name and value of each particular, no longer than that."""
    return [(printable(str(name))[:60], shown(value, most_chars)) for name, value in happening.facts.items()]


def shown(value: Any, most_chars: int) -> str:
    """A value from outside as text; what is too long ends with `…`."""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return printable(text if len(text) <= most_chars else text[: most_chars - 1] + "…")
