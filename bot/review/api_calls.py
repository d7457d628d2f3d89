"""The calls as JSON: the list, its length, one call, the selection as a file, and deleting a call."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from aiohttp import web
from msgspec import Meta

from bot.calllog import deletion, export
from bot.calllog.detail import CallDetail, CallSummary, ListedCall
from bot.calllog.excerpts import Excerpt
from bot.calllog.filters import CallFilter
from bot.calllog.schema import TOP
from bot.calllog.upkeep import delete_call
from bot.privacy import mask_number, without_numbers
from bot.review.api import Endpoint, Fields, Nothing, done, json_answer, status_error
from bot.review.roles import Needs
from bot.review.site import looked, now, site_of
from bot.review.visitor import visitor_of

CHUNK_BYTES = 64 * 1024
_EARLIEST, _LATEST = datetime(1970, 1, 2, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)

Word = Annotated[str, Meta(min_length=1, max_length=256)]
Moment = Annotated[datetime, Meta(tz=True)]
Milliseconds = Annotated[int, Meta(ge=0, le=(1 << 31) - 1)]
Flag = Literal["error", "slow_reply", "failed_transfer", "no_words", "apology", "silence", "gap"]


# -- what comes in ----------------------------------------------------------------------------------------------------


class Selection(Fields, frozen=True):
    """Which calls are meant; each parameter narrows."""

    q: Annotated[str, Meta(max_length=400, description='What was said: words, "phrases", begin*.')] = ""
    bot: Word | None = None
    carrier: Word | None = None
    end_reason: Word | None = None
    number: Annotated[Word, Meta(description="Either party's, whole.")] | None = None
    number_part: Annotated[str, Meta(min_length=3, max_length=256, description="For admins.")] | None = None
    since: Moment | None = None
    until: Annotated[Moment, Meta(description="Exclusive.")] | None = None
    min_ms: Annotated[Milliseconds, Meta(description="How long the call lasted at least.")] | None = None
    max_ms: Milliseconds | None = None
    flag: tuple[Flag, ...] = ()
    tool: Word | None = None
    verdict: Literal["good", "bad", "unsure", "none"] | None = None
    tag: Word | None = None
    live: bool | None = None
    unread: Annotated[bool, Meta(description="Whether a message is unread.")] | None = None


class Page(Selection, frozen=True):
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    before: Annotated[str, Meta(pattern="^[0-9]{1,19}$", description="`next` of the page above.")] | None = None


class Export(Selection, frozen=True):
    format: Literal["csv", "jsonl"] = "csv"


class Why(Fields, frozen=True):
    why: Annotated[str, Meta(max_length=256, description="Stays with the note that the call was deleted.")] = ""


def wanted_calls(request: web.Request, selection: Selection) -> CallFilter:
    """Raises the 403 for what only admins may look for."""
    if selection.number_part is not None and not visitor_of(request).is_admin:
        raise status_error(403, "Only admins may look for a part of a number.")
    return CallFilter(
        text=selection.q or None,
        bot=selection.bot,
        carrier=selection.carrier,
        end_reason=selection.end_reason,
        number=selection.number,
        number_part=selection.number_part,
        since=_reachable(selection.since),
        until=_reachable(selection.until),
        min_ms=selection.min_ms,
        max_ms=selection.max_ms,
        flags=tuple(dict.fromkeys(selection.flag)),
        tool=selection.tool,
        verdict=selection.verdict,
        tag=selection.tag,
        is_live=selection.live,
        has_unread_message=selection.unread,
    )


def _reachable(moment: datetime | None) -> datetime | None:
    """No call was before or will be after; databases know fewer years than people can write."""
    return None if moment is None else min(max(moment, _EARLIEST), _LATEST)


def _place(before: str | None) -> int:
    place = TOP if before is None else int(before)
    if place > TOP:
        raise status_error(400, "before is no place in the list.")
    return place


# -- what goes out ----------------------------------------------------------------------------------------------------


class Piece(msgspec.Struct, frozen=True):
    text: str
    is_hit: bool


class Found(msgspec.Struct, frozen=True):
    """A piece of a turn in which something was found."""

    turn_index: int
    role: str
    started_ms: int
    at_ms: Annotated[int, Meta(description="When about the first hit was said; the call's page takes it as #t=.")]
    pieces: list[Piece]


class CallLine(msgspec.Struct, frozen=True):
    """A call of the list. What only the end can tell is null until then."""

    call_id: str
    carrier: str
    carrier_call_id: str
    bot: str
    direction: str
    from_number: Annotated[str, Meta(description="Masked for viewers.")]
    to_number: str
    started_at: datetime
    ended_at: datetime | None
    is_live: bool
    duration_ms: int | None
    end_reason: str | None
    turns: int | None
    interruptions: int | None
    reply_p50_ms: int | None
    reply_p95_ms: int | None
    cost_microdollars: int | None
    flags: list[str]
    tools: list[str]
    verdict: str | None
    note: str | None
    messages: int
    unread_messages: int
    found: list[Found]


class Calls(msgspec.Struct, frozen=True):
    calls: list[CallLine]
    next: Annotated[str | None, Meta(description="`before` of the next page; null at the end.")]


class Count(msgspec.Struct, frozen=True):
    count: int
    is_exact: Annotated[bool, Meta(description="False: there are more.")]


class Turn(msgspec.Struct, frozen=True):
    index: int
    role: str
    kind: str
    started_ms: int
    ended_ms: int | None
    text: str
    heard_text: str | None
    generated_ms: int
    sent_ms: int
    heard_ms: int
    interrupted: bool
    endpointing_ms: int | None
    transcription_ms: int | None
    response_ms: int | None
    synthesis_ms: int | None
    reply_ms: int | None


class Event(msgspec.Struct, frozen=True):
    at_ms: int
    kind: str
    data: dict[str, Any]


class Message(msgspec.Struct, frozen=True):
    message_id: int
    turn_index: int
    at_ms: int
    duration_ms: int
    text: str
    from_number: str
    read_at: datetime | None


class Recording(msgspec.Struct, frozen=True):
    format: str
    rate_hz: int
    channels: int
    duration_ms: int
    size_bytes: int


class ReviewSaid(msgspec.Struct, frozen=True):
    at: datetime
    by: str
    kind: str
    value: str


class Call(msgspec.Struct, frozen=True):
    """One call whole; times in ms are on the call's one clock."""

    call: CallLine
    config: Annotated[dict[str, Any], Meta(description="What the bot ran with.")]
    counters: dict[str, int]
    turns: list[Turn]
    events: list[Event]
    messages: list[Message]
    recordings: list[Recording]
    tags: list[str]
    reviews: list[ReviewSaid]


def call_line(call: CallSummary, excerpts: list[Excerpt], *, full_numbers: bool) -> CallLine:
    values = {name: getattr(call, name) for name in CallLine.__struct_fields__ if hasattr(call, name)}
    values |= {"is_live": call.ended_at is None, "flags": call.flags or [], "tools": call.tools or []}
    if not full_numbers:
        values |= {name: mask_number(values[name]) for name in ("from_number", "to_number")}
    found = [
        Found(hit.turn_index, hit.role, hit.started_ms, hit.at_ms, [Piece(*piece) for piece in hit.pieces])
        for hit in excerpts
    ]
    return CallLine(**values, found=found)


def _whole(detail: CallDetail, *, full_numbers: bool) -> Call:
    return Call(
        call=call_line(detail.call, [], full_numbers=full_numbers),
        config=detail.config if full_numbers else without_numbers(detail.config),
        counters=detail.counters,
        turns=[_same(Turn, turn) for turn in detail.turns],
        events=[_same(Event, event) for event in detail.events],
        messages=[_message(_same(Message, message), full_numbers=full_numbers) for message in detail.messages],
        recordings=[_same(Recording, recording) for recording in detail.recordings],
        tags=detail.tags,
        reviews=[_same(ReviewSaid, review) for review in detail.reviews],
    )


def _same(kind: Any, value: msgspec.Struct) -> Any:
    """The fields of the API's type, from the call log's."""
    return kind(**{name: getattr(value, name) for name in kind.__struct_fields__})


def _message(message: Message, *, full_numbers: bool) -> Message:
    return message if full_numbers else msgspec.structs.replace(message, from_number=mask_number(message.from_number))


# -- handlers ---------------------------------------------------------------------------------------------------------


async def list_calls(request: web.Request, query: Page) -> web.Response:
    filters, before = wanted_calls(request, query), _place(query.before)
    page = await site_of(request).calllog.page(filters, query.limit, before)
    full_numbers = visitor_of(request).is_admin
    lines = [_listed(listed, full_numbers=full_numbers) for listed in page.calls]
    return json_answer(Calls(lines, None if page.next is None else str(page.next)))


def _listed(listed: ListedCall, *, full_numbers: bool) -> CallLine:
    return call_line(listed.call, listed.excerpts, full_numbers=full_numbers)


async def count_calls(request: web.Request, query: Selection) -> web.Response:
    counted = await site_of(request).calllog.count_calls(wanted_calls(request, query))
    return json_answer(Count(counted.calls, counted.is_exact))


async def get_call(request: web.Request, _: Nothing) -> web.Response:
    call_id = request.match_info["call_id"]
    detail = await site_of(request).calllog.get_call(call_id)
    if detail is None:
        raise await no_such_call(request, call_id)
    await looked(request, detail.call.call_id, "call", "api")
    return json_answer(_whole(detail, full_numbers=visitor_of(request).is_admin))


async def delete(request: web.Request, query: Why) -> web.Response:
    call_id = request.match_info["call_id"]
    site = site_of(request)
    asked = await delete_call(site.calllog, call_id, visitor_of(request).who, query.why, now())
    if asked == "live":
        raise status_error(409, "The call is live: hang up first.")
    if asked == "absent":
        raise await no_such_call(request, call_id)
    await looked(request, call_id, "deletion", query.why)
    return done()


async def no_such_call(request: web.Request, call_id: str) -> web.HTTPException:
    """What to answer where there is no such call: 410 if there was one."""
    async with site_of(request).storage.reading() as connection:
        deleted = await deletion.find(connection, call_id)
    if deleted is None:
        return status_error(404, "There is no such call.")
    return status_error(410, f"This call was deleted on {deleted.asked_at:%Y-%m-%d} by {deleted.by}.")


async def export_calls(request: web.Request, query: Export) -> web.StreamResponse:
    """The selection as a file, written as it is read: a million calls need no more memory than one."""
    filters = wanted_calls(request, query)
    await looked(request, None, "export", request.query_string)
    response = web.StreamResponse()
    response.content_type = _MEDIA_TYPES[query.format]
    response.charset = "utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="calls.{query.format}"'
    await response.prepare(request)
    async for chunk in _chunks(_pieces(request, filters, query.format)):
        await response.write(chunk)
    await response.write_eof()
    return response


_MEDIA_TYPES = {"csv": "text/csv", "jsonl": "application/x-ndjson"}


def _pieces(request: web.Request, filters: CallFilter, format_: str) -> AsyncIterator[str]:
    calllog = site_of(request).calllog
    if format_ == "csv":
        return export.csv_lines(calllog.iter_calls(filters))
    return export.json_lines(calllog.iter_details(filters))


async def _chunks(pieces: AsyncIterator[str]) -> AsyncIterator[bytes]:
    """Small pieces together, so that not each line is a packet."""
    waiting = bytearray()
    async for piece in pieces:
        waiting += piece.encode()
        if len(waiting) >= CHUNK_BYTES:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)


ENDPOINTS = (
    Endpoint(
        "GET", "/api/calls", "A page of calls, the newest first", Needs.VIEWER, list_calls, query=Page, answer=Calls
    ),
    Endpoint("GET", "/api/calls/count", "How many calls are meant", Needs.VIEWER, count_calls, Selection, answer=Count),
    Endpoint(
        "GET",
        "/api/calls/export",
        "The selection as a file: CSV has a line for each call, JSON Lines has calls whole",
        Needs.ADMIN,
        export_calls,
        query=Export,
        files=tuple(_MEDIA_TYPES.values()),
    ),
    Endpoint("GET", "/api/calls/{call_id}", "One call whole", Needs.VIEWER, get_call, answer=Call, problems=(404, 410)),
    Endpoint(
        "DELETE",
        "/api/calls/{call_id}",
        "Delete a call, with its recordings",
        Needs.ADMIN,
        delete,
        query=Why,
        problems=(404, 409, 410),
    ),
)
ROUTES = [endpoint.route for endpoint in ENDPOINTS]
