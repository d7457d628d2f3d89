"""A bot's tools as one call uses them: whatever goes wrong becomes a sentence for the model, and a line in the log."""

import asyncio
import json

import structlog

from bot.errors import ToolError
from bot.tools.spec import ToolContext
from bot.tools.toolbox import Toolbox

log = structlog.get_logger()


class CallTools:
    def __init__(self, toolbox: Toolbox, context: ToolContext) -> None:
        self._toolbox = toolbox
        self._context = context

    async def run(self, name: str, arguments: str) -> str:
        began_at = asyncio.get_running_loop().time()
        outcome = "done"
        try:
            return await self._toolbox.run(name, self._toolbox.check(name, arguments), self._context)
        except ToolError as exc:
            outcome = "failed"
            return json.dumps({"error": str(exc)})
        finally:
            took_ms = round((asyncio.get_running_loop().time() - began_at) * 1000)
            log.info("tool_used", tool=name, outcome=outcome, took_ms=took_ms)
