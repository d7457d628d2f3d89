"""The tools that a model calls in a stream of chat completion chunks, put together from their pieces. No I/O."""

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.speech.links import UseTool

if TYPE_CHECKING:
    from openai.types.chat.chat_completion_chunk import ChoiceDeltaToolCall


@dataclass(slots=True)
class _Call:
    call_id: str = ""
    name: str = ""
    arguments: str = ""

    def use(self) -> UseTool:
        """One that its server gave no name of its own gets one, for no use may be taken for another."""
        call_id = self.call_id or f"call_{secrets.token_hex(8)}"
        return UseTool(self.name, _values(self.arguments), call_id, self.arguments or "{}")


class CalledTools:
    def __init__(self) -> None:
        self._calls: dict[int, _Call] = {}

    def add(self, pieces: "Iterable[ChoiceDeltaToolCall] | None") -> None:
        """More of them; which one a piece belongs to is told by its index, which some servers leave out for one."""
        for piece in pieces or ():
            call = self._calls.setdefault(piece.index or 0, _Call())
            call.call_id = piece.id or call.call_id
            if piece.function is not None:
                call.name += piece.function.name or ""
                call.arguments += piece.function.arguments or ""

    def tools(self) -> list[UseTool]:
        return [call.use() for _, call in sorted(self._calls.items())]


def _values(arguments: str) -> dict[str, str]:
    """Each argument as text, what is null left out; none where the model wrote no object, which its runner will say."""
    try:
        given: Any = json.loads(arguments or "{}")
    except json.JSONDecodeError:
        return {}
    if not isinstance(given, dict):
        return {}
    return {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in given.items()
        if value is not None
    }
