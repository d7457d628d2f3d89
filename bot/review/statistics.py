"""The statistics of a range that ends now: counted once for all who ask within a few seconds."""

import asyncio

from bot.calllog.periods import Range, period_of
from bot.calllog.statistics import Statistics, count_period, statistics_of
from bot.review.site import Site, now


async def statistics_for(site: Site, range_: Range, bot: str | None) -> Statistics:
    """Raises `StoreError` where the call log cannot be read."""
    return await site.statistics.get(
        (range_, bot), lambda: _count(site, range_, bot), asyncio.get_running_loop().time()
    )


async def _count(site: Site, range_: Range, bot: str | None) -> Statistics:
    """Both stretches of time at once, each by a connection of its own."""
    period = period_of(range_, now())
    async with site.storage.reading() as of_now, site.storage.reading() as of_before:
        counted, before = await asyncio.gather(
            count_period(of_now, period, bot),
            count_period(of_before, period.before, bot, with_delays_by_bot=False),
        )
    return statistics_of(period, bot, counted, before)
