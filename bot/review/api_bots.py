"""The bots as JSON, as they are configured, and what calls can be filtered by."""

import msgspec
from aiohttp import web

from bot.calllog.choices import load_choices
from bot.calllog.summing_up import FLAGS
from bot.config import BotConfig
from bot.review.api import Endpoint, Nothing, json_answer
from bot.review.roles import Needs
from bot.review.site import site_of


class Fact(msgspec.Struct, frozen=True):
    ask: list[str]
    answer: str


class Bot(msgspec.Struct, frozen=True):
    name: str
    numbers: list[str]
    language: str
    voice: str
    greeting: str
    is_recorded: bool
    keep_days: float | None
    tools: list[str]
    facts: list[Fact]


class Bots(msgspec.Struct, frozen=True):
    bots: list[Bot]


class Choices(msgspec.Struct, frozen=True):
    """What there is to choose from, each in order."""

    bots: list[str]
    carriers: list[str]
    end_reasons: list[str]
    flags: list[str]
    tools: list[str]
    tags: list[str]


async def get_bots(request: web.Request, _: Nothing) -> web.Response:
    return json_answer(Bots([_bot(bot) for bot in site_of(request).config.bots]))


async def get_choices(request: web.Request, _: Nothing) -> web.Response:
    site = site_of(request)
    async with site.storage.reading() as connection:
        found = await load_choices(connection)
    return json_answer(
        Choices(
            bots=sorted({bot.name for bot in site.config.bots} | set(found.bots)),
            carriers=found.carriers,
            end_reasons=found.end_reasons,
            flags=list(FLAGS),
            tools=sorted({tool for bot in site.config.bots for tool in _tools(bot)}),
            tags=found.tags,
        )
    )


def _bot(bot: BotConfig) -> Bot:
    return Bot(
        name=bot.name,
        numbers=list(bot.numbers),
        language=bot.language,
        voice=bot.voice,
        greeting=bot.greeting,
        is_recorded=bot.record,
        keep_days=bot.keep_days,
        tools=_tools(bot),
        facts=[Fact(list(fact.ask), fact.answer) for fact in bot.facts],
    )


def _tools(bot: BotConfig) -> list[str]:
    return [*bot.builtin_tools, *(tool.name for tool in bot.tools)]


ENDPOINTS = (
    Endpoint("GET", "/api/bots", "The bots as they are configured", Needs.VIEWER, get_bots, answer=Bots),
    Endpoint("GET", "/api/choices", "What calls can be filtered by", Needs.VIEWER, get_choices, answer=Choices),
)
ROUTES = [endpoint.route for endpoint in ENDPOINTS]
