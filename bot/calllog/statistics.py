"""What the calls of a period come to: by slot, by bot and by end reason, beside the stretch of time before it.

All of it comes from columns of `calls` that one index holds (`ix_calls_figures`), grouped by the database: a month with
80,000 calls is read in a fraction of a second. Reply delays are those that each call has for itself (its median and its
95th percentile); what is given for many calls is the middle one of them. The exact percentiles over all replies would
need every turn of every call, some fifty times as much to read.

Delays are counted in classes of 20 ms below 2 s, 100 ms below 10 s, and 1 s above, and told as their class's middle.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

import msgspec
from sqlalchemy import Column, ColumnElement, Row, case, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.calllog.periods import Period
from bot.calllog.schema import EPOCH, calls, milliseconds_of_place, place_of
from bot.calllog.storable import storable_key

_MS = timedelta(milliseconds=1)
_CLASSES = ((2_000, 20), (10_000, 100))
_WIDEST_MS = 1_000
_LONGEST_MS = 1 << 32  # that the database can hold, and more


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What some calls come to. Lengths, interruptions and costs are of those that are over."""

    calls: int = 0
    ended: int = 0
    duration_ms: int = 0
    interruptions: int = 0
    cost_microdollars: int | None = None  # None: no call has a price
    reply_p50_ms: int | None = None  # of the middle call: half of its replies came sooner
    reply_p95_ms: int | None = None  # of the middle call: 19 of 20 of its replies came sooner


class SlotFigures(msgspec.Struct, frozen=True, kw_only=True):
    begins_at: datetime
    figures: Figures


class BotFigures(msgspec.Struct, frozen=True, kw_only=True):
    bot: str
    figures: Figures
    calls_before: int
    calls_by_slot: list[int]


class EndReasonFigures(msgspec.Struct, frozen=True, kw_only=True):
    end_reason: str
    calls: int
    calls_before: int
    calls_by_slot: list[int]


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """Of one period, the commonest bots and end reasons first; `before` is of the stretch just as long before it."""

    since: datetime
    until: datetime
    slot_s: int
    bot: str | None
    figures: Figures
    before: Figures
    slots: list[SlotFigures]
    bots: list[BotFigures]
    end_reasons: list[EndReasonFigures]


class Delays(msgspec.Struct, frozen=True, kw_only=True):
    """Of each slot and each bot: (delay in ms, number of calls)."""

    by_slot: Mapping[int, Sequence[tuple[int, int]]] = {}
    by_bot: Mapping[str, Sequence[tuple[int, int]]] = {}


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """A period's groups as the database gives them."""

    sums: Sequence[Row[Any]] = ()  # slot, bot, end_reason, calls, duration_ms, interruptions, cost_microdollars
    p50: Delays = Delays()
    p95: Delays = Delays()


async def count_period(
    connection: AsyncConnection, period: Period, bot: str | None = None, *, with_delays_by_bot: bool = True
) -> Counted:
    """Read what the calls of a period come to; `bot` leaves out all others."""
    sums = await _sums(connection, period, bot)
    groups = _grouped(sums, "bot") if with_delays_by_bot else {}
    bots = sorted(groups, key=lambda name: -_calls_of(groups[name]))  # each call's is compared with one after the other
    p50, p95 = [
        await _delays(connection, period, bot, delay, bots) for delay in (calls.c.reply_p50_ms, calls.c.reply_p95_ms)
    ]
    return Counted(sums=sums, p50=p50, p95=p95)


def statistics_of(period: Period, bot: str | None, now: Counted, before: Counted) -> Statistics:
    """`now` was counted in `period`, `before` in the stretch of time before it."""
    by_slot, by_bot = _grouped(now.sums, "slot"), _grouped(now.sums, "bot")
    by_bot_before = _grouped(before.sums, "bot")
    slots = [
        SlotFigures(
            begins_at=begin,
            figures=_figures(by_slot[slot], now.p50.by_slot.get(slot, ()), now.p95.by_slot.get(slot, ())),
        )
        for slot, begin in enumerate(period.begins)
    ]
    bots = [
        BotFigures(
            bot=name,
            figures=_figures(by_bot[name], now.p50.by_bot.get(name, ()), now.p95.by_bot.get(name, ())),
            calls_before=_calls_of(by_bot_before[name]),
            calls_by_slot=_by_slot(by_bot[name], period.slots),
        )
        for name in {*by_bot, *by_bot_before}
    ]
    return Statistics(
        since=period.since,
        until=period.until,
        slot_s=period.step // timedelta(seconds=1),
        bot=bot,
        figures=_figures_of_all(now),
        before=_figures_of_all(before),
        slots=slots,
        bots=sorted(bots, key=lambda found: (-found.figures.calls, found.bot)),
        end_reasons=_end_reasons(period, now, before),
    )


# -- asking -----------------------------------------------------------------------------------------------------------


async def _sums(connection: AsyncConnection, period: Period, bot: str | None) -> Sequence[Row[Any]]:
    names = ("duration_ms", "interruptions", "cost_microdollars")
    each = _calls(period, bot, calls.c.end_reason, *(calls.c[name] for name in names)).subquery()
    groups = (each.c.slot, each.c.bot, each.c.end_reason)
    query = select(*groups, func.count().label("calls"), *(func.sum(each.c[name]).label(name) for name in names))
    return (await connection.execute(query.group_by(*groups))).all()


async def _delays(
    connection: AsyncConnection, period: Period, bot: str | None, delay: Column[Any], bots: Sequence[str]
) -> Delays:
    """Grouped by one number of slot, bot and class, which SQLite sorts in half the time that several take."""
    number = case({name: number for number, name in enumerate(bots)}, value=calls.c.bot, else_=len(bots))
    each = _calls(period, bot, _class_of(delay).label("ms"), (number if bots else literal(0)).label("number"))
    each = each.where(delay.is_not(None)).subquery()
    packed = (each.c.slot * (len(bots) + 1) + each.c.number) * _LONGEST_MS + each.c.ms
    key = select(packed.label("key")).subquery().c.key
    by_slot: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    by_bot: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for of_group, count in await connection.execute(select(key, func.count()).group_by(key)):
        slot, which = divmod(of_group // _LONGEST_MS, len(bots) + 1)
        by_slot[slot].append((of_group % _LONGEST_MS, count))
        if which < len(bots):
            by_bot[bots[which]].append((of_group % _LONGEST_MS, count))
    return Delays(by_slot=by_slot, by_bot=by_bot)


def _calls(period: Period, bot: str | None, *columns: ColumnElement[Any]) -> Any:
    since_ms, step_ms = (period.since - EPOCH) // _MS, period.step // _MS
    slot = (milliseconds_of_place(calls.c.place) - since_ms) // step_ms
    query = select(slot.label("slot"), calls.c.bot, *columns)
    query = query.where(calls.c.place >= place_of(period.since), calls.c.place < place_of(period.until))
    return query if bot is None else query.where(calls.c.bot == storable_key(bot))


def _class_of(delay: Column[Any]) -> ColumnElement[int]:
    """A delay's class by its middle."""
    widths = [(delay < below, delay // width * width + width // 2) for below, width in _CLASSES]
    return case(*widths, else_=delay // _WIDEST_MS * _WIDEST_MS + _WIDEST_MS // 2)


# -- putting together -------------------------------------------------------------------------------------------------


def _grouped(sums: Iterable[Row[Any]], column: str) -> defaultdict[Any, list[Row[Any]]]:
    groups: defaultdict[Any, list[Row[Any]]] = defaultdict(list)
    for row in sums:
        groups[getattr(row, column)].append(row)
    return groups


def _figures_of_all(counted: Counted) -> Figures:
    p50, p95 = [list(chain.from_iterable(delays.by_slot.values())) for delays in (counted.p50, counted.p95)]
    return _figures(counted.sums, p50, p95)


def _figures(sums: Sequence[Row[Any]], p50: Iterable[tuple[int, int]], p95: Iterable[tuple[int, int]]) -> Figures:
    costs = [int(row.cost_microdollars) for row in sums if row.cost_microdollars is not None]
    return Figures(
        calls=_calls_of(sums),
        ended=_calls_of(row for row in sums if row.end_reason is not None),
        duration_ms=sum(int(row.duration_ms or 0) for row in sums),
        interruptions=sum(int(row.interruptions or 0) for row in sums),
        cost_microdollars=sum(costs) if costs else None,
        reply_p50_ms=_middle(p50),
        reply_p95_ms=_middle(p95),
    )


def _middle(delays: Iterable[tuple[int, int]]) -> int | None:
    """The delay of the middle call."""
    ordered = sorted(delays)
    to_pass = (sum(count for _, count in ordered) + 1) // 2
    for ms, count in ordered:
        to_pass -= count
        if to_pass <= 0:
            return ms
    return None


def _end_reasons(period: Period, now: Counted, before: Counted) -> list[EndReasonFigures]:
    by_reason, by_reason_before = _grouped(now.sums, "end_reason"), _grouped(before.sums, "end_reason")
    found = [
        EndReasonFigures(
            end_reason=name,
            calls=_calls_of(by_reason[name]),
            calls_before=_calls_of(by_reason_before[name]),
            calls_by_slot=_by_slot(by_reason[name], period.slots),
        )
        for name in {*by_reason, *by_reason_before} - {None}
    ]
    return sorted(found, key=lambda reason: (-reason.calls, -reason.calls_before, reason.end_reason))


def _calls_of(sums: Iterable[Row[Any]]) -> int:
    return sum(row.calls for row in sums)


def _by_slot(sums: Iterable[Row[Any]], slots: int) -> list[int]:
    counts = [0] * slots
    for row in sums:
        counts[row.slot] += row.calls
    return counts
