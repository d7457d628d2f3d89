"""Links that let somebody set the password of one account, once: at the first start, and for whoever is invited."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select

from bot.calllog.access_schema import one_time_links as links
from bot.review.accounts import put_account
from bot.review.roles import Role
from bot.review.storage import Storage
from bot.review.tokens import new_token, token_hash

LIFETIME = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class OneTimeLink:
    account: str
    role: Role


class OneTimeLinks:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def make(self, account: str, role: Role, made_by: str, now: datetime) -> str:
        """A new token for this account; the one before is void."""
        token = new_token()
        row = {
            "token_hash": token_hash(token),
            "account": account,
            "role": role.value,
            "made_by": made_by,
            "created_at": now,
            "expires_at": now + LIFETIME,
        }
        async with self._storage.writing() as connection:
            await connection.execute(delete(links).where((links.c.account == account) | (links.c.expires_at <= now)))
            await connection.execute(insert(links).values(row))
        return token

    async def find(self, token: str, now: datetime) -> OneTimeLink | None:
        found = select(links).where(links.c.token_hash == token_hash(token), links.c.expires_at > now)
        async with self._storage.reading() as connection:
            row = (await connection.execute(found)).mappings().first()
        return None if row is None else OneTimeLink(row["account"], Role(row["role"]))

    async def redeem(self, token: str, password_hash: str, now: datetime) -> OneTimeLink | None:
        """Use the link up and set its account's password; None where somebody was quicker, or it has expired."""
        spent = delete(links).where(links.c.token_hash == token_hash(token), links.c.expires_at > now)
        async with self._storage.writing() as connection:
            row = (await connection.execute(spent.returning(links.c.account, links.c.role))).mappings().first()
            if row is None:
                return None
            await put_account(connection, row["account"], row["role"], password_hash, now)
        return OneTimeLink(row["account"], Role(row["role"]))
