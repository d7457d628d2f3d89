"""The call log's own housekeeping, as a service that starts and stops sees it."""

import asyncio

from bot.calllog.upkeep import Upkeep
from bot.errors import StoreError


class Interrupted(Upkeep):
    """Its query is cancelled on the way to the database, which says that it could not be asked."""

    def __init__(self) -> None:
        super().__init__(None, {})  # type: ignore[arg-type]  # nothing is asked of it
        self.is_asking = asyncio.Event()

    async def once(self, now: object) -> None:
        self.is_asking.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as exc:
            raise StoreError("the query was cut off") from exc


async def test_it_stops_also_when_a_query_turns_its_end_into_an_error():
    upkeep = Interrupted()
    upkeep.start()
    await upkeep.is_asking.wait()
    async with asyncio.timeout(2):
        await upkeep.close()
