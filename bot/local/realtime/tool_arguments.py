"""From what a responder wants done to a function call of the client's: arguments as the declared schema wants them.

Our responder says that a message is to be taken before it has been given; a client's function wants the message itself.
So what is missing is taken from what the caller says next.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.local.realtime.wire import Json
from bot.speech.links import UseTool


@dataclass(frozen=True, slots=True)
class Deferred:
    """A function that can be called once the caller has said what it is about."""

    tool: UseTool
    missing: str  # the parameter that gets the caller's words

    def with_words(self, words: str) -> UseTool:
        return UseTool(self.tool.name, {**self.tool.arguments, self.missing: words})


def declared(tools: Sequence[Json], name: str) -> Json | None:
    return next((tool for tool in tools if tool["name"] == name), None)


def filled(tool: UseTool, declaration: Json, caller_words: str) -> UseTool | Deferred:
    """Complete, or waiting for one parameter; of several choices it is one the caller named, else the first."""
    parameters: Mapping[str, Any] = declaration.get("parameters") or {}
    properties = parameters.get("properties") or {}
    arguments = dict(tool.arguments)
    for name in parameters.get("required") or ():
        if name in arguments:
            continue
        choices = (properties.get(name) or {}).get("enum")
        if not choices:
            return Deferred(UseTool(tool.name, arguments), name)
        named = [choice for choice in choices if str(choice).lower() in caller_words.lower()]
        arguments[name] = (named or choices)[0]
    return UseTool(tool.name, arguments)


def as_json(tool: UseTool) -> str:
    return json.dumps(dict(tool.arguments), ensure_ascii=False)
