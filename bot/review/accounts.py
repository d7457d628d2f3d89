"""Who can sign in: the accounts of the configuration, and those whose passwords were set on the pages."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.calllog.access_schema import accounts
from bot.calllog.storable import storable_key
from bot.config import ReviewConfig
from bot.review.roles import Role
from bot.review.storage import Storage
from bot.review.tokens import password_mark

_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")


@dataclass(frozen=True, slots=True)
class Account:
    name: str
    role: Role
    password_hash: str
    is_configured: bool = False
    """Whether its password stands in the configuration, and can be changed there only."""
    created_at: datetime | None = None

    @property
    def mark(self) -> str:
        return password_mark(self.password_hash)


def account_name(text: str) -> str:
    """The name as it is kept, whatever the keyboard made of it."""
    return text.strip().lower()


def is_account_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


class Accounts:
    """The configuration wins where both have an account of one name."""

    def __init__(self, storage: Storage, config: ReviewConfig) -> None:
        self._storage = storage
        hashes = {Role.ADMIN: config.admin_password_hash, Role.VIEWER: config.viewer_password_hash}
        self._configured = {role.value: Account(role.value, role, text, True) for role, text in hashes.items() if text}

    async def find(self, name: str) -> Account | None:
        if name in self._configured:
            return self._configured[name]
        async with self._storage.reading() as connection:
            row = (
                (await connection.execute(select(accounts).where(accounts.c.name == storable_key(name))))
                .mappings()
                .first()
            )
        return None if row is None else _account(row)

    async def all(self) -> Sequence[Account]:
        """Those of the configuration first, then by name."""
        async with self._storage.reading() as connection:
            rows = (await connection.execute(select(accounts).order_by(accounts.c.name))).mappings().all()
        kept = [_account(row) for row in rows]
        return [*self._configured.values(), *(account for account in kept if account.name not in self._configured)]

    async def has_admin(self) -> bool:
        return any(account.role is Role.ADMIN for account in await self.all())

    async def change_password(self, name: str, password_hash: str, now: datetime) -> None:
        values = {"password_hash": password_hash, "password_set_at": now}
        async with self._storage.writing() as connection:
            await connection.execute(update(accounts).where(accounts.c.name == name).values(values))

    async def remove(self, name: str) -> None:
        """Whoever is signed in there is so no longer."""
        async with self._storage.writing() as connection:
            await connection.execute(delete(accounts).where(accounts.c.name == name))


async def put_account(connection: AsyncConnection, name: str, role: str, password_hash: str, now: datetime) -> None:
    """Make the account, or give the one of this name another password and role; within somebody's transaction."""
    values = {"role": role, "password_hash": password_hash, "password_set_at": now}
    changed = await connection.execute(update(accounts).where(accounts.c.name == name).values(values))
    if changed.rowcount == 0:
        await connection.execute(insert(accounts).values(name=name, created_at=now, **values))


def _account(row: RowMapping) -> Account:
    return Account(row["name"], Role(row["role"]), row["password_hash"], created_at=row["created_at"])
