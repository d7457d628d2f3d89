"""When the words of a call were said, as JSON. Found at the first asking, which takes a while: then it says so."""

from typing import Annotated, Literal

import msgspec
from aiohttp import web
from msgspec import Meta

from bot.analysis.call_words import TurnWords
from bot.review.api import Endpoint, Nothing, json_answer
from bot.review.api_calls import no_such_call
from bot.review.roles import Needs
from bot.review.site import site_of

_PATIENCE_S = 4.0


class Words(msgspec.Struct, frozen=True):
    """By turn; `letter` is where a word stands in what was heard of the turn, counted in code points."""

    state: Annotated[
        Literal["found", "coming", "none"],
        Meta(description="Coming: ask again in a few seconds. None: not recorded, live, or no model to find them."),
    ]
    turns: list[TurnWords]


async def get_words(request: web.Request, _: Nothing) -> web.Response:
    call_id = request.match_info["call_id"]
    site = site_of(request)
    detail = await site.calllog.get_call(call_id)
    if detail is None:
        raise await no_such_call(request, call_id)
    found = await site.word_times.find(detail, _PATIENCE_S)
    response = json_answer(Words("coming" if found is None else "found" if found else "none", found or []))
    response.enable_compression()
    return response


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/calls/{call_id}/words",
        "When each word of a recorded call was said",
        Needs.VIEWER,
        get_words,
        answer=Words,
        problems=(404, 410),
    ),
)
ROUTES = [endpoint.route for endpoint in ENDPOINTS]
