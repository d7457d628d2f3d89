"""All tools of one bot: made at the start, shared by its calls. A tool that fails tells the model so, in a sentence."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from bot.config import BotConfig, ToolConfig
from bot.errors import ConfigError, ToolError
from bot.tools.builtin import LookupFact, call_tools, looks_up
from bot.tools.http_tool import HttpTool
from bot.tools.python_tool import PythonTool
from bot.tools.schema import Arguments, parameters
from bot.tools.spec import Tool, ToolContext, ToolSpec


class Toolbox:
    """`specs` are all that the model is told of; those in `builtin.CALL_TOOLS` the call does itself."""

    def __init__(self, bot: BotConfig) -> None:
        """Raises `ConfigError`, naming bot and tool, for one that cannot work."""
        tools: list[Tool] = [LookupFact(bot)] if looks_up(bot) else []
        tools += [_made(tool, bot) for tool in bot.tools]
        self.specs: Sequence[ToolSpec] = (*call_tools(bot), *(tool.spec for tool in tools))
        self._tools = {tool.spec.name: tool for tool in tools}
        self._arguments = {spec.name: Arguments(spec.parameters) for spec in self.specs}

    async def start(self) -> None:
        for tool in self._tools.values():
            await tool.start()

    async def close(self) -> None:
        for tool in self._tools.values():
            await tool.close()

    def check(self, name: str, arguments: str) -> Mapping[str, Any]:
        """The arguments that a model wrote, as JSON; raises `ToolError` for what the tool does not take."""
        if name not in self._arguments:
            raise ToolError(f"there is no tool {name!r}")
        return self._arguments[name].check(arguments)

    async def run(self, name: str, arguments: Mapping[str, Any], context: ToolContext) -> str:
        """The result for the model, a JSON object; raises `ToolError` with a sentence for it."""
        tool = self._tools.get(name)
        if tool is None:
            raise ToolError(f"there is no tool {name!r}")
        try:
            async with asyncio.timeout(tool.timeout_s):
                return await tool.run(arguments, context)
        except TimeoutError as exc:
            raise ToolError(f"{name} did not answer within {tool.timeout_s:g} s") from exc


def _made(tool: ToolConfig, bot: BotConfig) -> Tool:
    try:
        spec = ToolSpec(tool.name, tool.description, parameters(tool.parameters))
        return HttpTool(tool, spec) if tool.url else PythonTool(tool, spec)
    except ConfigError as exc:
        raise ConfigError(f"bot {bot.name!r}: tool {tool.name!r}: {exc}") from exc
