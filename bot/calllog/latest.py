"""What was said last in some calls, for whoever watches several at once."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.calllog.schema import turns


async def latest_words(connection: AsyncConnection, rows: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Of each of these rows of `calls`: who spoke last (caller or bot), and what. Calls without words are left out."""
    spoken = turns.c.call_row.in_(rows) & (turns.c.text != "")
    last = select(turns.c.call_row, func.max(turns.c.turn_index).label("turn_index")).where(spoken)
    newest = last.group_by(turns.c.call_row).subquery()
    is_last = (turns.c.call_row == newest.c.call_row) & (turns.c.turn_index == newest.c.turn_index)
    query = select(turns.c.call_row, turns.c.role, turns.c.text).join(newest, is_last)
    return {row.call_row: (row.role, row.text) for row in await connection.execute(query)}
