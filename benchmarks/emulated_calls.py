"""How punctual the emulated phone network is: lateness of the callers' frames, by the number of calls at once.

The service answers every frame with itself (an echo), in the same process: the caller's end does all of its work, and
half of the CPU is the service's. The reference is a bare 20 ms timer in the same event loop, without any call.

    python benchmarks/emulated_calls.py
"""

import asyncio
import time

import numpy as np
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.rehearsal.caller import HangUp, Say, ScriptedCaller
from bot.rehearsal.report import CallReport, Lateness, lateness
from bot.rehearsal.twilio import place_call
from media.level import tone

SECONDS = 5
CALLS = (1, 10, 20, 40)


async def voice(request: web.Request) -> web.Response:
    url = f"ws://{request.host}/media"
    return web.Response(text=f'<Response><Connect><Stream url="{url}"/></Connect></Response>', content_type="text/xml")


async def media(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        if '"event":"media"' in message.data:
            await socket.send_str(message.data)
    return socket


async def bare_timer() -> Lateness:
    loop = asyncio.get_running_loop()
    begun, late_s = loop.time(), []
    for frame in range(1, SECONDS * 50 + 1):
        due = begun + frame * 0.02
        await asyncio.sleep(max(0.0, due - loop.time()))
        late_s.append(loop.time() - due)
    return lateness(late_s)


async def calls(count: int, url: str) -> tuple[list[CallReport], float]:
    """The reports, and the CPU that one call took of one core."""
    speech = tone(440, SECONDS * 1000, 8000)
    cpu_s = time.process_time()
    reports = await asyncio.gather(
        *(place_call(url, ScriptedCaller([Say(speech), HangUp()]), auth_token="x") for _ in range(count))
    )
    return reports, (time.process_time() - cpu_s) / count / SECONDS


def row(name: str, late: Lateness, gap_ms: float | None, cpu: float | None) -> None:
    rest = "" if gap_ms is None or cpu is None else f"{gap_ms:10.0f}{cpu * 1000:16.1f}"
    print(f"{name:<14}{late.p50_ms:8.2f}{late.p99_ms:8.2f}{late.max_ms:8.2f}{rest}")


async def main() -> None:
    app = web.Application()
    app.router.add_post("/twilio/voice", voice)
    app.router.add_get("/media", media)
    print(f"{'late by, ms':<14}{'p50':>8}{'p99':>8}{'most':>8}{'gaps, ms':>10}{'CPU ms/call-s':>16}")
    row("bare timer", await bare_timer(), None, None)
    async with TestServer(app) as server:
        for count in CALLS:
            reports, cpu = await calls(count, str(server.make_url("/")))
            worst = Lateness(
                float(np.median([report.lateness.p50_ms for report in reports])),
                max(report.lateness.p99_ms for report in reports),
                max(report.lateness.max_ms for report in reports),
            )
            row(f"{count} calls", worst, sum(report.gap_ms for report in reports), cpu)


if __name__ == "__main__":
    asyncio.run(main())
