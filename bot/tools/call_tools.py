"""A bot's tools as one call uses them: whatever goes wrong becomes a sentence for the model, and a line in the log.

What the line does not say: arguments, results, and sentences that may quote them, for they are the caller's words.
"""

import asyncio
from typing import Literal

import structlog

from bot.errors import ToolError
from bot.tools.spec import ToolContext, output
from bot.tools.toolbox import Toolbox

log = structlog.get_logger()


class CallTools:
    def __init__(self, toolbox: Toolbox, context: ToolContext) -> None:
        self._toolbox = toolbox
        self._context = context

    async def run(self, name: str, arguments: str) -> str:
        """What the model gets to read, whatever happens: a JSON object, with "error" in it where it did not work."""
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        outcome: Literal["done", "failed", "cancelled"] = "cancelled"
        try:
            result = await self._toolbox.run(name, self._toolbox.check(name, arguments), self._context)
            outcome = "done"
        except ToolError as exc:
            result = output({"error": str(exc)})
            outcome = "failed"
        finally:
            log.info("tool_used", tool=name, outcome=outcome, took_ms=round((loop.time() - began_at) * 1000))
        return result
