"""The database of the pages' own tables: connections that read, and transactions that write.

It is the call log's database, with connections of its own, so that no flood of sign-ins can take those that calls are
written with.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Insert, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.calllog import database


class Storage:
    def __init__(self, url: str) -> None:
        """Connects at the first use; raises `StoreError` for an address that is no call log."""
        self._address = database.parse_url(url)
        self._engine = database.create_engine(self._address)
        self._writes = database.for_writing(self._engine)

    async def close(self) -> None:
        await self._engine.dispose()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Raises `StoreError` where the database cannot be read."""
        with database.explained(self._address, "read"):
            async with self._engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """One transaction, kept unless the block raises; raises `StoreError` where the database cannot be written."""
        with database.explained(self._address, "write"):
            async with self._writes.begin() as connection:
                yield connection


def insert_unless_there(connection: AsyncConnection, table: Table) -> Insert:
    """An insert that leaves a row with the same key as it is."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()
