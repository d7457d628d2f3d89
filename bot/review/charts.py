"""Charts as shapes: where bars, lines, ticks and labels are; `templates/charts.html` draws them as SVG.

Across, everything is in per cent of the drawing's width, so that one drawing fits every screen and its letters keep
their size; down, in pixels. Axes begin at zero. Nothing here knows what is charted.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

HEIGHT = 150
"""Of the plot in pixels: from the zero line up to the topmost tick."""
_BAR_SHARE = 0.72
_STEPS = (1, 2, 5, 10)
_TICKS = 4


@dataclass(frozen=True, slots=True)
class Tick:
    y: float
    label: str


@dataclass(frozen=True, slots=True)
class Slot:
    """One place across: its column, its name below the axis ("" for none), what it says and where it leads."""

    x: float
    width: float
    middle: float
    label: str
    says: str
    href: str


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Segment:
    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True, slots=True)
class Line:
    """What joins neighbours that both have a value, and a point for each value."""

    name: str
    segments: tuple[Segment, ...]
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    slots: tuple[Slot, ...]
    ticks: tuple[Tick, ...]
    bars: tuple[Bar | None, ...] = ()  # one a slot
    lines: tuple[Line, ...] = ()

    @property
    def height(self) -> int:
        return HEIGHT


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a slot before it has a place; its `label` is "" where there is no room for one."""

    label: str
    says: str
    href: str


Values = Sequence[float | None]


def bar_chart(entries: Sequence[Entry], values: Values, say: Callable[[float], str], *, whole: bool = False) -> Chart:
    """One bar a slot; None has no bar. `say` writes a tick's label; `whole`: there is nothing between 0 and 1."""
    top, ticks = _axis(values, say, whole=whole)
    slots = _slots(entries)
    bars = tuple(_bar(slot, value, top) for slot, value in zip(slots, values, strict=True))
    return Chart(slots=slots, ticks=ticks, bars=bars)


def line_chart(entries: Sequence[Entry], lines: Sequence[tuple[str, Values]], say: Callable[[float], str]) -> Chart:
    """One line for each name; where a slot has no value the line has a hole."""
    top, ticks = _axis([value for _, values in lines for value in values], say)
    slots = _slots(entries)
    return Chart(slots=slots, ticks=ticks, lines=tuple(_line(name, slots, values, top) for name, values in lines))


def spark(values: Sequence[float]) -> list[float]:
    """Small bars beside a number: each from 0 to 1 of the greatest."""
    greatest = max(values, default=0)
    return [value / greatest if greatest else 0.0 for value in values]


def _axis(values: Values, say: Callable[[float], str], *, whole: bool = False) -> tuple[float, tuple[Tick, ...]]:
    """What the top of the plot stands for, and the ticks from zero up to it."""
    greatest = max((value for value in values if value is not None), default=0) or 1
    step = _round_step(greatest / _TICKS)
    if whole:
        step = max(1, step)
    count = math.ceil(greatest / step - 1e-9)
    above = (Tick(round(HEIGHT - HEIGHT * number / count, 1), say(number * step)) for number in range(1, count + 1))
    return count * step, (Tick(HEIGHT, "0"), *above)


def _round_step(least: float) -> float:
    """The next of 1, 2, 5, 10, 20, …: what people count in."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in _STEPS if step * power >= least * (1 - 1e-9))


def _slots(entries: Sequence[Entry]) -> tuple[Slot, ...]:
    count = len(entries)
    return tuple(
        Slot(
            x=_percent(at / count),
            width=_percent(1 / count),
            middle=_percent((at + 0.5) / count),
            label=entry.label,
            says=entry.says,
            href=entry.href,
        )
        for at, entry in enumerate(entries)
    )


def _bar(slot: Slot, value: float | None, top: float) -> Bar | None:
    if not value:
        return None
    height = max(1.5, HEIGHT * value / top)  # what is there can be seen
    width = slot.width * _BAR_SHARE
    return Bar(round(slot.middle - width / 2, 3), round(HEIGHT - height, 1), round(width, 3), round(height, 1))


def _line(name: str, slots: Sequence[Slot], values: Values, top: float) -> Line:
    places = [
        None if value is None else (slot.middle, round(HEIGHT - HEIGHT * value / top, 1))
        for slot, value in zip(slots, values, strict=True)
    ]
    neighbours = pairwise(places)
    return Line(
        name=name,
        segments=tuple(Segment(*left, *right) for left, right in neighbours if left and right),
        points=tuple(place for place in places if place),
    )


def _percent(share: float) -> float:
    return round(share * 100, 3)
