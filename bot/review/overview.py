"""What the overview shows, of the figures of a range: tiles, charts with their tables, bots and end reasons, in words.

Every number carries the address of the list that is narrowed to its calls.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.calllog.periods import Range
from bot.calllog.statistics import Figures, SlotFigures, Statistics
from bot.review import charts
from bot.review.calls_query import ListQuery
from bot.review.charts import Chart, Entry
from bot.review.formats import NONE, count, delay, money
from bot.review.strings import Strings

CALLS = "/calls"
_LABEL_EVERY: dict[Range, int] = {"24h": 6, "7d": 1, "28d": 7, "90d": 15}
_NOTABLE = 0.05
"""Below that share a change for the worse or better is only a number."""
_HOUR_S = 3600

Say = Callable[[float | None], str]


@dataclass(frozen=True, slots=True)
class Change:
    """Against the stretch of time before: in per cent, and what it was. `kind` is a flag's: plain, ok or warning."""

    text: str
    was: str
    kind: str = "plain"


@dataclass(frozen=True, slots=True)
class Tile:
    name: str
    value: str
    note: str
    change: Change | None
    href: str


@dataclass(frozen=True, slots=True)
class Row:
    """A slot in the table behind a chart."""

    label: str
    href: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart, and the table behind it with a column for each of `columns`."""

    name: str
    chart: Chart
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class BotLine:
    bot: str
    href: str
    spark: list[float]
    figures: Figures
    minutes: str
    a_call: str
    change: Change | None


@dataclass(frozen=True, slots=True)
class EndLine:
    words: str
    href: str
    spark: list[float]
    calls: int
    share: str
    share_before: str


class Overview:
    """The view of one range; all words come from `words`."""

    def __init__(self, statistics: Statistics, range_: Range, words: Strings) -> None:
        self._found = statistics
        self._range = range_
        self._words = words
        self._by_hour = statistics.slot_s == _HOUR_S
        self._entries = self._slot_entries()

    def address(self, since: str | None = None, until: str | None = None, **narrowed: str) -> str:
        """The list of this range's calls, narrowed further."""
        values = {"since": since or self._moment(self._found.since), **narrowed}
        if until is not None:
            values["until"] = until
        if self._found.bot is not None:
            values["bot"] = self._found.bot
        return ListQuery(values=values).address(CALLS)

    def tiles(self) -> list[Tile]:
        now, before = self._found.figures, self._found.before
        a_call = _ratio(now.interruptions, now.ended)
        rows: list[tuple[str, float | None, float | None, Say, str, bool]] = [
            ("calls", now.calls, before.calls, count, self._average_calls(now), False),
            ("minutes", now.duration_ms, before.duration_ms, minutes, self._average_length(now), False),
            ("cost", now.cost_microdollars, before.cost_microdollars, money, self._average_cost(now), False),
            ("reply_p50", now.reply_p50_ms, before.reply_p50_ms, delay, self._words("overview.note.reply_p50"), True),
            ("reply_p95", now.reply_p95_ms, before.reply_p95_ms, delay, self._words("overview.note.reply_p95"), True),
            ("interruptions", a_call, _ratio(before.interruptions, before.ended), decimal,
             self._words("overview.note.interruptions", count=count(now.interruptions)), True),
        ]  # fmt: skip
        return [
            Tile(
                name,
                say(value),
                note,
                _change(value, was, _SHORTER.get(say, say), more_is_worse=is_worse),
                self.address(),
            )
            for name, value, was, say, note, is_worse in rows
        ]

    def figures(self) -> list[Figure]:
        """The charts in their order; costs only where calls have a price."""
        slots = [slot.figures for slot in self._found.slots]
        costs = [slot.cost_microdollars for slot in slots]
        made = [
            self._bars("calls", [slot.calls for slot in slots], count, whole=True),
            self._delays(slots),
            self._bars("minutes", [slot.duration_ms / 60_000 for slot in slots], short),
            self._bars("interruptions", [_ratio(slot.interruptions, slot.ended) for slot in slots], decimal),
        ]
        if any(costs):
            made.insert(3, self._bars("cost", costs, money))
        return made

    def bots(self) -> list[BotLine]:
        return [
            BotLine(
                bot=found.bot,
                href=ListQuery(values={"since": self._moment(self._found.since), "bot": found.bot}).address(CALLS),
                spark=charts.spark(found.calls_by_slot),
                figures=found.figures,
                minutes=minutes(found.figures.duration_ms),
                a_call=decimal(_ratio(found.figures.interruptions, found.figures.ended)),
                change=_change(found.figures.calls, found.calls_before, count),
            )
            for found in self._found.bots
        ]

    def end_reasons(self) -> list[EndLine]:
        ended, before = self._found.figures.ended, self._found.before.ended
        return [
            EndLine(
                words=self._words.find(f"calls.end_reasons.{found.end_reason}", found.end_reason),
                href=self.address(end_reason=found.end_reason),
                spark=charts.spark(found.calls_by_slot),
                calls=found.calls,
                share=percent(found.calls / max(1, ended)),
                share_before=percent(found.calls_before / before) if before else NONE,
            )
            for found in self._found.end_reasons
        ]

    # -- slots --------------------------------------------------------------------------------------------------------

    def _slot_entries(self) -> list[tuple[str, str, str]]:
        """The short name, the whole name and the address of each slot."""
        entries = [
            (self._short(slot.begins_at), self._whole(slot.begins_at), self._slot_address(slot))
            for slot in self._found.slots
        ]
        short_name, whole_name, address = entries[-1]  # is not over yet
        return [*entries[:-1], (short_name, self._words("overview.so_far", slot=whole_name), address)]

    def _slot_address(self, slot: SlotFigures) -> str:
        begin = slot.begins_at
        if self._by_hour:
            return self.address(self._moment(begin), self._moment(begin + timedelta(hours=1)))
        return self.address(self._moment(begin), self._moment(begin))

    def _moment(self, at: datetime) -> str:
        """As the list's address has it: a UTC day, or an hour."""
        return f"{at:%Y-%m-%dT%H:%MZ}" if self._by_hour else f"{at:%Y-%m-%d}"

    def _short(self, at: datetime) -> str:
        """What fits below a bar on a telephone."""
        if self._by_hour:
            return f"{at:%H:%M}"
        return self._weekday(at) if self._range == "7d" else self._day(at)

    def _whole(self, at: datetime) -> str:
        if self._by_hour:
            return self._words("overview.hour", day=self._day(at), hour=f"{at:%H:%M}")
        return self._words("overview.whole_day", weekday=self._weekday(at), day=self._day(at))

    def _weekday(self, at: datetime) -> str:
        return self._words(f"overview.weekday.{at.isoweekday()}")

    def _day(self, at: datetime) -> str:
        return self._words("overview.day", day=at.day, month=self._words(f"overview.month.{at.month}"))

    # -- charts -------------------------------------------------------------------------------------------------------

    def _bars(self, name: str, values: Sequence[float | None], say: Say, *, whole: bool = False) -> Figure:
        said = [(say(value),) for value in values]
        column = self._words(f"overview.chart.{name}.column")
        entries = self._chart_entries([f"{column} {cells[0]}" for cells in said])
        chart = charts.bar_chart(entries, values, say, whole=whole)
        return self._figure(name, chart, (column,), said)

    def _delays(self, slots: Sequence[Figures]) -> Figure:
        p50, p95 = [slot.reply_p50_ms for slot in slots], [slot.reply_p95_ms for slot in slots]
        columns = tuple(self._words(f"overview.line.{name}") for name in ("p50", "p95"))
        said = [(delay(typical), delay(slow)) for typical, slow in zip(p50, p95, strict=True)]
        says = [", ".join(f"{column} {cell}" for column, cell in zip(columns, cells, strict=True)) for cells in said]
        chart = charts.line_chart(
            self._chart_entries(says), [("p50", p50), ("p95", p95)], _axis_of_delays([*p50, *p95])
        )
        return self._figure("reply", chart, columns, said)

    def _chart_entries(self, says: Sequence[str]) -> list[Entry]:
        last, every = len(self._entries) - 1, _LABEL_EVERY[self._range]
        return [
            Entry(label=short if (last - at) % every == 0 else "", says=f"{whole}: {text}", href=href)
            for at, ((short, whole, href), text) in enumerate(zip(self._entries, says, strict=True))
        ]

    def _figure(self, name: str, chart: Chart, columns: tuple[str, ...], cells: Sequence[tuple[str, ...]]) -> Figure:
        rows = tuple(Row(whole, href, texts) for (_, whole, href), texts in zip(self._entries, cells, strict=True))
        return Figure(name, chart, columns, rows)

    # -- notes --------------------------------------------------------------------------------------------------------

    def _average_calls(self, figures: Figures) -> str:
        step = timedelta(seconds=self._found.slot_s)
        average = figures.calls / ((self._found.until - self._found.since) / step)
        return self._words(f"overview.note.{'hourly' if self._by_hour else 'daily'}", count=short(average))

    def _average_length(self, figures: Figures) -> str:
        if not figures.ended:
            return ""
        seconds = figures.duration_ms // figures.ended // 1000
        return self._words("overview.note.minutes", length=f"{seconds // 60}:{seconds % 60:02}")

    def _average_cost(self, figures: Figures) -> str:
        if not figures.ended or figures.cost_microdollars is None:
            return self._words("overview.note.no_cost")
        return self._words("overview.note.cost", cost=money(figures.cost_microdollars / figures.ended))


def minutes(duration_ms: float | None) -> str:
    """`90000` → `1.5 min`, `3600000` → `60 min`: with a no-break space."""
    return NONE if duration_ms is None else f"{short(duration_ms / 60_000)}\u00a0min"


def short(number: float | None) -> str:
    """One decimal below ten, where there is one."""
    if number is None:
        return NONE
    return f"{number:.1f}".removesuffix(".0") if abs(number) < 9.95 else count(number)


def decimal(number: float | None) -> str:
    """Up to two decimals."""
    return NONE if number is None else f"{number:.2f}".removesuffix("0").removesuffix(".0")


def percent(share: float) -> str:
    return f"{share:.1%}"


def _axis_of_delays(values: Sequence[float | None]) -> Callable[[float], str]:
    """All ticks in one unit."""
    if max((value for value in values if value is not None), default=0) >= 1000:
        return lambda ms: f"{ms / 1000:g}\u00a0s"
    return lambda ms: f"{ms:g}\u00a0ms"


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _minutes_alone(duration_ms: float | None) -> str:
    return short(None if duration_ms is None else duration_ms / 60_000)


_SHORTER: dict[Say, Say] = {minutes: _minutes_alone}
"""How a number is told beside one that has its unit already."""


def _change(now: float | None, before: float | None, say: Say, *, more_is_worse: bool = False) -> Change | None:
    """None where there was nothing to compare with."""
    if now is None or not before:
        return None
    share = now / before - 1
    text = f"{share:+.0%}".replace("-", "\u2212") if abs(share) >= 0.005 else "\u00b10%"
    kind = "plain"
    if more_is_worse and abs(share) >= _NOTABLE:
        kind = "warning" if share > 0 else "ok"
    return Change(text, say(before), kind)
