"""Who is signed in, in which browsers. The cookie is a token; the database knows the sign-in by the token's hash."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, RowMapping, delete, insert, select, update

from bot.calllog.access_schema import sign_ins
from bot.calllog.storable import storable
from bot.review.accounts import Account
from bot.review.storage import Storage
from bot.review.tokens import new_token, token_hash

LONGEST = timedelta(days=90)
"""However often somebody comes back, after this they give their password again."""
_TOUCH_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class SignIn:
    id: int
    account: str
    password_mark: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    address: str
    browser: str


class SignIns:
    def __init__(self, storage: Storage, lifetime: timedelta) -> None:
        """A sign-in ends when it was not used for so long."""
        self._storage = storage
        self._lifetime = lifetime

    async def begin(self, account: Account, address: str, browser: str, now: datetime) -> str:
        """Sign somebody in; returns the token for their cookie. A new one each time, whatever they brought along."""
        token = new_token()
        row = {
            "token_hash": token_hash(token),
            "account": account.name,
            "password_mark": account.mark,
            "created_at": now,
            "seen_at": now,
            "expires_at": now + self._lifetime,
            "address": address,
            "browser": storable(browser[:256]),
        }
        async with self._storage.writing() as connection:
            await connection.execute(delete(sign_ins).where(sign_ins.c.expires_at <= now))
            await connection.execute(insert(sign_ins).values(row))
        return token

    async def find(self, token: str, now: datetime) -> SignIn | None:
        """The sign-in of a cookie, if it has not ended; its account must still be asked whether the password fits."""
        found = select(sign_ins).where(sign_ins.c.token_hash == token_hash(token), sign_ins.c.expires_at > now)
        async with self._storage.reading() as connection:
            row = (await connection.execute(found)).mappings().first()
        return None if row is None else _sign_in(row)

    async def touch(self, sign_in: SignIn, address: str, now: datetime) -> None:
        """It is being used; written down once a minute."""
        if now - sign_in.seen_at < _TOUCH_EVERY:
            return
        ends_at = min(now + self._lifetime, sign_in.created_at + LONGEST)
        values = {"seen_at": now, "expires_at": ends_at, "address": address}
        async with self._storage.writing() as connection:
            await connection.execute(update(sign_ins).where(sign_ins.c.id == sign_in.id).values(values))

    async def of(self, account: Account, now: datetime) -> Sequence[SignIn]:
        """Where somebody is signed in, the latest used first."""
        theirs = (sign_ins.c.account == account.name) & (sign_ins.c.password_mark == account.mark)
        found = select(sign_ins).where(theirs, sign_ins.c.expires_at > now).order_by(sign_ins.c.seen_at.desc())
        async with self._storage.reading() as connection:
            return [_sign_in(row) for row in (await connection.execute(found)).mappings()]

    async def end(self, account: str, sign_in: int) -> None:
        """One of somebody's sign-ins; nobody else's."""
        await self._delete((sign_ins.c.account == account) & (sign_ins.c.id == sign_in))

    async def end_with(self, token: str) -> None:
        await self._delete(sign_ins.c.token_hash == token_hash(token))

    async def end_all(self, account: str, but: int | None = None) -> None:
        """All of somebody's, but for the one they are asking from."""
        theirs = sign_ins.c.account == account
        await self._delete(theirs if but is None else theirs & (sign_ins.c.id != but))

    async def _delete(self, which: ColumnElement[bool]) -> None:
        async with self._storage.writing() as connection:
            await connection.execute(delete(sign_ins).where(which))


def _sign_in(row: RowMapping) -> SignIn:
    return SignIn(**{name: row[name] for name in SignIn.__slots__})
