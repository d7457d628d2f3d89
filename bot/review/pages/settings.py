"""The settings as they are, and whether they work: webhooks to copy, engines, bots, and what the doctor finds.

The checks ask carriers and model servers, so they run when an admin asks for them, never because a page is looked at.
"""

import asyncio
from collections.abc import Iterator

from aiohttp import web

from bot.config import BotConfig
from bot.doctor.examination import examine
from bot.doctor.findings import Report
from bot.doctor.twilio_account import STATUS_PATH, VOICE_PATH, webhook_url
from bot.doctor.wanted_engines import wanted_engines
from bot.review.render import has_page, render
from bot.review.roles import Needs
from bot.review.routes import Route
from bot.review.site import Site, site_of
from bot.speech.engine_names import server_of

PATH = "/settings"


async def show(request: web.Request) -> web.Response:
    return _page(request, site_of(request).report)


async def check(request: web.Request) -> web.Response:
    """Answers with the page itself: another process, to which a redirect might lead, has not looked."""
    site = site_of(request)
    site.report = await site.examinations.get(
        PATH, lambda: examine(site.config, site.public_url), asyncio.get_running_loop().time()
    )
    return _page(request, site.report)


def _page(request: web.Request, report: Report | None) -> web.Response:
    site = site_of(request)
    twilio = site.config.carriers.twilio
    values = {
        "report": report,
        "sentence": sentence,
        "account": twilio.account_sid if twilio is not None and twilio.api_base else "",
        "voice_webhook": webhook_url(site.public_url, VOICE_PATH),
        "status_webhook": webhook_url(site.public_url, STATUS_PATH),
        "engines": list(_engines(site)),
        "bots": [(bot, list(_parts(bot)), _tools(bot)) for bot in site.config.bots],
        "has_phone": has_page(request.app, "/phone"),
    }
    return render(request, "settings.html", values)


def sentence(text: str) -> str:
    """With a capital, unless it begins with an address, a path or the name of a setting."""
    first = text.partition(" ")[0]
    return text[:1].upper() + text[1:] if first.isalpha() else text


def _engines(site: Site) -> Iterator[tuple[str, str, str, str]]:
    """The model, where it is, what for (a string's name), and for which bots."""
    models, local = wanted_engines(site.config)
    for model in models:
        where = server_of(model.name, site.config.openai).base_url
        yield model.name.model, where, f"settings.use.{model.use.name.lower()}", ", ".join(model.bots)
    for one in local:
        yield one.name, "", f"settings.use.{one.kind}", ", ".join(one.bots)


def _parts(bot: BotConfig) -> Iterator[tuple[str, str]]:
    """Who listens, thinks and speaks: a string's name, and the engine as the configuration names it."""
    match bot.voice:
        case "chained":
            yield "listens", bot.chained.transcriber
            yield "thinks", bot.chained.responder
            yield "speaks", bot.chained.speaker
        case "realtime":
            yield "talks", bot.realtime.model
            yield "writes", bot.realtime.transcription_model
        case "audio-chat":
            yield "talks", bot.audio_chat.model
            yield "writes", bot.audio_chat.transcriber


def _tools(bot: BotConfig) -> list[str]:
    """Only what they are called: their addresses and headers may hold secrets."""
    return [*bot.builtin_tools, *(tool.name for tool in bot.tools)]


ROUTES = [Route("GET", PATH, show, Needs.VIEWER), Route("POST", PATH, check, Needs.ADMIN)]
