"""How moments, durations, money and what callers sent look on a page: filters for the templates."""

import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from bot.calllog.excerpts import Excerpt
from bot.privacy import mask_number
from bot.review.user_agents import browser_and_system
from bot.review.visitor import Visitor

NONE = "–"
_UNSHOWN = frozenset({"Cc", "Cs", "Co"})  # control characters, halves of surrogate pairs, private use


def moment(at: datetime | None, style: str = "minute") -> Markup:
    """A `<time>` in UTC, which the page's script turns into the visitor's own time zone.

    `style` is "minute", "second" or "ago".
    """
    if at is None:
        return Markup(NONE)
    utc = at.astimezone(UTC)
    text = f"{utc:%Y-%m-%d %H:%M:%S} UTC" if style == "second" else f"{utc:%Y-%m-%d %H:%M} UTC"
    machine = utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Markup('<time datetime="{}" data-moment="{}">{}</time>').format(machine, style, text)


def duration(ms: float | None) -> str:
    """`7` → `0:00`, `187000` → `3:07`, `3723000` → `1:02:03`."""
    if ms is None:
        return NONE
    seconds = int(ms // 1000)
    hours, minutes = seconds // 3600, seconds // 60 % 60
    return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"


def delay(ms: float | None) -> str:
    """`840` → `840 ms`, `1240` → `1.2 s`: with a no-break space."""
    if ms is None:
        return NONE
    return f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.1f} s"


def money(microdollars: float | None) -> str:
    """`1_234_500` → `$1.23`; small sums keep two digits that say something: `4_200` → `$0.0042`."""
    if microdollars is None:
        return NONE
    dollars = microdollars / 1_000_000
    if dollars == 0 or abs(dollars) >= 0.1:
        return f"${dollars:,.2f}"
    return f"${dollars:.2g}" if abs(dollars) >= 0.0001 else "< $0.0001"


def count(number: float | None) -> str:
    return NONE if number is None else f"{number:,.0f}"


def size(size_bytes: float | None) -> str:
    """`384044` → `384 kB`."""
    if size_bytes is None:
        return NONE
    for unit, unit_bytes in (("GB", 1e9), ("MB", 1e6)):
        if size_bytes >= unit_bytes:
            return f"{size_bytes / unit_bytes:.1f} {unit}"
    return f"{size_bytes / 1e3:.0f} kB" if size_bytes >= 1e3 else f"{size_bytes:.0f} B"


def printable(text: str) -> str:
    """Text from outside without what a browser does not show: control characters become U+FFFD; line breaks stay.

    Marks for the direction of writing stay as well, for names need them: what holds them must be isolated, see `said`.
    """
    if text.isprintable():
        return text
    return "".join("\ufffd" if unicodedata.category(c) in _UNSHOWN and c != "\n" else c for c in text)


def said(text: str | None) -> Markup:
    """What callers, models and tools wrote, as text and nothing else, whose direction of writing ends with it."""
    return Markup("<bdi>{}</bdi>").format(printable(text or ""))


def hit_place(hit: Excerpt) -> str:
    """Where on the call's page a hit is: its moment, and the turn and letter by which words that have times find it."""
    return f"#t={hit.at_ms / 1000:.3f}&word={hit.turn_index}.{hit.letter}"


@pass_context
def masked(context: Context, number: str) -> Markup:
    """A telephone number as this visitor may see it: admins whole, anybody else enough to tell two callers apart."""
    visitor = context.get("visitor")
    is_admin = isinstance(visitor, Visitor) and visitor.is_admin
    return said(number if is_admin else mask_number(number))


@pass_context
def browser(context: Context, user_agent: str) -> str:
    """`Firefox on Linux`."""
    strings = context["t"]
    program, system = browser_and_system(user_agent)
    if program and system:
        return str(strings("account.browser.named", browser=program, system=system))
    return program or system or printable(user_agent[:40]) or str(strings("account.browser.unknown"))


FILTERS: dict[str, Callable[..., str]] = {
    "moment": moment,
    "duration": duration,
    "delay": delay,
    "money": money,
    "count": count,
    "size": size,
    "hit_place": hit_place,
    "said": said,
    "printable": printable,
    "masked": masked,
    "browser": browser,
}
