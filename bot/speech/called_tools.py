"""The tools that a model calls in a stream of chat completion chunks, put together from their pieces. No I/O."""

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
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
        self._calls: list[_Call] = []
        self._places: dict[int, _Call] = {}

    def add(self, pieces: "Iterable[ChoiceDeltaToolCall] | None") -> None:
        """More of them; which one a piece belongs to is told by its index, which some servers leave out."""
        for piece in pieces or ():
            function = piece.function
            name = (function.name if function is not None else None) or ""
            call = self._call(piece.index or 0, piece.id or "", name)
            call.name += name
            call.arguments += _written(function.arguments) if function is not None else ""

    def _call(self, index: int, call_id: str, name: str) -> _Call:
        """A name beside another id begins another call; some servers write another id with each piece of one."""
        call = self._places.get(index)
        if call is None or (call_id and call.call_id and call_id != call.call_id and name):
            call = self._places[index] = _Call()
            self._calls.append(call)
        call.call_id = call.call_id or call_id
        return call

    def tools(self, taken: Iterable[str] = ()) -> list[UseTool]:
        """Each under an id of its own: some servers count from nought in every answer, and `taken` are used already."""
        ids, tools = set(taken), []
        for call in self._calls:
            tool = replace(call, call_id="").use() if call.call_id in ids else call.use()
            ids.add(tool.call_id)
            tools.append(tool)
        return tools


def _written(arguments: Any) -> str:
    """Text, as it should be, or the object itself."""
    if arguments is None or isinstance(arguments, str):
        return arguments or ""
    return json.dumps(arguments, ensure_ascii=False)


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
