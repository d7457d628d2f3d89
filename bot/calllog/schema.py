"""The tables of the call log, the same in SQLite and PostgreSQL.

Child rows refer to a call by its small integer (`call_row`), not by its text id: a long call has thousands of events.
`migrations/` makes these tables, and what no common words exist for: the full-text index (SQLite: the FTS5 table
`call_search` on `call_words`; PostgreSQL: a GIN index on what its function `call_entries` makes of `call_words`). A
test holds the two to each other.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    literal_column,
    text,
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


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)

BigKey = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only in an INTEGER column
# Compared byte by byte, as SQLite does, whatever the server's language.
Key = Text().with_variant(Text(collation="C"), "postgresql")
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

WORDS_VERSION = 2
"""How `call_words` stand in the index at present; upkeep brings those there that an older Offhook has written."""

INDEX_VERSION = 1
"""How calls are summed up at present; 0 is not yet. A migration that changes it sets 0, and upkeep does the rest."""

TOP = (1 << 63) - 1
"""Above every call's place, which databases keep in 63 bits: enough until the year 2248."""
_TIE_BITS = 20


def place_of(moment: datetime, row: int = 0) -> int:
    """Where a call that began then stands in the list: by its millisecond, and within one by its row.

    One number, so that a page of the list, of a filter and of a search all continue below the same one.
    """
    ms = max(0, (moment - EPOCH) // _MS)
    return min((ms << _TIE_BITS) | (row & ((1 << _TIE_BITS) - 1)), TOP - 1)


def milliseconds_of_place(place: ColumnElement[int]) -> ColumnElement[int]:
    """When a call began, in milliseconds since 1970, from its place in the list."""
    return place.bitwise_rshift(literal_column(str(_TIE_BITS)))


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
    # Where the call stands in the list (`place_of`); None hides it: it is being deleted.
    Column("place", BigInteger),
    # What summing up adds when the call is over, and again when more becomes known of it.
    Column("index_version", SmallInteger, nullable=False, server_default="0"),
    Column("cost_microdollars", BigInteger),
    Column("flags", Json),
    Column("tools", Json),
    # What the latest of `reviews` says.
    Column("verdict", Key),
    Column("note", Text),
)
Index("ix_calls_place", calls.c.place, unique=True)
# Each way of narrowing the list ends in its order: a page is read, never sorted.
Index("ix_calls_bot", calls.c.bot, calls.c.place)
Index("ix_calls_carrier", calls.c.carrier, calls.c.place)
Index("ix_calls_end_reason", calls.c.end_reason, calls.c.place)
Index("ix_calls_from_number", calls.c.from_number, calls.c.place)
Index("ix_calls_to_number", calls.c.to_number, calls.c.place)
Index("ix_calls_carrier_call_id", calls.c.carrier_call_id)
Index(  # all that `statistics.py` reads: the rows themselves hold much more
    "ix_calls_figures",
    calls.c.place,
    calls.c.bot,
    calls.c.end_reason,
    calls.c.duration_ms,
    calls.c.interruptions,
    calls.c.reply_p50_ms,
    calls.c.reply_p95_ms,
    calls.c.cost_microdollars,
)
Index(  # the few calls without an end: the live ones, and those of a process that died
    "ix_calls_open",
    calls.c.place,
    sqlite_where=calls.c.ended_at.is_(None),
    postgresql_where=calls.c.ended_at.is_(None),
)
Index(  # those, and calls of an older Offhook that are yet to be summed up
    "ix_calls_unindexed",
    calls.c.place,
    sqlite_where=calls.c.index_version == text("0"),
    postgresql_where=calls.c.index_version == text("0"),
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

call_words = Table(
    "call_words",
    metadata,
    Column("place", BigKey, primary_key=True, autoincrement=False),
    Column("call_row", BigInteger, ForeignKey("calls.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("terms", Text, nullable=False),
    Column("turn_indices", Text, nullable=False),
    Column("version", SmallInteger, nullable=False, server_default="1"),
)
"""What a call can be found by: the words of each turn, each turn begun by `_`, and then its facets, one space between.

`turn_indices` has the index of each of these turns. Written by `search_entries.py` only.
"""
Index(
    "ix_call_words_older",
    call_words.c.place,
    sqlite_where=text("version < 2"),
    postgresql_where=text("version < 2"),
)

said_words = Table(
    "said_words",
    metadata,
    Column("word", Key, primary_key=True),
)
"""Each word that is said in a call, once; what the beginning of a word may mean."""

own_numbers = Table(
    "own_numbers",
    metadata,
    Column("number", Key, primary_key=True),
)
"""Each of our numbers that had a call, once: what a part of it may mean."""

call_tags = Table(
    "call_tags",
    metadata,
    Column("call_row", BigInteger, ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True),
    Column("tag", Key, primary_key=True),
)
Index("ix_call_tags_tag", call_tags.c.tag)

reviews = Table(
    "reviews",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("call_row", BigInteger, ForeignKey("calls.id", ondelete="CASCADE"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("by", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("value", Text, nullable=False),
)
"""Who said what about a call, and when; nothing here is ever changed, the latest of a kind stands."""
Index("ix_reviews_call", reviews.c.call_row, reviews.c.id)

deletions = Table(
    "deletions",
    metadata,
    Column("call_id", Key, primary_key=True),
    Column("call_row", BigInteger, nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("by", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("done_at", UtcDateTime),
)
"""Calls that were deleted, or are about to be (`done_at` is None): all that stays of them, and nothing personal."""
Index(
    "ix_deletions_pending",
    deletions.c.asked_at,
    sqlite_where=deletions.c.done_at.is_(None),
    postgresql_where=deletions.c.done_at.is_(None),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Key, primary_key=True),
    Column("run", BigInteger, nullable=False),
    Column("until", UtcDateTime, nullable=False),
)
"""Which process does a job that one of them must do, and until when nobody else may."""
