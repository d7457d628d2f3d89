"""The sockets of a realtime session, and what becomes of them: made ready, lost, tried again, renewed. No I/O.

One link is *current*. When its session nears its end a *spare* is made ready beside it and takes over in a silence.
Times are seconds, monotonic.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from bot.events import CloseLink, LinkCommand, OpenLink

_FIRST_DELAY_S, _LONGEST_DELAY_S = 0.25, 2.0


@dataclass(slots=True)
class Link:
    number: int
    due_at: float  # when it must be ready
    is_ready: bool = False
    expires_at: float = math.inf


class ModelLinks:
    def __init__(
        self,
        *,
        connect_timeout_s: float,
        reconnect_s: float,
        renew_before_s: float,
        numbers: Iterator[int] | None = None,
    ) -> None:
        """`numbers` are the links' own, where others use the same sockets; by itself it counts from 1."""
        self._connect_timeout_s = connect_timeout_s
        self._reconnect_s = reconnect_s
        self._renew_before_s = renew_before_s
        self._numbers = numbers or itertools.count(1)
        self._luck = Random()  # many calls lose their model in the same moment, and must not come back in the same one
        self._lost_at: float | None = None
        self._tries = self._spare_tries = 0
        self._retry_at = math.inf
        self._spare_at = math.inf
        self.current: Link | None = None
        self.spare: Link | None = None
        self.has_failed = False
        """No link could be had; nothing more is tried."""

    @property
    def is_ready(self) -> bool:
        return self.current is not None and self.current.is_ready

    def open(self, now: float) -> list[LinkCommand]:
        """Begin to make a current link."""
        self._retry_at = math.inf
        self._lost_at = now if self._lost_at is None else self._lost_at
        self.current = self._new_link(now)
        return [OpenLink(self.current.number)]

    def find(self, number: int) -> Link | None:
        """The link of this number; None for one that was given up."""
        return next((link for link in (self.current, self.spare) if link is not None and link.number == number), None)

    def ready(self, link: Link, now: float) -> None:
        """The link's session is configured."""
        link.is_ready = True
        self._spare_at = min(self._spare_at, link.expires_at - self._renew_before_s)
        self._spare_tries = 0
        if link is self.current:
            self._lost_at = None
            self._tries = 0

    def lost(self, link: Link, now: float, *, is_final: bool = False) -> list[LinkCommand]:
        """A link is gone, or is given up. Afterwards `has_failed` says whether another is tried."""
        if link is self.spare:
            self.spare = None
            self._spare_tries += 1
            self._spare_at = now + self._backoff(self._spare_tries)
            return []
        self.current = None
        if is_final:
            self.has_failed = True
            return []
        self._lost_at = now if self._lost_at is None else self._lost_at
        if self.spare is not None:
            self.current, self.spare = self.spare, None
            self._spare_at = math.inf
            if self.current.is_ready:
                self.ready(self.current, now)
            return []
        delay_s = self._backoff(self._tries) if self._tries else 0.0
        self._tries += 1
        if now + delay_s > self._lost_at + self._reconnect_s:
            self.has_failed = True
            return []
        if delay_s == 0.0:
            return self.open(now)
        self._retry_at = now + delay_s
        return []

    def give_up(self, link: Link, now: float) -> list[LinkCommand]:
        """Close a link that does not do its work."""
        return [CloseLink(link.number), *self.lost(link, now)]

    def take_over(self, now: float) -> list[LinkCommand]:
        """The spare becomes the current link, whose own session is left to itself."""
        old, self.current, self.spare = self.current, self.spare, None
        self._spare_at = math.inf
        if self.current is not None:
            self.ready(self.current, now)
        return [] if old is None else [CloseLink(old.number)]

    def close(self) -> list[LinkCommand]:
        links: Sequence[Link | None] = (self.current, self.spare)
        self.current = self.spare = None
        self._retry_at = self._spare_at = math.inf
        return [CloseLink(link.number) for link in links if link is not None]

    @property
    def deadline(self) -> float:
        due = [link.due_at for link in (self.current, self.spare) if link is not None and not link.is_ready]
        spare_at = self._spare_at if self.spare is None else math.inf
        return min([self._retry_at, spare_at, *due])

    def on_deadline(self, now: float) -> list[LinkCommand]:
        commands: list[LinkCommand] = []
        for link in (self.current, self.spare):
            if link is not None and not link.is_ready and now >= link.due_at:
                commands += self.give_up(link, now)
        if self.current is None and now >= self._retry_at:
            commands += self.open(now)
        if self.spare is None and now >= self._spare_at:
            self._spare_at = math.inf
            self.spare = self._new_link(now)
            commands.append(OpenLink(self.spare.number))
        return commands

    def _new_link(self, now: float) -> Link:
        return Link(next(self._numbers), now + self._connect_timeout_s)

    def _backoff(self, tries: int) -> float:
        delay_s = min(_LONGEST_DELAY_S, _FIRST_DELAY_S * 2.0 ** max(0, tries - 1))
        return delay_s * self._luck.uniform(0.75, 1.0)
