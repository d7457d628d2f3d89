"""A session's conversation as a text model is asked to go on with it: the messages and options of chat completions."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.local.chat_answers import Turn
from bot.local.chat_body import Function, ToolCall
from bot.local.realtime.items import Item
from bot.local.realtime.response import Wanted
from bot.local.realtime.wire import Json


def turns(items: Sequence[Item], instructions: str) -> list[Turn]:
    """Of the assistant's words those that were heard; calls in a row are one turn."""
    told = [Turn("system", instructions)] if instructions else []
    for item in items:
        match item.body:
            case {"type": "message", "role": "assistant"}:
                if words := " ".join(said.text for said in item.heard()):
                    told.append(Turn("assistant", words))
            case {"type": "message", "role": role}:
                told.append(Turn(role, item.words))
            case {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}:
                call = ToolCall(call_id, Function(name, arguments))
                if told and told[-1].role == "assistant":
                    told[-1] = replace(told[-1], tool_calls=(*told[-1].tool_calls, call))
                else:
                    told.append(Turn("assistant", "", (call,)))
            case {"type": "function_call_output", "call_id": call_id, "output": output}:
                told.append(Turn("tool", output, tool_call_id=call_id))
    return told


def text_options(wanted: Wanted) -> Json:
    """The functions, where there are any."""
    if not wanted.tools:
        return {}
    tools = [
        {"type": "function", "function": {key: value for key, value in tool.items() if key != "type"}}
        for tool in wanted.tools
    ]
    choice: Any = wanted.tool_choice
    if isinstance(choice, dict):
        choice = {"type": "function", "function": {"name": choice["name"]}}
    return {"tools": tools, "tool_choice": choice}
