"""Calls as text for other programs: CSV (a line a call), JSON Lines (a call whole on each line), JSON (an array).

Texts in it came from callers and carriers. JSON escapes what must be escaped; in CSV a cell that a spreadsheet would
take for a formula gets an apostrophe in front (OWASP, "CSV injection"), except a plain telephone number, which is none.
"""

import csv
import io
import re
from collections.abc import AsyncIterator, Iterable
from typing import Any

import msgspec

from bot.calllog.detail import CallDetail, CallSummary
from bot.calllog.records import TurnRecord

_OURS = ("row", "place")  # mean nothing outside this database
COLUMNS = tuple(name for name in CallSummary.__struct_fields__ if name not in _OURS)

_NUMBER = re.compile(r"\+[0-9]{1,15}")
_FORMULA = re.compile(r"[\s\0]*[=+\-@＝＋－＠]|[\t\r\n]")  # what spreadsheets read as a formula's beginning


def csv_line(cells: Iterable[object]) -> str:
    """One CSV line (RFC 4180) with its line end; None is an empty cell."""
    line = io.StringIO()
    csv.writer(line).writerow([_cell(cell) for cell in cells])
    return line.getvalue()


def _cell(cell: object) -> object:
    if isinstance(cell, list):
        cell = " ".join(cell)
    if not isinstance(cell, str) or _NUMBER.fullmatch(cell) or not _FORMULA.match(cell):
        return cell
    return "'" + cell


def csv_turns(detail: CallDetail) -> str:
    """One call's conversation, a line a turn."""
    columns = TurnRecord.__struct_fields__
    lines = [csv_line(columns)]
    lines += [csv_line(getattr(turn, name) for name in columns) for turn in detail.turns]
    return "".join(lines)


def json_call(call: CallSummary | CallDetail) -> str:
    """A call as one line of JSON, without the numbers that only this database knows."""
    return msgspec.json.encode(_plain(call)).decode()


def _plain(call: CallSummary | CallDetail) -> dict[str, Any]:
    """The list's line, with the turns and messages themselves instead of their number, and the rest behind it."""
    values: dict[str, Any] = msgspec.to_builtins(call)
    if isinstance(call, CallSummary):
        return _without_ours(values)
    summary = _without_ours(values.pop("call"))
    for kind in ("turns", "events", "recordings"):
        for child in values[kind]:
            del child["call_id"]
    return {**summary, **values}


def _without_ours(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in _OURS}


async def csv_lines(calls: AsyncIterator[CallSummary]) -> AsyncIterator[str]:
    yield csv_line(COLUMNS)
    async for call in calls:
        values = msgspec.to_builtins(call)
        yield csv_line(values[name] for name in COLUMNS)


async def json_lines(calls: AsyncIterator[CallDetail]) -> AsyncIterator[str]:
    async for call in calls:
        yield json_call(call) + "\n"


async def json_array(calls: AsyncIterator[CallSummary] | AsyncIterator[CallDetail]) -> AsyncIterator[str]:
    """One JSON array, written as it is read."""
    separator = "[\n"
    async for call in calls:
        yield separator + json_call(call)
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"
