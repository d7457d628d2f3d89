"""A call's conversation as the messages of Chat Completions. No I/O.

Turns of one side that follow each other become one message, since many open models insist on taking turns; so do tool
calls, which the assistant's message before them holds.
https://platform.openai.com/docs/api-reference/chat/create
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.speech.links import Role, Said
from bot.tools.spec import ToolSpec

Message = dict[str, Any]

_INAUDIBLE = "(inaudible)"
"""Stands for words that nobody understood; an empty message is refused by some servers."""


def messages(instructions: str, history: Sequence[Said]) -> list[Message]:
    """From the instructions, where there are any, to what a caller or a tool said last."""
    told: list[Message] = [{"role": "system", "content": instructions}] if instructions else []
    for number, said in enumerate(history):
        match said.role:
            case Role.CALLER:
                _say(told, "user", said.text.strip() or _INAUDIBLE)
            case Role.BOT if said.text.strip():
                _say(told, "assistant", said.text.strip())
            case Role.TOOL:
                _use(told, said, said.call_id or f"call_{number}")
    return told


def function_tool(spec: ToolSpec) -> Mapping[str, Any]:
    return {
        "type": "function",
        "function": {"name": spec.name, "description": spec.description, "parameters": dict(spec.parameters)},
    }


def _say(told: list[Message], role: str, text: str) -> None:
    if told and told[-1]["role"] == role:
        told[-1]["content"] += f" {text}"
    else:
        told.append({"role": role, "content": text})


def _use(told: list[Message], said: Said, call_id: str) -> None:
    """The call goes into the assistant's message that this row of results belongs to, the result behind them all."""
    asking = next((one for one in reversed(told) if one["role"] != "tool"), None)
    if asking is None or asking["role"] != "assistant":
        asking = {"role": "assistant", "content": None}
        told.append(asking)
    call = {"name": said.tag or "tool", "arguments": said.arguments or "{}"}
    asking.setdefault("tool_calls", []).append({"id": call_id, "type": "function", "function": call})
    told.append({"role": "tool", "tool_call_id": call_id, "content": said.text})
