"""What a model is told of a tool, and what a tool is told of the call."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

CALL_TOOLS = frozenset({"hang_up", "take_message", "transfer"})
"""What the call does itself, once the caller has heard what was said before it."""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    name: str
    description: str
    parameters: Mapping[str, Any]  # a JSON schema: an object with properties


@dataclass(frozen=True, slots=True)
class ToolContext:
    """The call that a tool is used in."""

    call_id: str
    bot: str
    from_number: str
    to_number: str
    carrier: str


class Tool(Protocol):
    spec: ToolSpec
    timeout_s: float

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> str:
        """The result for the model, as `output` writes it; raises `ToolError` with a sentence for it."""


def output(result: Any) -> str:
    """What a tool came to, as JSON: an object as it is, anything else named "result".

    Raises `TypeError` or `ValueError` for what JSON cannot hold.
    """
    shown = result if isinstance(result, dict) else {"result": result}
    return json.dumps(shown, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
