"""The tools that a text model asks for in a chained voice, until their results are there. Each is used once. No I/O.

What the call does itself (hang up, transfer, a message after the tone) ends a reply, once its words were heard. All
else is done at once, while the words before it are still on their way, and its result goes to the model.
"""

import json

from bot.speech.links import UseTool
from bot.tools.spec import CALL_TOOLS


def ends_reply(tool: UseTool) -> bool:
    """Whether the call does this after the reply; a message that the model took down itself is kept at once."""
    is_dictated = tool.name == "take_message" and bool(tool.call_id) and bool(tool.arguments.get("message"))
    return tool.name in CALL_TOOLS and not is_dictated


def arguments_json(tool: UseTool) -> str:
    """The arguments as the model wrote them, or as it would have."""
    return tool.json or json.dumps(dict(tool.arguments), ensure_ascii=False)


class ToolUses:
    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._under_way: dict[str, UseTool] = {}
        self._jobs: dict[int, str] = {}
        self._asked_of_call: dict[str, UseTool] = {}
        self._count = 0

    @property
    def is_under_way(self) -> bool:
        """Whether a result is waited for."""
        return bool(self._under_way)

    def begin(self, tool: UseTool) -> str | None:
        """A name for this use, under which its result will come; None for one that was begun before."""
        self._count += 1
        use = tool.call_id or f"tool-{self._count}"
        if use in self._seen:
            return None
        self._seen.add(use)
        (self._asked_of_call if ends_reply(tool) else self._under_way)[use] = tool
        return use

    def assign(self, job_id: int, use: str) -> None:
        """A job does it."""
        self._jobs[job_id] = use

    def job_done(self, job_id: int) -> str | None:
        """The use that a job was for; None for any other job."""
        return self._jobs.pop(job_id, None)

    def is_awaited(self, use: str) -> bool:
        return use in self._under_way

    def end(self, use: str) -> UseTool | None:
        """Its result is there; None where none was waited for."""
        return self._under_way.pop(use, None)

    def asked_of_call(self, use: str, name: str) -> tuple[str, UseTool]:
        """What the call reports on: by its use, or else the last one of that name that it was asked for."""
        if use in self._asked_of_call:
            return use, self._asked_of_call[use]
        for known, tool in reversed(self._asked_of_call.items()):
            if not use and tool.name == name:
                return known, tool
        return use, UseTool(name, call_id=use)
