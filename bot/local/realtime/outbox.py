"""What one session has to hand out, in order, and the names that are used once in it."""

from collections.abc import Iterable

from bot.local.errors import RequestError
from bot.local.realtime.jobs import Output
from bot.local.realtime.wire import NewId, error_event, event


class Outbox:
    def __init__(self, new_id: NewId) -> None:
        self.new_id = new_id
        self._out: list[Output] = []
        self._job_count = 0

    def emit(self, kind: str, **fields: object) -> None:
        """An event for the client."""
        self._out.append(event(self.new_id, kind, **fields))

    def complain(self, error: RequestError, client_event_id: str | None = None) -> None:
        """An `error` event, which leaves the session as it is."""
        self._out.append(error_event(self.new_id, error, client_event_id))

    def put(self, outputs: Iterable[Output]) -> None:
        self._out += outputs

    def new_job_id(self) -> int:
        self._job_count += 1
        return self._job_count

    def take(self) -> list[Output]:
        """All of it, once."""
        out, self._out = self._out, []
        return out
