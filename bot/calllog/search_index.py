"""Calls found through the search index: by words that were said, by facets, by any of them together, newest first."""

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.calllog import search_postgresql, search_sqlite
from bot.calllog.filters import CallFilter, places
from bot.calllog.schema import TOP
from bot.calllog.search_wanted import wanted_of


async def find(
    connection: AsyncConnection, filters: CallFilter, limit: int, before: int = TOP
) -> list[tuple[int, int]]:
    """At most `limit` calls that are over, as (place, row), newest first, from below a place on."""
    wanted = await wanted_of(connection, filters)
    find_them = search_sqlite.find if connection.dialect.name == "sqlite" else search_postgresql.find
    return await find_them(connection, wanted, filters, limit, *places(filters, before))


async def count(connection: AsyncConnection, filters: CallFilter, limit: int) -> int:
    """How many calls that are over there are, counted up to `limit`."""
    wanted = await wanted_of(connection, filters)
    count_them = search_sqlite.count if connection.dialect.name == "sqlite" else search_postgresql.count
    return await count_them(connection, wanted, filters, limit, *places(filters))
