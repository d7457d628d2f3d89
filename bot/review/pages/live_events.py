"""One call as it goes on, for pages that show it: `turn` (again as more of it is heard), `happened`, `ended`."""

import asyncio

from aiohttp import web

from bot.calllog.records import CallEnded, Record, TimelineEvent, TurnRecord
from bot.live_calls import LIVE_CALLS
from bot.review.event_stream import EventStream
from bot.review.roles import Needs
from bot.review.routes import Route
from bot.review.site import looked, site_of

_MOST_WAITING = 10_000


async def stream(request: web.Request) -> web.StreamResponse:
    """What was written of the call so far, then everything else when it happens, until its end."""
    call_id, live = request.match_info["live_call"], request.app[LIVE_CALLS]
    records: asyncio.Queue[Record] = asyncio.Queue()

    def watch(record: Record) -> None:
        if records.qsize() < _MOST_WAITING:  # a page that does not read
            records.put_nowait(record)

    with live.watched_by(call_id, watch):
        await live.written()
        call = await site_of(request).calllog.get_call(call_id)
        if call is None:
            raise web.HTTPNotFound
        await looked(request, call_id, "live")
        events = EventStream(request)
        try:
            for turn in call.turns:
                await events.send("turn", turn)
            if call.call.end_reason is not None:
                await events.send("ended", {"reason": call.call.end_reason, "duration_ms": call.call.duration_ms})
                return await events.end()
            await _follow(events, records)
        except ConnectionError:
            return events.response
        return await events.end()


async def _follow(events: EventStream, records: "asyncio.Queue[Record]") -> None:
    while True:
        match await events.next(records):
            case TurnRecord() as turn:
                await events.send("turn", turn)
            case TimelineEvent(_, at_ms, kind, data):
                await events.send("happened", {"at_ms": at_ms, "kind": kind, "data": data})
            case CallEnded() as ended:
                await events.send("ended", {"reason": ended.end_reason, "duration_ms": ended.duration_ms})
                return


ROUTES = [Route("GET", "/live/{live_call}/events", stream, Needs.VIEWER)]
