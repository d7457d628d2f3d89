"""What the review pages need: the list's order in one number, search, verdicts, deletion.

Calls that are there already are only given their places here, which is quick; summing them up for search takes a while
and is done beside answering calls (`upkeep.py`).
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
JSON = sa.JSON().with_variant(JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)

NEW_COLUMNS: dict[str, Any] = {
    "place": sa.BigInteger(),
    "index_version": sa.SmallInteger(),
    "cost_microdollars": sa.BigInteger(),
    "flags": JSON,
    "tools": JSON,
    "verdict": KEY,
    "note": sa.Text(),
}
FILTERS = ("bot", "carrier", "end_reason", "from_number", "to_number")

# `place_of` in bot/calllog/schema.py: milliseconds, then 20 bits of the row.
PLACES = {
    "sqlite": """
        UPDATE calls SET place = (
            CAST(strftime('%s', substr(started_at, 1, 19)) AS INTEGER) * 1000
            + CAST(substr(started_at, 21, 3) AS INTEGER)
        ) << 20 | (id & 1048575)""",  # strftime would round the fraction
    "postgresql": """
        UPDATE calls SET place = (floor(extract(epoch FROM started_at) * 1000)::bigint << 20) | (id & 1048575)""",
}
SEARCH = {
    "sqlite": [
        """CREATE VIRTUAL TABLE call_search USING fts5(
            terms, content='call_words', content_rowid='place', columnsize=0, tokenize="ascii tokenchars '_'")""",
        """CREATE TRIGGER call_words_added AFTER INSERT ON call_words BEGIN
            INSERT INTO call_search (rowid, terms) VALUES (new.place, new.terms); END""",
        """CREATE TRIGGER call_words_changed AFTER UPDATE ON call_words WHEN old.terms <> new.terms BEGIN
            INSERT INTO call_search (call_search, rowid, terms) VALUES ('delete', old.place, old.terms);
            INSERT INTO call_search (rowid, terms) VALUES (new.place, new.terms); END""",
        """CREATE TRIGGER call_words_removed AFTER DELETE ON call_words BEGIN
            INSERT INTO call_search (call_search, rowid, terms) VALUES ('delete', old.place, old.terms); END""",
    ],
    "postgresql": [
        """ALTER TABLE call_words ADD COLUMN lexemes tsvector
            GENERATED ALWAYS AS (array_to_tsvector(string_to_array(terms, ' '))) STORED""",
        # Searches read a list of what is not yet in the index from end to end: without it each costs the same.
        "CREATE INDEX ix_call_words_lexemes ON call_words USING gin (lexemes) WITH (fastupdate = off)",
    ],
}


def upgrade() -> None:
    for name, kind in NEW_COLUMNS.items():
        is_version = name == "index_version"
        op.add_column(
            "calls", sa.Column(name, kind, nullable=not is_version, server_default="0" if is_version else None)
        )
    dialect = op.get_bind().dialect.name
    op.execute(PLACES[dialect])
    _replace_indices()
    _create_call_words()
    for statement in SEARCH[dialect]:
        op.execute(statement)
    _create_reviews()
    _create_deletions()


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE call_search")
    for table in ("leases", "deletions", "reviews", "call_tags", "said_words", "call_words"):
        op.drop_table(table)
    for name in ("ix_calls_unindexed", "ix_calls_open", "ix_calls_place", *(f"ix_calls_{name}" for name in FILTERS)):
        op.drop_index(name, "calls")
    for name in reversed(NEW_COLUMNS):
        op.drop_column("calls", name)
    op.create_index("ix_calls_started", "calls", ["started_at", "id"])
    for column in FILTERS:
        op.create_index(f"ix_calls_{column}", "calls", [column, "started_at", "id"])
    is_open = sa.text("ended_at IS NULL")
    op.create_index("ix_calls_open", "calls", ["started_at", "id"], sqlite_where=is_open, postgresql_where=is_open)


def _replace_indices() -> None:
    for name in ("ix_calls_started", "ix_calls_open", *(f"ix_calls_{column}" for column in FILTERS)):
        op.drop_index(name, "calls")
    op.create_index("ix_calls_place", "calls", ["place"], unique=True)
    for column in FILTERS:
        op.create_index(f"ix_calls_{column}", "calls", [column, "place"])
    for name, condition in {"open": sa.text("ended_at IS NULL"), "unindexed": sa.text("index_version = 0")}.items():
        op.create_index(f"ix_calls_{name}", "calls", ["place"], sqlite_where=condition, postgresql_where=condition)


def _create_call_words() -> None:
    op.create_table(
        "call_words",
        sa.Column("place", BIG_KEY, autoincrement=False, nullable=False),
        sa.Column("call_row", sa.BigInteger(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("turn_indices", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("place", name="pk_call_words"),
        sa.UniqueConstraint("call_row", name="uq_call_words_call_row"),
        _belongs_to_call("call_words"),
    )
    op.create_table(
        "said_words",
        sa.Column("word", KEY, nullable=False),
        sa.PrimaryKeyConstraint("word", name="pk_said_words"),
    )


def _create_reviews() -> None:
    op.create_table(
        "call_tags",
        sa.Column("call_row", sa.BigInteger(), nullable=False),
        sa.Column("tag", KEY, nullable=False),
        sa.PrimaryKeyConstraint("call_row", "tag", name="pk_call_tags"),
        _belongs_to_call("call_tags"),
    )
    op.create_index("ix_call_tags_tag", "call_tags", ["tag"])
    op.create_table(
        "reviews",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("call_row", sa.BigInteger(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reviews"),
        _belongs_to_call("reviews"),
    )
    op.create_index("ix_reviews_call", "reviews", ["call_row", "id"])


def _create_deletions() -> None:
    op.create_table(
        "deletions",
        sa.Column("call_id", KEY, nullable=False),
        sa.Column("call_row", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("done_at", MOMENT),
        sa.PrimaryKeyConstraint("call_id", name="pk_deletions"),
    )
    is_pending = sa.text("done_at IS NULL")
    op.create_index(
        "ix_deletions_pending", "deletions", ["asked_at"], sqlite_where=is_pending, postgresql_where=is_pending
    )
    op.create_table(
        "leases",
        sa.Column("name", KEY, nullable=False),
        sa.Column("run", sa.BigInteger(), nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
    )


def _belongs_to_call(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["call_row"], ["calls.id"], name=f"fk_{table}_call_row", ondelete="CASCADE")
