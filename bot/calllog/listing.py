"""One page of the call list: which calls, newest first, whatever they are narrowed by.

What one index of the calls' own table answers is read from there. All else comes from the search index; a call that is
not in it yet (it is live, or of an older Offhook) is looked at itself, and both are merged by their place in the list.
"""

from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.calllog import search_index
from bot.calllog.facets import NUMBER_PART_CHARS
from bot.calllog.filters import CallFilter, narrowed, narrowed_unindexed, newest, page_of
from bot.calllog.query import parse
from bot.calllog.schema import TOP, calls

COUNT_LIMIT = 10_000
"""More calls than that are not counted."""
LOOKED_AT_LIMIT = 1_000
"""The same where each call must be looked at to be counted: for its length, a part of its number, or a phrase."""


class Counted(NamedTuple):
    calls: int
    is_exact: bool
    """False: there are more."""


async def page_rows(connection: AsyncConnection, filters: CallFilter, limit: int, before: int = TOP) -> list[int]:
    """The rows of at most `limit` calls, newest first, from below a place on."""
    if filters.is_live:  # few, and none of them in the search index
        return [row for _, row in await _not_indexed(connection, filters, limit, before)]
    if not needs_search_index(filters):
        return list((await connection.execute(page_of(select(calls.c.id), filters, limit, before))).scalars())
    await _prepare(connection)
    found = await search_index.find(connection, filters, limit, before)
    found += await _not_indexed(connection, filters, limit, before)
    return [row for _, row in sorted(found, reverse=True)[:limit]]


async def count(connection: AsyncConnection, filters: CallFilter, limit: int | None = None) -> Counted:
    """How many calls are meant, up to `limit`."""
    most = limit or (LOOKED_AT_LIMIT if _must_look(filters) else COUNT_LIMIT)
    found = await _count(connection, filters, most + 1)
    return Counted(min(found, most), found <= most)


def _must_look(filters: CallFilter) -> bool:
    columns = (filters.min_ms, filters.max_ms, filters.number_part)
    has_phrase = any(len(term.words) > 1 for term in parse(filters.text or ""))
    return has_phrase or any(wanted is not None for wanted in columns)


async def _count(connection: AsyncConnection, filters: CallFilter, most: int) -> int:
    if filters.is_live:
        return len(await _not_indexed(connection, filters, most))
    if needs_search_index(filters):
        await _prepare(connection)
        found = await search_index.count(connection, filters, most)
        return found + len(await _not_indexed(connection, filters, most - found))
    some = narrowed(select(calls.c.id), filters).limit(most)
    if filters.number is not None:
        some = page_of(select(calls.c.id), filters, most)
    counted: int = (await connection.execute(select(func.count()).select_from(some.subquery()))).scalar_one()
    return counted


def needs_search_index(filters: CallFilter) -> bool:
    """Whether no index of the calls' own table holds what is meant in the list's order."""
    columns = [filters.bot, filters.carrier, filters.end_reason, filters.number]
    has_part = filters.number_part is not None and len(filters.number_part) >= NUMBER_PART_CHARS
    others = [filters.min_ms, filters.max_ms, filters.tool, filters.verdict, filters.tag, filters.has_unread_message]
    return (
        sum(wanted is not None for wanted in columns) > 1
        or has_part
        or any(wanted is not None for wanted in others)
        or bool(filters.flags)
        or bool(parse(filters.text or ""))
    )


async def _not_indexed(
    connection: AsyncConnection, filters: CallFilter, limit: int, before: int = TOP
) -> list[tuple[int, int]]:
    if parse(filters.text or "") or limit <= 0:
        return []
    query = narrowed_unindexed(select(calls.c.place, calls.c.id), filters, before)
    return [(row.place, row.id) for row in await connection.execute(newest(query, limit))]


_SETTINGS = {
    "plan_cache_mode": "force_custom_plan",  # each search has words of its own
    "jit": "off",  # compiling takes longer than the search, and so does starting helpers
    "max_parallel_workers_per_gather": "0",
    # A page is some hundred calls: PostgreSQL expects more where it cannot know, and would read a whole table for them.
    "enable_seqscan": "off",
    # Else calls of which only the page is remembered would be taken apart once more, all that stand on it.
    "work_mem": "64MB",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}


async def _prepare(connection: AsyncConnection) -> None:
    """Tell PostgreSQL, for this one transaction, how searches are planned."""
    if connection.dialect.name == "postgresql":
        await connection.execute(select(*(func.set_config(name, value, True) for name, value in _SETTINGS.items())))
