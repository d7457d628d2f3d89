"""Opening the call log's database: which engine, how SQLite is set up, which migration it stands at.

SQLite runs in WAL mode, so that pages are read while calls are written; `synchronous=NORMAL` survives the death of the
process (of the machine too, less the last moments). What cannot be used ends in a `StoreError` that says what to do.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from bot.calllog.storable import storable_json
from bot.errors import StoreError

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_TIMEOUT_MS = 5000
_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}
_MIGRATION_LOCK = 0x0FF400C  # any number that no other program takes in the same PostgreSQL database


def parse_url(database: str) -> URL:
    """The database's address with the driver Offhook uses; raises `StoreError` for any other kind of database."""
    try:
        url = make_url(database)
    except ArgumentError as exc:
        raise StoreError(
            f"not a database address: write sqlite+aiosqlite:///PATH or postgresql+asyncpg://… ({exc})"
        ) from exc
    if url.drivername not in _DRIVERS:
        raise StoreError(f"no call log in a {url.drivername} database: use sqlite+aiosqlite or postgresql+asyncpg")
    url = url.set(drivername=_DRIVERS[url.drivername])
    if is_sqlite(url) and url.database in (None, "", ":memory:"):
        raise StoreError("the call log needs a file: write sqlite+aiosqlite:///data/offhook.db")
    return url


def is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def create_engine(url: URL) -> AsyncEngine:
    """An engine whose transactions read; `for_writing` gives its twin."""
    try:
        if not is_sqlite(url):
            return create_async_engine(url, pool_pre_ping=True, json_serializer=storable_json)
        engine = create_async_engine(url, json_serializer=storable_json)
    except ImportError as exc:
        raise StoreError(f"PostgreSQL needs its driver: pip install 'offhook[postgresql]' ({exc})") from exc
    event.listen(engine.sync_engine, "connect", _set_up_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def for_writing(engine: AsyncEngine) -> AsyncEngine:
    """The same engine and pool, whose transactions take SQLite's write lock at once.

    A transaction that begins by reading and then writes fails without waiting when another has written in between.
    """
    return engine.execution_options(sqlite_begin="BEGIN IMMEDIATE")


def _set_up_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # else the driver begins transactions by its own rules
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))


def make_file(url: URL) -> None:
    """Make SQLite's file in WAL mode, and the folders above it; only the user who runs Offhook may read it.

    Blocks while another process does the same. Raises `StoreError` where the file cannot be written.
    """
    path = Path(str(url.database))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A file that exists is not opened: closing it would let go of the locks that SQLite holds on it here.
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(sqlite3.connect(path)) as connection:
            _use_wal(connection, time.monotonic() + BUSY_TIMEOUT_MS / 1000)
    except (OSError, sqlite3.Error) as exc:
        raise StoreError(explain(url, "open", exc)) from exc


def _use_wal(connection: sqlite3.Connection, give_up_at: float) -> None:
    """Switch for good. Two that switch at once get "locked" without SQLite's usual patience, so we have our own."""
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as exc:
            if exc.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up_at:
                raise
        time.sleep(0.02)


def check_file(url: URL) -> None:
    """Raise `StoreError` where there is no SQLite file to read: opening would make an empty one."""
    if is_sqlite(url) and not Path(str(url.database)).is_file():
        raise StoreError(
            f"there is no call log at {Path(str(url.database)).absolute()} yet: `offhook serve` makes it, or name "
            "another with --database or OFFHOOK_STORAGE_DATABASE"
        )


@contextmanager
def explained(url: URL, doing: str) -> Iterator[None]:
    """Turn whatever the database or its driver raises into a `StoreError` with what to do."""
    try:
        yield
    except (SQLAlchemyError, OSError) as exc:  # asyncpg's failure to connect comes as it is
        raise StoreError(explain(url, doing, exc)) from exc


def explain(url: URL, doing: str, exc: Exception) -> str:
    reason = (exc.orig if isinstance(exc, DBAPIError) else None) or exc
    first_line = (str(getattr(reason, "strerror", None) or reason).strip() or type(reason).__name__).splitlines()[0]
    return f"cannot {doing} the call log {describe(url)}: {first_line}. {_advice(url)}"


def describe(url: URL) -> str:
    """The database's address without its password."""
    return url.render_as_string(hide_password=True)


def _advice(url: URL) -> str:
    if is_sqlite(url):
        path = Path(str(url.database)).absolute()
        return f"Check that the user running Offhook may write {path} and that the disk is not full"
    return "Check that the server runs and accepts this user, and the address in [storage] database"


def migrate(connection: Connection) -> None:
    """Bring the tables to what this version of Offhook knows; raises `StoreError` where they are newer.

    Several processes may start at once: the first one migrates, the others wait and find nothing to do.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
    config = _alembic(connection)
    if _is_current(connection, ScriptDirectory.from_config(config)):
        return
    command.upgrade(config, "head")


def is_current(connection: Connection) -> bool:
    """Whether the tables are just as this version of Offhook knows them; raises `StoreError` where they are newer."""
    return _is_current(connection, ScriptDirectory.from_config(_alembic(connection)))


def check_current(connection: Connection) -> None:
    """Raise `StoreError` unless the tables are just as this version of Offhook knows them."""
    if not is_current(connection):
        raise StoreError("the call log was last opened by an older Offhook: start `offhook serve` once, it upgrades it")


def _alembic(connection: Connection) -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _is_current(connection: Connection, scripts: ScriptDirectory) -> bool:
    present = set(MigrationContext.configure(connection).get_current_heads())
    known = {script.revision for script in scripts.walk_revisions()}
    if unknown := present - known:
        raise StoreError(
            f"the call log was written by a newer Offhook (migration {', '.join(sorted(unknown))}; this one knows up "
            f"to {scripts.get_current_head()}): install that version again, or name another database in [storage]"
        )
    return present == set(scripts.get_heads())
