"""The tools that every bot has without further configuration.

`hang_up`, `take_message` and `transfer` are done by the call itself, at the right moment; here is only what the model
is told of them. `lookup_fact` is done here.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from bot.config import BotConfig, TransferConfig
from bot.speech.facts import Fact, FactsResponder
from bot.tools.spec import ToolContext, ToolSpec, output

_NOTHING_KNOWN = "nothing is known about that: tell the caller so, and guess nothing"
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
    """Answers from the bot's own facts, word for word, or says that there is none."""

    timeout_s = 10.0

    def __init__(self, bot: BotConfig) -> None:
        question = f"The caller's question, put plainly, in the language {bot.language!r}."
        self.spec = ToolSpec(
            "lookup_fact",
            "Look up what the business itself says about a question (hours, prices, address, policies). Use it before "
            "answering any question about the business, and say only what it returns.",
            {
                "type": "object",
                "properties": {"question": {"type": "string", "description": question}},
                "required": ["question"],
                "additionalProperties": False,
            },
        )
        self._facts = FactsResponder([Fact(tuple(fact.ask), fact.answer) for fact in bot.facts])

    async def start(self) -> None:
        await self._facts.start()

    async def close(self) -> None:
        await self._facts.close()

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> str:
        answers = await asyncio.to_thread(self._facts.answers, arguments["question"])  # takes some milliseconds
        return output({"answers": answers} if answers else {"answers": [], "note": _NOTHING_KNOWN})


def call_tools(bot: BotConfig) -> Sequence[ToolSpec]:
    """Those of `CALL_TOOLS` that a bot has."""
    known = [HANG_UP, TAKE_MESSAGE, *([transfer(bot.transfers)] if bot.transfers else [])]
    return [spec for spec in known if spec.name in bot.builtin_tools]


def looks_up(bot: BotConfig) -> bool:
    """Whether a model answers for the bot and has facts to look up; the responder named facts has them itself."""
    is_model = bot.voice != "chained" or bot.chained.responder != "facts"
    return is_model and bool(bot.facts) and "lookup_fact" in bot.builtin_tools
