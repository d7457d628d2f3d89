"""The figures of the overview as JSON."""

from typing import Annotated

from aiohttp import web
from msgspec import Meta

from bot.calllog.periods import Range
from bot.calllog.statistics import Statistics
from bot.review.api import Endpoint, Fields, json_answer
from bot.review.roles import Needs
from bot.review.site import site_of
from bot.review.statistics import statistics_for


class Wanted(Fields, frozen=True):
    range: Annotated[Range, Meta(description="Up to now: hours of the last day, or UTC days.")] = "7d"
    bot: Annotated[str, Meta(min_length=1, max_length=256, description="Leaves out all others.")] | None = None


async def get_statistics(request: web.Request, query: Wanted) -> web.Response:
    return json_answer(await statistics_for(site_of(request), query.range, query.bot))


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/statistics",
        "What the calls of a range come to, beside the stretch of time just as long before it",
        Needs.VIEWER,
        get_statistics,
        query=Wanted,
        answer=Statistics,
    ),
)
ROUTES = [endpoint.route for endpoint in ENDPOINTS]
