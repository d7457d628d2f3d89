"""The tools that a model asked for and has had no result of. Each is used once, whatever becomes of the session."""

from collections.abc import Iterable, Mapping

import msgspec

from bot.voice.realtime_wire import Item


class ToolCalls:
    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._outstanding: set[str] = set()
        self._jobs: dict[int, str] = {}

    @property
    def is_under_way(self) -> bool:
        return bool(self._outstanding)

    def begin(self, items: Iterable[Item]) -> list[Item]:
        """Those of a response's function calls that are to be made: complete ones, none a second time."""
        new = [item for item in items if item.status != "incomplete" and (item.call_id or "") not in self._seen]
        ids = [item.call_id or "" for item in new]
        self._seen.update(ids)
        self._outstanding.update(ids)
        return new

    def assign(self, job_id: int, call_id: str) -> None:
        """A job does the work of this call."""
        self._jobs[job_id] = call_id

    def finished(self, job_id: int) -> str:
        """The call whose job is done; empty for a job that is unknown."""
        return self._jobs.pop(job_id, "")

    def close(self, call_id: str) -> bool:
        """There is a result; whether one was waited for."""
        was_open = call_id in self._outstanding
        self._outstanding.discard(call_id)
        return was_open


def arguments_of(text: str) -> Mapping[str, str] | None:
    """What the model wrote, each value as text, what is null left out; None if it is no JSON object."""
    try:
        given = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None
    if not isinstance(given, dict):
        return None
    return {str(key): str(value) for key, value in given.items() if value is not None}
