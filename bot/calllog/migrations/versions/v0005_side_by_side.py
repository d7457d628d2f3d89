"""Words side by side, and in PostgreSQL when a call began, in the index that calls are found by; our own numbers.

Calls that are there already stay as they are (`version` 1) and are found as before; upkeep brings them to this version,
the newest first. PostgreSQL has an index of its own for those that it has brought there.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
IS_OLDER = sa.text("version < 2")

POSTGRESQL = [
    # Computed once, when a call is written, and kept nowhere but in the index.
    r"""CREATE FUNCTION call_entries(terms text, place bigint) RETURNS tsvector
        LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
    DECLARE
        found text[] := ARRAY[]::text[];
        before_last text := '_';
        last text := '_';
        term text;
        bits integer;
    BEGIN
        FOREACH bits IN ARRAY ARRAY[42, 45, 48, 51, 54] LOOP
            found := found || ('_when' || bits || '_' || (place >> bits));
        END LOOP;
        FOREACH term IN ARRAY string_to_array(terms, ' ') LOOP
            CONTINUE WHEN term = '';
            IF term <> '_' THEN
                found := found || term;
            END IF;
            IF left(term, 1) = '_' THEN
                term := '_';
            ELSIF last <> '_' THEN
                found := found || ('__' || last || '_' || term);
                IF before_last <> '_' THEN
                    found := found || ('__' || before_last || '_' || last || '_' || term);
                END IF;
            END IF;
            before_last := last;
            last := term;
        END LOOP;
        RETURN array_to_tsvector(found);
    END $$""",
    """CREATE INDEX ix_call_words_entries ON call_words USING gin (call_entries(terms, place))
        WITH (fastupdate = off) WHERE version = 2""",
    # Figures of it would be made of calls taken apart once more, and searches do without.
    "ALTER INDEX ix_call_words_entries ALTER COLUMN 1 SET STATISTICS 0",
]
# A call is put into SQLite's index, and taken out, by `search_entries.py`, which knows what stands there of each. What
# somebody removes by hand is kept for it.
SQLITE = [
    "CREATE TABLE call_search_left (place INTEGER PRIMARY KEY, terms TEXT NOT NULL, version INTEGER NOT NULL)",
    """CREATE TRIGGER call_words_left AFTER DELETE ON call_words BEGIN
        INSERT OR REPLACE INTO call_search_left VALUES (old.place, old.terms, old.version); END""",
]
TRIGGERS = ("call_words_added", "call_words_changed", "call_words_removed")
SQLITE_BEFORE = [
    """CREATE TRIGGER call_words_added AFTER INSERT ON call_words BEGIN
        INSERT INTO call_search (rowid, terms) VALUES (new.place, new.terms); END""",
    """CREATE TRIGGER call_words_changed AFTER UPDATE ON call_words WHEN old.terms <> new.terms BEGIN
        INSERT INTO call_search (call_search, rowid, terms) VALUES ('delete', old.place, old.terms);
        INSERT INTO call_search (rowid, terms) VALUES (new.place, new.terms); END""",
    """CREATE TRIGGER call_words_removed AFTER DELETE ON call_words BEGIN
        INSERT INTO call_search (call_search, rowid, terms) VALUES ('delete', old.place, old.terms); END""",
]


def upgrade() -> None:
    op.add_column("call_words", sa.Column("version", sa.SmallInteger(), nullable=False, server_default="1"))
    op.create_index("ix_call_words_older", "call_words", ["place"], sqlite_where=IS_OLDER, postgresql_where=IS_OLDER)
    op.create_table(
        "own_numbers",
        sa.Column("number", KEY, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_own_numbers"),
    )
    op.execute("INSERT INTO own_numbers (number) SELECT DISTINCT to_number FROM calls")
    if op.get_bind().dialect.name == "sqlite":
        for name in TRIGGERS:
            op.execute(f"DROP TRIGGER {name}")
        for statement in SQLITE:
            op.execute(statement)
        return
    for statement in POSTGRESQL:
        op.execute(sa.text(statement.replace(":=", r"\:=")))
    if op.get_bind().execute(sa.text("SELECT 1 FROM call_words LIMIT 1")).first() is None:
        op.execute("ALTER TABLE call_words DROP COLUMN lexemes")  # and its index; else upkeep does it when it is done


def downgrade() -> None:
    op.drop_table("own_numbers")
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER call_words_left")
        op.execute("DROP TABLE call_search_left")
        for statement in SQLITE_BEFORE:
            op.execute(statement)
        op.execute("DROP INDEX ix_call_words_older")
        op.execute("ALTER TABLE call_words DROP COLUMN version")
        op.execute("INSERT INTO call_search (call_search) VALUES ('rebuild')")
        return
    op.execute("DROP INDEX ix_call_words_entries")
    op.execute("DROP FUNCTION call_entries")
    op.execute("DROP INDEX ix_call_words_older")
    op.execute("ALTER TABLE call_words DROP COLUMN version")
    op.execute("ALTER TABLE call_words DROP COLUMN IF EXISTS lexemes")
    op.execute(
        """ALTER TABLE call_words ADD COLUMN lexemes tsvector
            GENERATED ALWAYS AS (array_to_tsvector(string_to_array(terms, ' '))) STORED"""
    )
    op.execute("CREATE INDEX ix_call_words_lexemes ON call_words USING gin (lexemes) WITH (fastupdate = off)")
