"""What there is to filter calls by: the values that stand in the call log, each found by one step in its index."""

from typing import Any

import msgspec
from sqlalchemy import Column, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.calllog.reviews import used_tags
from bot.calllog.schema import calls

MAX_CHOICES = 100


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    bots: list[str]
    carriers: list[str]
    end_reasons: list[str]
    tags: list[str]


async def load_choices(connection: AsyncConnection) -> Choices:
    """At most `MAX_CHOICES` of each, in order."""
    return Choices(
        bots=await _values(connection, calls.c.bot),
        carriers=await _values(connection, calls.c.carrier),
        end_reasons=await _values(connection, calls.c.end_reason),
        tags=await used_tags(connection),
    )


async def _values(connection: AsyncConnection, column: Column[Any]) -> list[str]:
    """From each value to the next one: DISTINCT would read the whole index."""
    found: list[str] = []
    while len(found) < MAX_CHOICES:
        above = select(func.min(column))
        if found:
            above = above.where(column > found[-1])
        value = (await connection.execute(above)).scalar_one()
        if value is None:
            break
        found.append(value)
    return found
