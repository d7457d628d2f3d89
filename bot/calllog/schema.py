"""The tables of the call log, the same in SQLite and PostgreSQL.

Child rows refer to a call by its small integer (`call_row`), not by its text id: a long call has thousands of events.
Turns have an integer key of their own, so that a full-text index can stand on it. `migrations/` makes these tables; a
test holds the two to each other.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC; SQLite keeps no zone, so it is taken off on the way in and put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a wall time needs its zone: {value!r}")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


BigKey = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only in an INTEGER column
# Compared byte by byte, as SQLite does, whatever the server's language.
Key = Text().with_variant(Text(collation="C"), "postgresql")
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

runs = Table(
    "runs",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("pid_space", Text, nullable=False),  # which machine start and container the pid belongs to; "" if unknown
    Column("process_start", Text, nullable=False),  # tells the process from a later one with the same pid
    Column("opened_at", UtcDateTime, nullable=False),
    Column("heartbeat_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
)
"""One row for each process that writes: whose calls are alive, and whose were left behind by a dead one."""

calls = Table(
    "calls",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("call_id", Key, nullable=False, unique=True),
    Column("run", BigInteger, ForeignKey("runs.id"), nullable=False),
    Column("carrier", Key, nullable=False),
    Column("carrier_call_id", Key, nullable=False),
    Column("bot", Key, nullable=False),
    Column("direction", Text, nullable=False),
    Column("from_number", Key, nullable=False),
    Column("to_number", Key, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("config", Json, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("duration_ms", Integer),
    Column("end_reason", Key),
    Column("turns", Integer),
    Column("interruptions", Integer),
    Column("reply_p50_ms", Integer),
    Column("reply_p95_ms", Integer),
    Column("counters", Json),
)
# Each way of narrowing the list ends in (started_at, id), the order of the list: a page is read, never sorted.
Index("ix_calls_started", calls.c.started_at, calls.c.id)
Index("ix_calls_bot", calls.c.bot, calls.c.started_at, calls.c.id)
Index("ix_calls_carrier", calls.c.carrier, calls.c.started_at, calls.c.id)
Index("ix_calls_end_reason", calls.c.end_reason, calls.c.started_at, calls.c.id)
Index("ix_calls_from_number", calls.c.from_number, calls.c.started_at, calls.c.id)
Index("ix_calls_to_number", calls.c.to_number, calls.c.started_at, calls.c.id)
Index("ix_calls_carrier_call_id", calls.c.carrier_call_id)
Index(  # the few calls without an end: the live ones, and those of a process that died
    "ix_calls_open",
    calls.c.started_at,
    calls.c.id,
    sqlite_where=calls.c.ended_at.is_(None),
    postgresql_where=calls.c.ended_at.is_(None),
)

turns = Table(
    "turns",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("call_row", BigInteger, ForeignKey("calls.id", ondelete="CASCADE"), nullable=False),
    Column("turn_index", Integer, nullable=False),
    Column("role", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("started_ms", Integer, nullable=False),
    Column("ended_ms", Integer),
    Column("text", Text, nullable=False),
    Column("heard_text", Text),
    Column("generated_ms", Integer, nullable=False),
    Column("sent_ms", Integer, nullable=False),
    Column("heard_ms", Integer, nullable=False),
    Column("interrupted", Boolean, nullable=False),
    Column("endpointing_ms", Integer),
    Column("transcription_ms", Integer),
    Column("response_ms", Integer),
    Column("synthesis_ms", Integer),
    Column("reply_ms", Integer),
    UniqueConstraint("call_row", "turn_index"),
)

events = Table(
    "events",
    metadata,
    Column("id", BigKey, primary_key=True, autoincrement=False),  # given by the writer: twice written is once stored
    Column("call_row", BigInteger, ForeignKey("calls.id", ondelete="CASCADE"), nullable=False),
    Column("at_ms", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("data", Json, nullable=False),
)
Index("ix_events_call", events.c.call_row, events.c.at_ms)

messages = Table(
    "messages",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("call_row", BigInteger, ForeignKey("calls.id", ondelete="CASCADE"), nullable=False),
    Column("turn_index", Integer, nullable=False),
    Column("at_ms", Integer, nullable=False),
    Column("duration_ms", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("from_number", Key, nullable=False),
    Column("read_at", UtcDateTime),
    UniqueConstraint("call_row", "at_ms"),
)
Index(
    "ix_messages_unread",
    messages.c.call_row,
    sqlite_where=messages.c.read_at.is_(None),
    postgresql_where=messages.c.read_at.is_(None),
)

recordings = Table(
    "recordings",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("call_row", BigInteger, ForeignKey("calls.id", ondelete="CASCADE"), nullable=False),
    Column("path", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("rate_hz", Integer, nullable=False),
    Column("channels", Integer, nullable=False),
    Column("duration_ms", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    UniqueConstraint("call_row", "path"),
)
