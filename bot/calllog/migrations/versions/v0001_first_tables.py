"""The first tables: runs, calls, turns, events, messages, recordings.

A migration repeats the types it needs instead of importing them: the schema moves on, what was done does not.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
JSON = sa.JSON().with_variant(JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _create_runs()
    _create_calls()
    _create_turns()
    _create_events()
    _create_messages()
    _create_recordings()


def downgrade() -> None:
    for table in ("recordings", "messages", "events", "turns", "calls", "runs"):
        op.drop_table(table)


def _create_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("pid_space", sa.Text(), nullable=False),
        sa.Column("process_start", sa.Text(), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("heartbeat_at", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )


def _create_calls() -> None:
    op.create_table(
        "calls",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("call_id", KEY, nullable=False),
        sa.Column("run", sa.BigInteger(), nullable=False),
        sa.Column("carrier", KEY, nullable=False),
        sa.Column("carrier_call_id", KEY, nullable=False),
        sa.Column("bot", KEY, nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("from_number", KEY, nullable=False),
        sa.Column("to_number", KEY, nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("config", JSON, nullable=False),
        sa.Column("ended_at", MOMENT),
        sa.Column("duration_ms", sa.Integer()),
        sa.Column("end_reason", KEY),
        sa.Column("turns", sa.Integer()),
        sa.Column("interruptions", sa.Integer()),
        sa.Column("reply_p50_ms", sa.Integer()),
        sa.Column("reply_p95_ms", sa.Integer()),
        sa.Column("counters", JSON),
        sa.PrimaryKeyConstraint("id", name="pk_calls"),
        sa.UniqueConstraint("call_id", name="uq_calls_call_id"),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name="fk_calls_run"),
    )
    op.create_index("ix_calls_started", "calls", ["started_at", "id"])
    for column in ("bot", "carrier", "end_reason", "from_number", "to_number"):
        op.create_index(f"ix_calls_{column}", "calls", [column, "started_at", "id"])
    op.create_index("ix_calls_carrier_call_id", "calls", ["carrier_call_id"])
    is_open = sa.text("ended_at IS NULL")
    op.create_index("ix_calls_open", "calls", ["started_at", "id"], sqlite_where=is_open, postgresql_where=is_open)


def _create_turns() -> None:
    op.create_table(
        "turns",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("call_row", sa.BigInteger(), nullable=False),
        sa.Column("turn_index", sa.Integer(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("started_ms", sa.Integer(), nullable=False),
        sa.Column("ended_ms", sa.Integer()),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("heard_text", sa.Text()),
        sa.Column("generated_ms", sa.Integer(), nullable=False),
        sa.Column("sent_ms", sa.Integer(), nullable=False),
        sa.Column("heard_ms", sa.Integer(), nullable=False),
        sa.Column("interrupted", sa.Boolean(), nullable=False),
        sa.Column("endpointing_ms", sa.Integer()),
        sa.Column("transcription_ms", sa.Integer()),
        sa.Column("response_ms", sa.Integer()),
        sa.Column("synthesis_ms", sa.Integer()),
        sa.Column("reply_ms", sa.Integer()),
        sa.PrimaryKeyConstraint("id", name="pk_turns"),
        sa.UniqueConstraint("call_row", "turn_index", name="uq_turns_call_row_turn_index"),
        _belongs_to_call("turns"),
    )


def _create_events() -> None:
    op.create_table(
        "events",
        sa.Column("id", BIG_KEY, autoincrement=False, nullable=False),
        sa.Column("call_row", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("data", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        _belongs_to_call("events"),
    )
    op.create_index("ix_events_call", "events", ["call_row", "at_ms"])


def _create_messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("call_row", sa.BigInteger(), nullable=False),
        sa.Column("turn_index", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.Integer(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("from_number", KEY, nullable=False),
        sa.Column("read_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
        sa.UniqueConstraint("call_row", "at_ms", name="uq_messages_call_row_at_ms"),
        _belongs_to_call("messages"),
    )
    is_unread = sa.text("read_at IS NULL")
    op.create_index("ix_messages_unread", "messages", ["call_row"], sqlite_where=is_unread, postgresql_where=is_unread)


def _create_recordings() -> None:
    op.create_table(
        "recordings",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("call_row", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("rate_hz", sa.Integer(), nullable=False),
        sa.Column("channels", sa.Integer(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_recordings"),
        sa.UniqueConstraint("call_row", "path", name="uq_recordings_call_row_path"),
        _belongs_to_call("recordings"),
    )


def _belongs_to_call(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["call_row"], ["calls.id"], name=f"fk_{table}_call_row", ondelete="CASCADE")
