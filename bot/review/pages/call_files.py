"""The files of one call: its recording (also in parts, as players ask for it), its peaks, its transcript, all of it."""

import asyncio
import re
import wave
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

import aiohttp_jinja2
import msgspec
from aiohttp import web

from bot.calllog.detail import CallDetail, CallSummary
from bot.calllog.export import json_call
from bot.calllog.recorded import recording_of
from bot.privacy import mask_number
from bot.review.access_log import LookFilter
from bot.review.call.bundle import zip_pieces
from bot.review.call.delays import delays_of
from bot.review.call.happenings import everything, lines_of
from bot.review.call.peaks import PeaksKept, as_json
from bot.review.call.said import Said, turns_said, with_words
from bot.review.call.spending import spending_of
from bot.review.call.transcript_files import FILES
from bot.review.headers import PERSONAL
from bot.review.roles import Needs
from bot.review.routes import Route
from bot.review.site import looked, now, site_of
from bot.review.visitor import visitor_of

PATH = "/calls/{call_id}"
DOWNLOADS = ("txt", "srt", "vtt", "json")
PEAKS = web.AppKey("peaks", PeaksKept)
_STYLES, _SCRIPT = ("offhook.css", "call/call.css"), "call/offline.js"
_PATIENCE_S = 10.0  # somebody who downloads a transcript waits so long for the times of its words
_SAME_LOOK = timedelta(minutes=10)
"""A player asks for a recording in many parts; they are one look."""


class Sound(StrEnum):
    """Whether a call can be heard, and if not, why."""

    THERE = "there"
    NOT_RECORDED = "not_recorded"
    GONE = "gone"


async def sound_of(detail: CallDetail) -> Sound:
    if not detail.recordings:
        return Sound.NOT_RECORDED
    path = Path(detail.recordings[0].path)
    return Sound.THERE if await asyncio.to_thread(path.is_file) else Sound.GONE


async def recording(request: web.Request) -> web.StreamResponse:
    """The WAV, whole or the part that `Range` asks for; with `?download` as a file to keep."""
    path, call_id = await _recording_there(request), request.match_info["call_id"]
    headers = {"Content-Type": "audio/wav", "Cache-Control": PERSONAL}
    if "download" in request.query:
        await looked(request, call_id, "recording", "download")
        headers["Content-Disposition"] = attachment((await call_of(request)).call, "wav")
    else:
        await _played(request, call_id)
    return web.FileResponse(path, headers=headers)


async def peaks(request: web.Request) -> web.Response:
    """How loud each moment is: `bucket_ms`, and a byte a moment for caller and bot, as base64."""
    path = await _recording_there(request)
    try:
        found = await asyncio.to_thread(request.app[PEAKS].of, path)
    except (OSError, EOFError, wave.Error) as exc:
        raise web.HTTPNotFound from exc
    response = web.Response(body=as_json(found), content_type="application/json", headers={"Cache-Control": PERSONAL})
    response.enable_compression()
    return response


async def transcript(request: web.Request) -> web.Response:
    kind = request.match_info["kind"]
    stored = await call_of(request)
    detail = for_visitor(request, stored)
    if kind not in FILES:
        raise web.HTTPNotFound
    await looked(request, detail.call.call_id, "transcript", kind)
    media_type, write = FILES[kind]
    body = write(detail, await _said(request, stored), names_of(request))
    headers = {"Content-Disposition": attachment(detail.call, kind)}
    return web.Response(text=body, content_type=media_type, charset="utf-8", headers=headers)


async def _said(request: web.Request, stored: CallDetail) -> list[Said]:
    """The turns, with the times of their words if those can be had soon."""
    said = turns_said(stored.turns, stored.call.duration_ms or 0)
    return with_words(said, await site_of(request).word_times.find(stored, _PATIENCE_S) or ())


def names_of(request: web.Request) -> dict[str, str]:
    words = site_of(request).strings
    return {name: words(f"call.side.{name}") for name in ("caller", "bot", "unheard")}


async def call_of(request: web.Request) -> CallDetail:
    """Raises `HTTPNotFound`."""
    detail = await site_of(request).calllog.get_call(request.match_info["call_id"])
    if detail is None:
        raise web.HTTPNotFound
    return detail


def for_visitor(request: web.Request, detail: CallDetail) -> CallDetail:
    """The call as this visitor may take it away: without where its files are, and for viewers with masked numbers."""
    replace = msgspec.structs.replace
    paths = [replace(each, path=Path(each.path).name) for each in detail.recordings]
    detail = replace(detail, recordings=paths)
    if visitor_of(request).is_admin:
        return detail
    call = replace(
        detail.call, from_number=mask_number(detail.call.from_number), to_number=mask_number(detail.call.to_number)
    )
    messages = [replace(each, from_number=mask_number(each.from_number)) for each in detail.messages]
    return replace(detail, call=call, messages=messages)


def attachment(call: CallSummary, ending: str) -> str:
    """A name that says which call it is and that every file system takes."""
    call_id = re.sub(r"[^\w-]+", "-", call.call_id, flags=re.ASCII)[:60]
    return f'attachment; filename="call-{call.started_at:%Y-%m-%d-%H%M}-{call_id}.{ending}"'


async def _recording_there(request: web.Request) -> Path:
    """Raises `HTTPNotFound`."""
    async with site_of(request).storage.reading() as connection:
        path = await recording_of(connection, request.match_info["call_id"])
    if path is None or not await asyncio.to_thread(path.is_file):
        raise web.HTTPNotFound
    return path


async def _played(request: web.Request, call_id: str) -> None:
    seen = await site_of(request).access_log.page(
        LookFilter(who=visitor_of(request).who, call_id=call_id, what="recording"), 1
    )
    if not seen or now() - seen[0].at > _SAME_LOOK:
        await looked(request, call_id, "recording")


async def everything_in_one(request: web.Request) -> web.StreamResponse:
    """The zip: a page that opens offline, the recording, the transcript in its forms, and the call as JSON."""
    stored = await call_of(request)
    await looked(request, stored.call.call_id, "export", "zip")
    detail = for_visitor(request, stored)
    path = Path(stored.recordings[0].path) if await sound_of(stored) is Sound.THERE else None
    said = await _said(request, stored)
    files = await asyncio.to_thread(_files, request, detail, said, path is not None)
    response = web.StreamResponse(headers={"Content-Disposition": attachment(detail.call, "zip")})
    response.content_type = "application/zip"
    await response.prepare(request)
    pieces = zip_pieces(files, path, stored.call.started_at)
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        await response.write(piece)
    await response.write_eof()
    return response


def _files(request: web.Request, detail: CallDetail, said: list[Said], has_recording: bool) -> list[tuple[str, bytes]]:
    assets = site_of(request).assets
    styles = [asset.body for name in _STYLES if (asset := assets.find(name)) is not None]
    script = assets.find(_SCRIPT)
    names = names_of(request)
    return [
        ("index.html", offline_page(request, detail, said, has_recording).encode()),
        ("page.css", b"\n".join(styles)),
        ("page.js", b"" if script is None else script.body),
        *((f"transcript.{kind}", write(detail, said, names).encode()) for kind, (_, write) in FILES.items()),
        ("call.json", json_call(detail).encode()),
    ]


def offline_page(request: web.Request, detail: CallDetail, said: list[Said], has_recording: bool) -> str:
    happenings = everything(detail, said)
    values = {
        "call": detail.call,
        "said": said,
        "has_recording": has_recording,
        "delays": delays_of(detail.turns),
        "spending": spending_of(detail.events),
        "lines": lines_of(happenings, site_of(request).strings),
    }
    return aiohttp_jinja2.render_string("call_offline.html", request, values)


ROUTES = [
    Route("GET", f"{PATH}/recording.wav", recording, Needs.VIEWER),
    Route("GET", f"{PATH}/peaks", peaks, Needs.VIEWER),
    Route("GET", f"{PATH}/transcript.{{kind}}", transcript, Needs.VIEWER),
    Route("GET", f"{PATH}/call.zip", everything_in_one, Needs.VIEWER),
]
