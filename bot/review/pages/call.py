"""The page of one call: what was said, heard and done, all on the call's one clock.

A long call's page is put together on a thread: the event loop carries calls.
"""

import asyncio
import json
from typing import Any

import msgspec
from aiohttp import web

from bot.calllog import deletion
from bot.calllog.detail import CallDetail
from bot.privacy import without_numbers
from bot.review.call.delays import delays_of
from bot.review.call.happenings import LONG_CHARS, PAGE, SHORT_CHARS, Happening, Line, everything, lines_of
from bot.review.call.lanes import lanes_of
from bot.review.call.said import SHOWN_CHARS, Said, turns_said
from bot.review.call.spending import spending_of
from bot.review.pages.call_files import DOWNLOADS, Sound, sound_of
from bot.review.render import render
from bot.review.roles import Needs
from bot.review.routes import Route
from bot.review.site import looked, site_of
from bot.review.visitor import visitor_of

PATH = "/calls/{call_id}"
_VERDICTS = ("good", "bad", "unsure")


class Lines(msgspec.Struct, frozen=True):
    """A stretch of everything that happened; `next` is where it goes on, None at the end."""

    lines: list[Line]
    next: int | None


async def show(request: web.Request) -> web.Response:
    call_id = request.match_info["call_id"]
    detail = await site_of(request).calllog.get_call(call_id)
    if detail is None:
        return await _show_deleted(request, call_id)
    await looked(request, detail.call.call_id, "call")
    return await asyncio.to_thread(_page, request, detail, await sound_of(detail))


def _page(request: web.Request, detail: CallDetail, sound: Sound) -> web.Response:
    return render(request, "call.html", _values(request, detail, sound))


async def happened(request: web.Request) -> web.Response:
    """More of everything that happened: from its place `from` on, or with `whole` one of them with all it has."""
    detail = await site_of(request).calllog.get_call(request.match_info["call_id"])
    if detail is None:
        raise web.HTTPNotFound
    first, is_whole = _place(request.query.get("from", "0")), "whole" in request.query
    found = await asyncio.to_thread(lambda: everything(detail, turns_said(detail.turns, length_ms(detail))))
    wanted = found[first : first + (1 if is_whole else PAGE)]
    if is_whole and wanted and wanted[0].kind == "tool_began":
        wanted += [each for each in found if _is_end_of(each, wanted[0])]
    lines = lines_of(wanted, site_of(request).strings, LONG_CHARS if is_whole else SHORT_CHARS)
    next_place = first + PAGE if first + PAGE < len(found) else None
    return web.Response(body=msgspec.json.encode(Lines(lines, next_place)), content_type="application/json")


def _is_end_of(happening: Happening, began: Happening) -> bool:
    return happening.kind == "tool_ended" and happening.facts.get("job") == began.facts.get("job")


def _place(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise web.HTTPBadRequest
    return int(text)


async def _show_deleted(request: web.Request, call_id: str) -> web.Response:
    async with site_of(request).storage.reading() as connection:
        deleted = await deletion.find(connection, call_id)
    if deleted is None:
        raise web.HTTPNotFound
    return render(request, "call_deleted.html", {"deleted": deleted}, status=410)


def length_ms(detail: CallDetail) -> int:
    """How long the call's clock ran; of a live call, as far as anything is known."""
    known = [detail.call.duration_ms or 0, *(turn.ended_ms or turn.started_ms for turn in detail.turns)]
    known += [recording.duration_ms for recording in detail.recordings]
    known += [event.at_ms for event in detail.events[-1:]]
    return max(known)


def _values(request: web.Request, detail: CallDetail, sound: Sound) -> dict[str, Any]:
    length = length_ms(detail)
    said = turns_said(detail.turns, length)
    happenings = everything(detail, said)
    config = detail.config if visitor_of(request).is_admin else without_numbers(detail.config)
    return {
        "call": detail.call,
        "detail": detail,
        "length_ms": length,
        "said": [_shortened(turn) for turn in said],
        "lanes": lanes_of(happenings, length),
        "lines": lines_of(happenings[:PAGE], site_of(request).strings),
        "happening_count": len(happenings),
        "more_from": PAGE if len(happenings) > PAGE else None,
        "delays": delays_of(detail.turns),
        "spending": spending_of(detail.events),
        "config": [(name, _plain(value)) for name, value in config.items()],
        "sound": sound,
        "downloads": DOWNLOADS,
        "verdicts": _VERDICTS,
        "shown_chars": SHOWN_CHARS,
    }


def _shortened(turn: Said) -> Said:
    """A turn as the page has it; `left_out` of the template is the rest."""
    if len(turn.heard) + len(turn.unheard) <= SHOWN_CHARS:
        return turn
    heard = turn.heard[:SHOWN_CHARS]
    return msgspec.structs.replace(turn, heard=heard + "…", unheard=turn.unheard[: SHOWN_CHARS - len(heard)])


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


ROUTES = [
    Route("GET", PATH, show, Needs.VIEWER),
    Route("GET", f"{PATH}/happened", happened, Needs.VIEWER),
]
