"""The functions of an imagined operator, for the tools that name them."""

import asyncio
import threading

from bot.errors import ToolError
from bot.tools import ToolContext

calls: list[object] = []
release = threading.Event()
not_a_function = 5


def where(city: str, radius: int = 10) -> str:
    return f"{city} within {radius} km, on {threading.current_thread().name}"


async def later(city: str) -> dict[str, str]:
    await asyncio.sleep(0)
    return {"city": city}


def who(context: ToolContext) -> str:
    return context.from_number


def anything(**arguments: object) -> object:
    return arguments


def broken(city: str) -> str:
    raise ValueError(f"no such city: {city}")


def exhausted(city: str) -> str:
    return next(iter([]))


def leaving(city: str) -> str:
    raise SystemExit(3)


def declining(city: str) -> str:
    raise ToolError(f"there is no branch in {city}")


def unspeakable(city: str) -> object:
    return object()


def stuck(city: str) -> str:
    calls.append(city)
    release.wait()
    return "at last"


async def asleep(city: str) -> str:
    try:
        await asyncio.Event().wait()
    finally:
        calls.append("cancelled")
    return ""


class Shop:
    async def __call__(self, city: str) -> str:
        return f"a shop in {city}"


shop = Shop()
