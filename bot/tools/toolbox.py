"""All tools of one bot: made at the start, shared by its calls. A tool that fails tells the model so, in a sentence."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from jsonschema import Draft202012Validator

from bot.config import BotConfig
from bot.errors import ToolError
from bot.tools.builtin import LookupFact, call_tools
from bot.tools.spec import Tool, ToolContext, ToolSpec

log = structlog.get_logger()

DEADLINE_S = 10.0


class Toolbox:
    def __init__(self, bot: BotConfig) -> None:
        """Raises `ConfigError` for a tool that cannot be."""
        tools: list[Tool] = [LookupFact(bot)] if bot.facts else []
        self._tools = {tool.spec.name: tool for tool in tools}
        self.specs: Sequence[ToolSpec] = (*call_tools(bot), *(tool.spec for tool in tools))
        self._schemas = {spec.name: Draft202012Validator(spec.parameters) for spec in self.specs}

    async def start(self) -> None:
        for tool in self._tools.values():
            await tool.start()

    async def close(self) -> None:
        for tool in self._tools.values():
            await tool.close()

    def check(self, name: str, arguments: str) -> Mapping[str, Any]:
        """The arguments that a model wrote, as JSON; raises `ToolError` for what the tool does not take."""
        schema = self._schemas.get(name)
        if schema is None:
            raise ToolError(f"there is no tool {name}")
        try:
            given = json.loads(arguments)
        except json.JSONDecodeError as exc:
            raise ToolError(f"the arguments are no JSON: {exc}") from exc
        for wrong in schema.iter_errors(given):
            raise ToolError(f"the arguments do not fit: {wrong.message}")
        checked: Mapping[str, Any] = given
        return checked

    async def run(self, name: str, arguments: Mapping[str, Any], context: ToolContext) -> str:
        tool = self._tools.get(name)
        if tool is None:
            raise ToolError(f"there is no tool {name}")
        try:
            async with asyncio.timeout(DEADLINE_S):
                return await tool.run(arguments, context)
        except TimeoutError as exc:
            raise ToolError("it took too long") from exc
