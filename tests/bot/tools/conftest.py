from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from bot.config import BotConfig, FactConfig, ToolConfig
from bot.tools import Toolbox, ToolContext

Open = Callable[..., Any]

CONTEXT = ToolContext("call-1", "reception", "+15550001111", "+15550002222", "twilio")


def bot_with(*tools: ToolConfig, **settings: Any) -> BotConfig:
    return BotConfig(name="reception", **{"voice": "realtime", "tools": tools} | settings)


def fact(answer: str, *ask: str) -> FactConfig:
    return FactConfig(ask=ask, answer=answer)


@pytest.fixture
async def open_toolbox() -> AsyncIterator[Open]:
    """Makes toolboxes that are closed when the test is over."""
    async with AsyncExitStack() as stack:

        async def open_one(*tools: ToolConfig, **settings: Any) -> Toolbox:
            toolbox = Toolbox(bot_with(*tools, **settings))
            stack.push_async_callback(toolbox.close)
            await toolbox.start()
            return toolbox

        yield open_one
