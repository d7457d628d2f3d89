"""Tokens for scripts: made by an admin, shown once, sent as `Authorization: Bearer offhook_…`, revoked at any time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import RowMapping, insert, select, update

from bot.calllog.access_schema import api_tokens
from bot.calllog.storable import storable_key
from bot.review.roles import Role
from bot.review.storage import Storage
from bot.review.tokens import API_PREFIX, new_token, token_hash

_TOUCH_EVERY = timedelta(minutes=1)
_SCHEME = "bearer"


@dataclass(frozen=True, slots=True)
class ApiToken:
    id: int
    name: str
    role: Role
    made_by: str
    created_at: datetime
    used_at: datetime | None
    used_from: str | None


def bearer_token(authorization: str) -> str | None:
    """The token in an `Authorization` header (RFC 6750, section 2.1), "" for a header that holds something else."""
    scheme, _, token = authorization.strip().partition(" ")
    return token.strip() if scheme.lower() == _SCHEME else None


class ApiTokens:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def make(self, name: str, role: Role, made_by: str, now: datetime) -> str:
        """A new token, which nobody can show again."""
        token = new_token(API_PREFIX)
        row = {"token_hash": token_hash(token), "name": storable_key(name), "role": role.value, "made_by": made_by}
        async with self._storage.writing() as connection:
            await connection.execute(insert(api_tokens).values(**row, created_at=now))
        return token

    async def find(self, token: str, address: str, now: datetime) -> ApiToken | None:
        """The token that a script sent, unless it was revoked; its use is written down once a minute."""
        is_valid = (api_tokens.c.token_hash == token_hash(token)) & api_tokens.c.revoked_at.is_(None)
        async with self._storage.reading() as connection:
            row = (await connection.execute(select(api_tokens).where(is_valid))).mappings().first()
        if row is None:
            return None
        if row["used_at"] is None or now - row["used_at"] >= _TOUCH_EVERY or row["used_from"] != address:
            used = {"used_at": now, "used_from": address}
            async with self._storage.writing() as connection:
                await connection.execute(update(api_tokens).where(api_tokens.c.id == row["id"]).values(used))
        return _token(row)

    async def all(self) -> Sequence[ApiToken]:
        """Those that open something, the newest first."""
        valid = select(api_tokens).where(api_tokens.c.revoked_at.is_(None)).order_by(api_tokens.c.id.desc())
        async with self._storage.reading() as connection:
            return [_token(row) for row in (await connection.execute(valid)).mappings()]

    async def revoke(self, token: int, now: datetime) -> None:
        async with self._storage.writing() as connection:
            await connection.execute(update(api_tokens).where(api_tokens.c.id == token).values(revoked_at=now))


def _token(row: RowMapping) -> ApiToken:
    values = {name: row[name] for name in ApiToken.__slots__}
    return ApiToken(**(values | {"role": Role(row["role"])}))
