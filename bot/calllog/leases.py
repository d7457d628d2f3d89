"""Jobs that one process must do and no two at once: each has a name, and whoever holds its lease does it."""

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, or_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.calllog.runs import database_time
from bot.calllog.schema import leases

LEASE = timedelta(minutes=2)
"""How long a job stays untouched after its holder has died; a holder takes it again well before."""


async def take(connection: AsyncConnection, name: str, run: int) -> bool:
    """Take a job, or go on with it; False where another process has it."""
    now = await database_time(connection)
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    lease = dialect.insert(leases).values(name=name, run=run, until=now + LEASE)
    is_free = or_(leases.c.run == run, leases.c.until < now)
    ours = {"run": run, "until": now + LEASE}
    taken = lease.on_conflict_do_update(index_elements=["name"], set_=ours, where=is_free).returning(leases.c.name)
    return (await connection.execute(taken)).first() is not None


async def give_up(connection: AsyncConnection, name: str, run: int) -> None:
    await connection.execute(delete(leases).where(leases.c.name == name, leases.c.run == run))
