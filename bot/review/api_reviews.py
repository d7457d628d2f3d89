"""What reviewers say of calls, as JSON: verdict, note, tags, and whether a message was read."""

from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from bot.calllog import reviews
from bot.calllog.filters import Verdict
from bot.review.api import Endpoint, Fields, Nothing, done, json_answer, status_error
from bot.review.api_calls import no_such_call
from bot.review.roles import Needs
from bot.review.site import now, site_of
from bot.review.visitor import visitor_of


class VerdictGiven(Fields, frozen=True):
    verdict: Verdict | None
    """null takes it back."""


class NoteWritten(Fields, frozen=True):
    note: Annotated[str, Meta(max_length=10_000)]


class TagAdded(Fields, frozen=True):
    tag: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\s\x00-\x1f](.*[^\s])?$")]


class MessageRead(Fields, frozen=True):
    is_read: bool


class Tags(msgspec.Struct, frozen=True):
    tags: list[str]


async def put_verdict(request: web.Request, _: Nothing, body: VerdictGiven) -> web.Response:
    call_id = request.match_info["call_id"]
    async with site_of(request).storage.writing() as connection:
        there = await reviews.set_verdict(connection, call_id, body.verdict, visitor_of(request).who, now())
    return await _done_if(there, request, call_id)


async def put_note(request: web.Request, _: Nothing, body: NoteWritten) -> web.Response:
    call_id = request.match_info["call_id"]
    async with site_of(request).storage.writing() as connection:
        there = await reviews.set_note(connection, call_id, body.note, visitor_of(request).who, now())
    return await _done_if(there, request, call_id)


async def post_tag(request: web.Request, _: Nothing, body: TagAdded) -> web.Response:
    call_id = request.match_info["call_id"]
    async with site_of(request).storage.writing() as connection:
        added = await reviews.add_tag(connection, call_id, body.tag, visitor_of(request).who, now())
    if added == "full":
        raise status_error(409, f"A call has {reviews.MAX_TAGS} tags at most: take one away first.")
    return await _done_if(added == "added", request, call_id)


async def delete_tag(request: web.Request, _: Nothing) -> web.Response:
    call_id, tag = request.match_info["call_id"], request.match_info["tag"]
    async with site_of(request).storage.writing() as connection:
        there = await reviews.remove_tag(connection, call_id, tag, visitor_of(request).who, now())
    return await _done_if(there, request, call_id)


async def put_message(request: web.Request, _: Nothing, body: MessageRead) -> web.Response:
    message_id = message_number(request.match_info["message_id"])
    async with site_of(request).storage.writing() as connection:
        by = visitor_of(request).who
        there = await reviews.mark_message(connection, message_id, by, now(), is_read=body.is_read)
    if not there:
        raise status_error(404, "There is no such message.")
    return done()


def message_number(text: str) -> int:
    """0, which no message has, for what is no number."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else 0


async def get_tags(request: web.Request, _: Nothing) -> web.Response:
    async with site_of(request).storage.reading() as connection:
        return json_answer(Tags(await reviews.used_tags(connection)))


async def _done_if(there: bool, request: web.Request, call_id: str) -> web.Response:
    if not there:
        raise await no_such_call(request, call_id)
    return done()


_CALL = "/api/calls/{call_id}"
ENDPOINTS = (
    Endpoint(
        "PUT",
        f"{_CALL}/verdict",
        "Judge a call",
        Needs.VIEWER,
        put_verdict,
        body=VerdictGiven,
        problems=(404, 410, 413, 415),
    ),
    Endpoint(
        "PUT",
        f"{_CALL}/note",
        "Write the call's note",
        Needs.VIEWER,
        put_note,
        body=NoteWritten,
        problems=(404, 410, 413, 415),
    ),
    Endpoint(
        "POST",
        f"{_CALL}/tags",
        "Add a tag",
        Needs.VIEWER,
        post_tag,
        body=TagAdded,
        problems=(404, 409, 410, 413, 415),
    ),
    Endpoint("DELETE", f"{_CALL}/tags/{{tag}}", "Take a tag away", Needs.VIEWER, delete_tag, problems=(404, 410)),
    Endpoint(
        "PUT",
        "/api/messages/{message_id}",
        "Say that a message was dealt with, or was not",
        Needs.VIEWER,
        put_message,
        body=MessageRead,
        problems=(404, 413, 415),
    ),
    Endpoint("GET", "/api/tags", "The tags there are", Needs.VIEWER, get_tags, answer=Tags),
)
ROUTES = [endpoint.route for endpoint in ENDPOINTS]
