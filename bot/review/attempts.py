"""How often somebody may try to sign in, for each account and each address, over all processes of the service.

An attempt counts as failed from the moment it begins, so that many at once are not more than many in a row; a right
password takes it back. What the database holds is the count; what follows from a count is decided by `lock_s`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import RowMapping, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.calllog.access_schema import sign_in_failures as failures
from bot.calllog.storable import storable_key
from bot.review.addresses import neighbourhood
from bot.review.storage import Storage, insert_unless_there

FREE_FOR_ACCOUNT = 5
FREE_FOR_ADDRESS = 20  # an office may share one
FIRST_LOCK_S = 30.0
LONGEST_LOCK_S = 900.0
FORGET_AFTER = timedelta(hours=1)


def lock_s(count: int, free: int) -> float:
    """How long nobody may try after so many failures in a row: nothing for a while, then twice as long each time."""
    over = count - free
    return 0.0 if over < 0 else min(FIRST_LOCK_S * 2 ** min(over, 16), LONGEST_LOCK_S)


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody tries: at which counts that counts, and how long they must wait before they may (0: go on)."""

    subjects: tuple[str, str]
    wait_s: float


class Attempts:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def begin(self, account: str, address: str, now: datetime) -> Attempt:
        """Count an attempt, unless one of its counts is locked."""
        allowed = {f"account {storable_key(account)[:128]}": FREE_FOR_ACCOUNT}
        allowed[f"address {neighbourhood(address)}"] = FREE_FOR_ADDRESS
        async with self._storage.writing() as connection:
            await connection.execute(delete(failures).where(failures.c.last_at < now - FORGET_AFTER))
            rows = await _rows(connection, sorted(allowed), now)
            wait_s = max((_wait_s(row, now) for row in rows), default=0.0)
            if wait_s <= 0:
                for row in rows:
                    await _count(connection, row, allowed[row["subject"]], now)
        account_subject, address_subject = allowed
        return Attempt((account_subject, address_subject), max(0.0, wait_s))

    async def succeeded(self, attempt: Attempt) -> None:
        """The account begins anew; the address has this one attempt back, for others may be trying from there."""
        account, address = attempt.subjects
        async with self._storage.writing() as connection:
            await connection.execute(delete(failures).where(failures.c.subject == account))
            one_less = {"failures": failures.c.failures - 1, "locked_until": None}
            await connection.execute(update(failures).where(failures.c.subject == address).values(one_less))


async def _rows(connection: AsyncConnection, subjects: Sequence[str], now: datetime) -> Sequence[RowMapping]:
    """The counts, locked until the transaction ends; always in the same order, so that no two wait for each other."""
    for subject in subjects:
        row = {"subject": subject, "failures": 0, "last_at": now}
        await connection.execute(insert_unless_there(connection, failures).values(row))
    found = select(failures).where(failures.c.subject.in_(subjects)).order_by(failures.c.subject).with_for_update()
    return (await connection.execute(found)).mappings().all()


def _wait_s(row: RowMapping, now: datetime) -> float:
    return 0.0 if row["locked_until"] is None else (row["locked_until"] - now).total_seconds()


async def _count(connection: AsyncConnection, row: RowMapping, free: int, now: datetime) -> None:
    count = row["failures"] + 1
    locked_until = now + timedelta(seconds=lock_s(count, free)) if count >= free else None
    values = {"failures": count, "last_at": now, "locked_until": locked_until}
    await connection.execute(update(failures).where(failures.c.subject == row["subject"]).values(values))
