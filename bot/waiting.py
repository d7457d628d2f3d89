"""How long the caller has waited in silence for us, and when they are to hear that we are still there.

An answer is *owed* from the moment the caller has finished until its first sound. *Work* is anything else that takes
time (a tool, a model that was lost): while it lasts the caller is not asked whether they are still there. Times are
seconds, monotonic.
"""

import math

_AGAIN_S = 8.0  # a second "one moment" follows no sooner: more of them annoy


class Waiting:
    def __init__(self, filler_after_s: float, reply_timeout_s: float) -> None:
        self._filler_after_s = filler_after_s
        self._reply_timeout_s = reply_timeout_s
        self._works: set[str] = set()
        self.since = 0.0
        self._filler_at = math.inf
        self.is_owed = False

    @property
    def is_under_way(self) -> bool:
        return self.is_owed or bool(self._works)

    @property
    def is_working(self) -> bool:
        return bool(self._works)

    @property
    def filler_at(self) -> float:
        """When the caller must hear something, if nothing sounds by then; infinity while nothing is awaited."""
        return self._filler_at if self.is_under_way else math.inf

    @property
    def answer_due_at(self) -> float:
        """When the answer that is owed comes too late; infinity where none is."""
        return self.since + self._reply_timeout_s if self.is_owed else math.inf

    def begin(self, now: float) -> None:
        """An answer is owed from now on."""
        if not self.is_under_way:
            self._filler_at = now + self._filler_after_s
        self.since = now
        self.is_owed = True

    def go_on(self, now: float) -> None:
        """There was a sign of life: the time begins anew, if any is counted."""
        self.since = now

    def end(self) -> None:
        """The answer is there, or none is wanted any more."""
        self.is_owed = False

    def work_began(self, work: str, now: float) -> None:
        if not self.is_under_way:
            self._filler_at = now + self._filler_after_s
        self._works.add(work)

    def work_ended(self, work: str) -> None:
        self._works.discard(work)

    def filled(self, now: float) -> None:
        """The caller hears that they are not forgotten."""
        self._filler_at = now + _AGAIN_S
