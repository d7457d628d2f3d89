"""Reading the call log: the list page by page, one call whole, all calls one after the other."""

from collections.abc import AsyncIterator, Sequence
from typing import Self

from sqlalchemy import URL, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.calllog import database
from bot.calllog.detail import CallDetail, CallSummary, ListedCall, Page, load_details, load_summaries
from bot.calllog.excerpts import load_excerpts
from bot.calllog.filters import CallFilter
from bot.calllog.latest import latest_words
from bot.calllog.listing import Counted, count, page_rows
from bot.calllog.query import parse
from bot.calllog.schema import TOP, calls
from bot.calllog.storable import storable_key

EXPORT_PAGE = 200
WHOLE_CALLS_PAGE = 10  # a call of an hour has tens of thousands of events


class CallReader:
    """Reads a call log that is there already, and changes nothing in it; `CallLog` also writes."""

    def __init__(self, address: URL, engine: AsyncEngine) -> None:
        self._address = address
        self._engine = engine

    @classmethod
    async def open(cls, url: str) -> Self:
        """Raises `StoreError` where there is no call log, or one that this version of Offhook cannot read."""
        address = database.parse_url(url)
        database.check_file(address)
        engine = database.create_engine(address)
        try:
            with database.explained(address, "open"):
                async with engine.connect() as connection:
                    await connection.run_sync(database.check_current)
        except BaseException:
            await engine.dispose()
            raise
        return cls(address, engine)

    async def close(self) -> None:
        await self._engine.dispose()

    async def list_calls(
        self, filters: CallFilter | None = None, limit: int = 50, before: int = TOP
    ) -> list[CallSummary]:
        """A page of at most `limit` calls, newest first, from below `before` (the last call's `place`) on."""
        with database.explained(self._address, "read"):
            async with self._engine.connect() as connection:
                rows = await page_rows(connection, filters or CallFilter(), limit, before)
                return await load_summaries(connection, rows)

    async def page(self, filters: CallFilter, limit: int = 50, before: int = TOP) -> Page:
        """The same page as people read it: with what was found in each call, and where the next page begins."""
        terms = parse(filters.text or "")
        with database.explained(self._address, "read"):
            async with self._engine.connect() as connection:
                rows = await page_rows(connection, filters, limit + 1, before)
                found = await load_summaries(connection, rows)
                listed = found[:limit]
                excerpts = await load_excerpts(connection, {call.row: call.place for call in listed}, terms)
        return Page(
            calls=[ListedCall(call=call, excerpts=excerpts.get(call.row, [])) for call in listed],
            next=listed[-1].place if len(found) > limit else None,
        )

    async def count_calls(self, filters: CallFilter | None = None, limit: int | None = None) -> Counted:
        """How many calls are meant, up to `limit`, or else up to what is counted quickly."""
        with database.explained(self._address, "read"):
            async with self._engine.connect() as connection:
                return await count(connection, filters or CallFilter(), limit)

    async def latest_words(self, rows: Sequence[int]) -> dict[int, tuple[str, str]]:
        """Of each of these calls (their `row`): who spoke last, and what."""
        with database.explained(self._address, "read"):
            async with self._engine.connect() as connection:
                return await latest_words(connection, rows)

    async def get_call(self, call_id: str) -> CallDetail | None:
        """One call whole, or None if there is none of this id."""
        with database.explained(self._address, "read"):
            async with self._engine.connect() as connection:
                this_one = calls.c.call_id == storable_key(call_id), calls.c.place.is_not(None)
                rows = (await connection.execute(select(calls.c.id).where(*this_one))).scalars().all()
                details = await load_details(connection, await load_summaries(connection, rows))
        return details[0] if details else None

    async def iter_calls(self, filters: CallFilter | None = None) -> AsyncIterator[CallSummary]:
        """All calls that are meant, newest first, in bounded memory."""
        async for page in self._pages(filters or CallFilter(), EXPORT_PAGE):
            for call in page:
                yield call

    async def iter_details(self, filters: CallFilter | None = None) -> AsyncIterator[CallDetail]:
        """The same, each call whole."""
        async for page in self._pages(filters or CallFilter(), WHOLE_CALLS_PAGE):
            with database.explained(self._address, "read"):
                async with self._engine.connect() as connection:
                    details = await load_details(connection, page)
            for detail in details:
                yield detail

    async def _pages(self, filters: CallFilter, size: int) -> AsyncIterator[list[CallSummary]]:
        before = TOP
        while page := await self.list_calls(filters, size, before):
            yield page
            before = page[-1].place
