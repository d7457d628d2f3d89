"""What a batch of records becomes in the tables. Nothing here retries: `store.py` owns the transaction.

Every write is keyed (calls, turns, messages and recordings by what they are, events by a number given once), so a batch
whose commit was lost on the way back is simply written again.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Executable, Table, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import KeyedColumnElement

from bot.calllog.records import (
    CallEnded,
    CallStarted,
    MessageTaken,
    Record,
    RecordingWritten,
    TimelineEvent,
    TurnRecord,
)
from bot.calllog.schema import calls, events, messages, place_of, recordings, turns
from bot.calllog.storable import storable, storable_key
from bot.calllog.summing_up import sum_up
from bot.calllog.writer import Numbered

Row = dict[str, Any]
R = TypeVar("R", bound=Record)


async def write_batch(
    connection: AsyncConnection, batch: Sequence[Numbered], run: int, known_rows: Mapping[str, int]
) -> dict[str, int]:
    """Write records, each kind with one statement; returns the rows of the calls they belong to.

    A record of a call that was never started is left out, and its call is missing in what is returned. `known_rows`
    saves looking up. Raises whatever the database raises.
    """
    rows = await _write_calls(connection, (record for _, record in batch if type(record) is CallStarted), run)
    rows |= await _find_rows(connection, {record.call_id for _, record in batch} - rows.keys(), known_rows)
    by_kind: dict[type, list[Any]] = {}
    for number, record in batch:
        if record.call_id in rows:
            by_kind.setdefault(type(record), []).append((number, record))

    dialect = connection.dialect.name
    await _execute(connection, _upsert(turns, dialect), _last_turns(_records(by_kind, TurnRecord), rows))
    await _execute(connection, _insert_once(events, dialect), _event_rows(by_kind.get(TimelineEvent, []), rows))
    await _execute(connection, _upsert(messages, dialect), _child_rows(_records(by_kind, MessageTaken), rows))
    await _execute(connection, _upsert(recordings, dialect), _child_rows(_records(by_kind, RecordingWritten), rows))
    await _execute(connection, _END, [_end_row(ended, rows) for ended in _records(by_kind, CallEnded)])
    await sum_up(connection, _perhaps_over(by_kind, rows, known_rows))
    return rows


def _perhaps_over(
    by_kind: Mapping[type, list[tuple[int, Any]]], rows: Mapping[str, int], known_rows: Mapping[str, int]
) -> set[int]:
    """The calls that have just ended, and those of which more becomes known after their end."""
    told = (record for kind in (TurnRecord, TimelineEvent, MessageTaken) for record in _records(by_kind, kind))
    late = {rows[record.call_id] for record in told if record.call_id not in known_rows}
    return late | {rows[ended.call_id] for ended in _records(by_kind, CallEnded)}


def _records(by_kind: Mapping[type, list[tuple[int, Any]]], kind: type[R]) -> list[R]:
    return [record for _, record in by_kind.get(kind, [])]


async def _execute(connection: AsyncConnection, statement: Executable, rows: Sequence[Row]) -> None:
    if rows:
        await connection.execute(statement, rows)


async def _write_calls(connection: AsyncConnection, started: Iterable[CallStarted], run: int) -> dict[str, int]:
    statement = _upsert(calls, connection.dialect.name).returning(calls.c.id)
    rows = {}
    for call in started:
        row = msgspec.structs.asdict(call) | {"run": run}
        number = (await connection.execute(statement, _clean_row(row))).scalar_one()
        place = place_of(call.started_at, number)
        await connection.execute(_PLACE, {"row": number, "new_place": place})
        rows[call.call_id] = number
    return rows


_PLACE = update(calls).where(calls.c.id == bindparam("row")).values(place=bindparam("new_place"))


async def _find_rows(connection: AsyncConnection, call_ids: set[str], known: Mapping[str, int]) -> dict[str, int]:
    rows = {call_id: known[call_id] for call_id in call_ids if call_id in known}
    if missing := call_ids - rows.keys():  # ended a while ago, or started by an earlier process
        stored = select(calls.c.call_id, calls.c.id).where(calls.c.call_id.in_([storable_key(id_) for id_ in missing]))
        found = {row.call_id: row.id for row in await connection.execute(stored)}
        rows |= {call_id: found[storable_key(call_id)] for call_id in missing if storable_key(call_id) in found}
    return rows


def _last_turns(records: Iterable[TurnRecord], rows: Mapping[str, int]) -> list[Row]:
    latest = {(turn.call_id, turn.index): turn for turn in records}
    return [_turn_row(turn, rows) for turn in latest.values()]


def _turn_row(turn: TurnRecord, rows: Mapping[str, int]) -> Row:
    row = _child_row(turn, rows)
    row["turn_index"] = row.pop("index")
    return row


def _event_rows(numbered: Iterable[tuple[int, TimelineEvent]], rows: Mapping[str, int]) -> list[Row]:
    return [
        {
            "id": number,
            "call_row": rows[event.call_id],
            "at_ms": event.at_ms,
            "kind": storable(event.kind),
            "data": event.data,
        }
        for number, event in numbered
    ]


def _child_rows(records: Iterable[MessageTaken | RecordingWritten], rows: Mapping[str, int]) -> list[Row]:
    return [_child_row(record, rows) for record in records]


def _child_row(record: TurnRecord | MessageTaken | RecordingWritten, rows: Mapping[str, int]) -> Row:
    row = _clean_row(msgspec.structs.asdict(record))
    row["call_row"] = rows[record.call_id]
    del row["call_id"]
    return row


_END = (
    update(calls)
    .where(calls.c.id == bindparam("row"))
    .values({name: bindparam(f"new_{name}") for name in CallEnded.__struct_fields__ if name != "call_id"})
)


def _end_row(ended: CallEnded, rows: Mapping[str, int]) -> Row:
    values = _clean_row(msgspec.structs.asdict(ended))
    return {f"new_{name}": value for name, value in values.items() if name != "call_id"} | {"row": rows[ended.call_id]}


# What a record written again may change: everything but the row's own number, its key, and what a reader added.
_KEYS = {
    calls: ("call_id",),
    turns: ("call_row", "turn_index"),
    messages: ("call_row", "at_ms"),
    recordings: ("call_row", "path"),
}
_WRITTEN = {
    calls: {"run", *CallStarted.__struct_fields__},
    turns: {"turn_index", "call_row", *TurnRecord.__struct_fields__},
    messages: {"call_row", *MessageTaken.__struct_fields__},
    recordings: {"call_row", *RecordingWritten.__struct_fields__},
}


@cache
def _upsert(table: Table, dialect: str) -> sqlite.Insert | postgresql.Insert:
    written = _WRITTEN[table]
    keys = _KEYS[table]
    statement = _insert(table, dialect)
    changed: dict[str, KeyedColumnElement[Any] | ColumnElement[Any]] = {
        column.name: statement.excluded[column.name]
        for column in table.columns
        if column.name in written and column.name not in keys
    }
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)


@cache
def _insert_once(table: Table, dialect: str) -> sqlite.Insert | postgresql.Insert:
    return _insert(table, dialect).on_conflict_do_nothing(index_elements=["id"])


def _insert(table: Table, dialect: str) -> sqlite.Insert | postgresql.Insert:
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


_INDEXED = frozenset({"call_id", "carrier_call_id", "carrier", "bot", "from_number", "to_number", "end_reason"})


def _clean_row(row: Row) -> Row:
    for name, value in row.items():
        if type(value) is str:
            row[name] = storable_key(value) if name in _INDEXED else storable(value)
    return row
