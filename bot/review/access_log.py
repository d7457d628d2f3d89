"""Who looked at which call, recording or export, when, from where: written by the pages, read by admins."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import RowMapping, delete, insert, select, tuple_

from bot.calllog.access_schema import access_log
from bot.calllog.storable import storable, storable_key
from bot.review.roles import Role
from bot.review.storage import Storage
from bot.review.visitor import Visitor

_PRUNE_EVERY = timedelta(hours=6)
_DETAIL_CHARS = 500


@dataclass(frozen=True, slots=True)
class Look:
    id: int
    at: datetime
    who: str
    role: Role
    address: str
    what: str
    call_id: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class LookFilter:
    who: str = ""
    call_id: str = ""
    what: str = ""


class AccessLog:
    def __init__(self, storage: Storage, kept: timedelta) -> None:
        self._storage = storage
        self._kept = kept
        self._pruned_at: datetime | None = None

    async def write(self, visitor: Visitor, what: str, call_id: str | None, detail: str, now: datetime) -> None:
        """One look; what has become too old goes, now and then."""
        row = {
            "at": now,
            "who": storable_key(visitor.who),
            "role": visitor.role.value,
            "address": visitor.address,
            "what": storable_key(what),
            "call_id": None if call_id is None else storable_key(call_id),
            "detail": storable(detail[:_DETAIL_CHARS]),
        }
        async with self._storage.writing() as connection:
            await connection.execute(insert(access_log).values(row))
            if self._pruned_at is None or now - self._pruned_at > _PRUNE_EVERY:
                self._pruned_at = now
                await connection.execute(delete(access_log).where(access_log.c.at < now - self._kept))

    async def page(self, filters: LookFilter, limit: int, before: tuple[datetime, int] | None = None) -> Sequence[Look]:
        """At most `limit` looks, the newest first, from below `before` (the last look's `at` and `id`) on."""
        order = (access_log.c.at, access_log.c.id)
        query = select(access_log).order_by(*(column.desc() for column in order)).limit(limit)
        for column in (access_log.c.who, access_log.c.call_id, access_log.c.what):
            if wanted := getattr(filters, column.name):
                query = query.where(column == storable_key(wanted))
        if before is not None:
            query = query.where(tuple_(*order) < tuple_(*before))
        async with self._storage.reading() as connection:
            return [_look(row) for row in (await connection.execute(query)).mappings()]


def _look(row: RowMapping) -> Look:
    values = {name: row[name] for name in Look.__slots__}
    return Look(**(values | {"role": Role(row["role"])}))
