"""What was said so far, in the order of the model's own conversation, as another session would have to be told it.

A caller's words arrive late and out of order: their place is kept by the item they belong to. Of the bot's words only
those count that the caller heard. No I/O.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

_MOST = 60  # of a long call the last so many are told; too much written text makes a voice answer in writing


class Kind(Enum):
    CALLER = "caller"
    BOT = "bot"
    TOOL_CALL = "tool_call"
    TOOL_OUTPUT = "tool_output"


@dataclass(slots=True)
class Line:
    """One item; an empty text is one whose words are not known (yet), or were never heard."""

    item_id: str
    kind: Kind
    text: str = ""
    tool: str = ""
    call_id: str = ""


class Conversation:
    def __init__(self) -> None:
        self._lines: list[Line] = []
        self._by_id: dict[str, Line] = {}

    def place(self, item_id: str, kind: Kind, after: str | None = None) -> Line:
        """Keep a place for an item: behind the one it follows, or at the end."""
        line = self._by_id.get(item_id)
        if line is None:
            line = self._by_id[item_id] = Line(item_id, kind)
            previous = None if after is None else self._by_id.get(after)
            self._lines.insert(len(self._lines) if previous is None else self._lines.index(previous) + 1, line)
        return line

    def say(self, item_id: str, text: str) -> None:
        """What an item says, as far as it was heard."""
        if (line := self._by_id.get(item_id)) is not None:
            line.text = text

    def call(self, item_id: str, tool: str, call_id: str, arguments: str) -> None:
        """The model has asked for a tool; `arguments` is JSON."""
        line = self.place(item_id, Kind.TOOL_CALL)
        line.tool, line.call_id, line.text = tool, call_id, arguments

    def output(self, item_id: str, call_id: str, output: str) -> None:
        """What came of it."""
        line = self.place(item_id, Kind.TOOL_OUTPUT)
        line.call_id, line.text = call_id, output

    def lines(self) -> Sequence[Line]:
        """The lines that a new session is told, oldest first; each tool's call with its output, or neither."""
        answered = {line.call_id for line in self._lines if line.kind is Kind.TOOL_OUTPUT}
        told = [line for line in self._lines if line.text and (not line.call_id or line.call_id in answered)][-_MOST:]
        called = {line.call_id for line in told if line.kind is Kind.TOOL_CALL}
        return [line for line in told if line.kind is not Kind.TOOL_OUTPUT or line.call_id in called]
