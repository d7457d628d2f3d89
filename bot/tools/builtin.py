"""The tools that every bot has without further configuration.

`hang_up`, `take_message` and `transfer` are done by the call itself, at the right moment; here is only what the model
is told of them. `lookup_fact` is done here.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.config import BotConfig, TransferConfig
from bot.speech.facts import Fact, FactsResponder
from bot.tools.spec import ToolContext, ToolSpec

CALL_TOOLS = frozenset({"hang_up", "take_message", "transfer"})

_NOTHING: Mapping[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}

HANG_UP = ToolSpec(
    "hang_up",
    "End the call. Say goodbye first, in the same response: the caller hears your words to their end before the line "
    "is closed. Use it when the caller says goodbye or has nothing more to ask.",
    _NOTHING,
)
TAKE_MESSAGE = ToolSpec(
    "take_message",
    "Keep a message for the team, once the caller has told you all of it.",
    {
        "type": "object",
        "properties": {
            "message": {"type": "string", "description": "The message, in the caller's own words as far as possible."},
            "caller_name": {"type": "string", "description": "The caller's name, if they gave it."},
            "callback_number": {"type": "string", "description": "Where to call them back, if they said so."},
        },
        "required": ["message"],
        "additionalProperties": False,
    },
)


def transfer(destinations: Mapping[str, TransferConfig]) -> ToolSpec:
    named = "; ".join(f"{name}: {one.description}" if one.description else name for name, one in destinations.items())
    destination = {"type": "string", "enum": list(destinations), "description": named}
    return ToolSpec(
        "transfer",
        "Put the caller through to a person. Say in the same response that you are doing so.",
        {
            "type": "object",
            "properties": {"destination": destination},
            "required": ["destination"],
            "additionalProperties": False,
        },
    )


class LookupFact:
    """Answers from the bot's own facts, or says that there is none."""

    spec = ToolSpec(
        "lookup_fact",
        "Look up what the business itself says about a question (hours, prices, address, policies). Use it before "
        "answering any question about the business, and say only what it returns.",
        {
            "type": "object",
            "properties": {"question": {"type": "string", "description": "The caller's question, in English."}},
            "required": ["question"],
            "additionalProperties": False,
        },
    )

    def __init__(self, bot: BotConfig) -> None:
        self._facts = FactsResponder([Fact(tuple(fact.ask), fact.answer) for fact in bot.facts])

    async def start(self) -> None:
        await self._facts.start()

    async def close(self) -> None:
        await self._facts.close()

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> str:
        answer = await asyncio.to_thread(self._facts.answer, str(arguments["question"]))
        return json.dumps({"answer": answer} if answer else {"answer": None, "note": "nothing is known about that"})


def call_tools(bot: BotConfig) -> Sequence[ToolSpec]:
    """Those of `CALL_TOOLS` that a bot has."""
    return [HANG_UP, TAKE_MESSAGE, *([transfer(bot.transfers)] if bot.transfers else [])]
