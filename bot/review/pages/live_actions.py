"""What somebody who watches a call can do: listen in, say a sentence, put the caller through, hang up."""

import asyncio
from typing import TypeVar

import msgspec
from aiohttp import web

from bot.calllog.records import CallEnded, Record
from bot.errors import VoiceError
from bot.live_calls import LIVE_CALLS, LONGEST_SENTENCE, NotLiveError
from bot.review.headers import PERSONAL
from bot.review.roles import Needs
from bot.review.routes import Route
from bot.review.site import looked, site_of
from bot.review.visitor import visitor_of

T = TypeVar("T", bound=msgspec.Struct)

_MOST_WAITING_BLOCKS = 40
"""Half a minute of sound; who is further behind has stopped listening."""


class Sentence(msgspec.Struct, forbid_unknown_fields=True):
    text: str


class Destination(msgspec.Struct, forbid_unknown_fields=True):
    destination: str


async def say(request: web.Request) -> web.Response:
    """Have the bot say a sentence."""
    site, text = site_of(request), (await _body(request, Sentence)).text.strip()
    if not text or len(text) > LONGEST_SENTENCE:
        raise web.HTTPBadRequest(text=site.strings("live.sentence_problem", most=LONGEST_SENTENCE))
    call_id, by = _asked(request)
    try:
        await request.app[LIVE_CALLS].say(call_id, text, by)
    except NotLiveError as exc:
        raise web.HTTPNotFound(text=site.strings("live.over")) from exc
    except VoiceError as exc:
        raise web.HTTPServiceUnavailable(text=str(exc)) from exc
    return web.Response(status=204)


async def transfer(request: web.Request) -> web.Response:
    """Put the caller through."""
    site, wanted = site_of(request), await _body(request, Destination)
    call_id, by = _asked(request)
    try:
        await request.app[LIVE_CALLS].transfer(call_id, wanted.destination, by)
    except NotLiveError as exc:
        raise web.HTTPNotFound(text=site.strings("live.over")) from exc
    except LookupError as exc:
        raise web.HTTPBadRequest(text=site.strings("live.no_destination")) from exc
    return web.Response(status=204)


async def hang_up(request: web.Request) -> web.Response:
    """End the call."""
    call_id, by = _asked(request)
    try:
        await request.app[LIVE_CALLS].hang_up(call_id, by)
    except NotLiveError as exc:
        raise web.HTTPNotFound(text=site_of(request).strings("live.over")) from exc
    return web.Response(status=204)


async def listen(request: web.Request) -> web.StreamResponse:
    """The call's sound from now on: 16-bit little-endian stereo, the caller left; its rate is in `X-Rate-Hz`."""
    call_id, live = request.match_info["live_call"], request.app[LIVE_CALLS]
    blocks: asyncio.Queue[bytes] = asyncio.Queue()  # an empty one is the end

    def take(block: bytes) -> None:
        if blocks.qsize() < _MOST_WAITING_BLOCKS:
            blocks.put_nowait(block)

    def end(record: Record) -> None:
        if isinstance(record, CallEnded):
            blocks.put_nowait(b"")

    try:
        with live.overheard_by(call_id, take) as rate_hz, live.watched_by(call_id, end):
            await looked(request, call_id, "listen")
            headers = {
                "Content-Type": "application/octet-stream",
                "Cache-Control": PERSONAL,
                "X-Rate-Hz": str(rate_hz),
            }
            response = web.StreamResponse(headers=headers)
            await response.prepare(request)
            while block := await blocks.get():
                await response.write(block)
    except NotLiveError as exc:
        raise web.HTTPNotFound(text=site_of(request).strings("live.over")) from exc
    except ConnectionError:
        return response
    await response.write_eof()
    return response


def _asked(request: web.Request) -> tuple[str, str]:
    return request.match_info["live_call"], visitor_of(request).who


async def _body(request: web.Request, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise web.HTTPBadRequest(text=str(exc)) from exc


ROUTES = [
    Route("POST", "/live/{live_call}/say", say, Needs.ADMIN),
    Route("POST", "/live/{live_call}/transfer", transfer, Needs.ADMIN),
    Route("POST", "/live/{live_call}/hang-up", hang_up, Needs.ADMIN),
    Route("GET", "/live/{live_call}/sound", listen, Needs.VIEWER),
]
