"""How exactly we know what the ear had of a reply when a clear reached the carrier: virtual time, no sockets.

The emulated carrier's playout buffer and line (bot/rehearsal) judge: what was played counts the frame that sounds when
the clear arrives, for it cannot be taken back. Every reply is interrupted at a random moment. `at once` is what `clear`
returns, `settled` what is known when the carrier has thrown a mark back; errors in milliseconds.

    $ python benchmarks/truncation.py
"""

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from bot.rehearsal.buffer import PlayoutBuffer
from bot.rehearsal.line import Direction, Line
from bot.timeline import CallClock
from media.frame import PCMU_8K
from media.playout import Playout

CALLS, INTERRUPTIONS = 20, 25
FRAME_S = 0.02
PROBE_EVERY_S = 2.0
PUSH_MS = 100
BYTES_PER_MS = 8
WITHIN_MS = 20.5  # 20, and rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    name: str
    line: Line
    run_s: tuple[float, float] = (0.3, 8.0)
    pace: float = 3.0  # how much faster than it sounds a reply is made; 0: all of it is there at once
    has_stamps: bool = True  # the session holds a mark between the caller's frames around it
    is_aligned: bool = True  # the carrier sends the caller's frames at the moments at which its own begin to sound


@dataclass(slots=True)
class Errors:
    at_once_ms: list[float] = field(default_factory=list)
    settled_ms: list[float] = field(default_factory=list)
    waited_ms: list[float] = field(default_factory=list)
    marks: int = 0
    packets: int = 0
    played_ms: float = 0.0
    gaps: int = 0


class Call:
    """Both ends of one call, and the events between them in the order of their time."""

    def __init__(self, case: Case, seed: int, errors: Errors) -> None:
        self._case, self._errors = case, errors
        self._luck = Random(f"{seed}/call")
        line = Line(delay_ms=case.line.delay_ms, jitter_ms=case.line.jitter_ms, seed=seed)
        self._up, self._down = Direction(line, "uplink"), Direction(line, "downlink")
        self._order = itertools.count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._starts_at = 100 + self._luck.random()
        self.now = self._starts_at
        self._phase_s = 0.0 if case.is_aligned else self._luck.uniform(0, FRAME_S)
        self._buffer = PlayoutBuffer()
        self._pushed_bytes = 0
        self._playout = Playout(PCMU_8K)
        self._clock = CallClock(self._starts_at)
        self._last_frame_ms = 0.0
        self._probed_at = self.now
        self._woken_at = float("inf")
        self._replies = 0
        self._left_bytes = 0
        self._played_ms: dict[str, float] = {}  # the judge's word
        self._at_once: dict[str, tuple[int, float]] = {}  # our first word, and when it was said
        self._settled_ms: dict[str, int] = {}

    def run(self) -> None:
        self._later(self.now, lambda: self._frame_ends(0))
        self._later(self.now + self._phase_s, self._tick)
        self._later(self.now + 1.0, self._begin_reply)
        while len(self._errors.settled_ms) < self._goal:
            self.now, _, event = heapq.heappop(self._events)
            event()
        self._errors.gaps += self._buffer.gaps

    def aim(self, interruptions: int) -> "Call":
        self._goal = interruptions
        return self

    def _later(self, at: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (at, next(self._order), event))

    # -- the carrier -----------------------------------------------------------------------------------------------

    def _frame_ends(self, frame: int) -> None:
        if frame:
            self._later(self._up.arrival(self.now), lambda: self._on_frame(frame * FRAME_S * 1000))
        self._later(self._starts_at + (frame + 1) * FRAME_S, lambda: self._frame_ends(frame + 1))

    def _tick(self) -> None:
        self._return_marks(self._buffer.tick().marks)
        self._later(self.now + FRAME_S, self._tick)

    def _return_marks(self, names: tuple[str, ...]) -> None:
        for name in names:
            self._later(self._up.arrival(self.now), lambda name=name: self._on_mark(name))  # type: ignore[misc]

    def _take_audio(self, payload: bytes) -> None:
        self._buffer.push(payload, self.now * 1000)
        self._pushed_bytes += len(payload)

    def _take_mark(self, name: str) -> None:
        self._return_marks(self._buffer.mark(name))

    def _take_clear(self, reply_id: str) -> None:
        self._played_ms[reply_id] = self._pushed_bytes / BYTES_PER_MS - self._buffer.waiting_ms
        self._pushed_bytes = 0
        self._judge(reply_id)
        self._return_marks(self._buffer.clear(self.now * 1000))

    # -- our side --------------------------------------------------------------------------------------------------

    def _on_frame(self, ends_at_ms: float) -> None:
        self._clock.frame(ends_at_ms, self.now)
        self._last_frame_ms = ends_at_ms
        if self.now - self._probed_at > PROBE_EVERY_S and (mark := self._playout.probe(self.now)) is not None:
            self._probed_at = self.now
            self._send(lambda: self._take_mark(mark))

    def _on_mark(self, name: str) -> None:
        at_ms = self._clock.exact_ms(self.now)
        if self._case.has_stamps:
            at_ms = min(max(at_ms, self._last_frame_ms), self._last_frame_ms + FRAME_S * 1000)
        self._playout.mark_returned(name, self.now + (at_ms - self._clock.exact_ms(self.now)) / 1000)
        self._wake()

    def _begin_reply(self) -> None:
        self._replies += 1
        reply_id, length_s = f"r{self._replies}", self._luck.uniform(*self._case.run_s)
        pause_s = PUSH_MS / 1000 / self._case.pace if self._case.pace else 0.0
        count = max(1, round(length_s * 1000 / PUSH_MS))
        for index in range(count):
            is_last = index == count - 1
            self._later(self.now + index * pause_s, lambda is_last=is_last: self._push(reply_id, is_last))  # type: ignore[misc]
        heard_after_s = self._luck.uniform(0, count * PUSH_MS / 1000)
        round_trip_s = 2 * (self._case.line.delay_ms + self._case.line.jitter_ms / 2) / 1000
        self._later(self.now + round_trip_s + heard_after_s, lambda: self._interrupt(reply_id))
        self._is_cut = False

    def _push(self, reply_id: str, is_last: bool) -> None:
        if self._is_cut:
            return
        self._playout.push(reply_id, bytes(PUSH_MS * BYTES_PER_MS))
        if is_last:
            self._playout.finish(reply_id)
        self._wake()

    def _interrupt(self, reply_id: str) -> None:
        self._is_cut = True
        self._send(lambda: self._take_clear(reply_id))
        for cut in self._playout.clear(self.now):
            self._at_once[cut.reply_id] = (cut.position.heard_ms, self.now)
        self._later(self.now + self._luck.uniform(0.6, 2.5), self._begin_reply)
        self._wake()

    def _wake(self) -> None:
        for packet in self._playout.due(self.now):
            self._errors.packets += 1
            if packet.payload:
                self._send(lambda payload=packet.payload: self._take_audio(payload))  # type: ignore[misc]
            if packet.mark:
                self._errors.marks += 1
                self._send(lambda mark=packet.mark: self._take_mark(mark))  # type: ignore[misc]
        for cut in self._playout.settled(self.now):
            self._settled_ms[cut.reply_id] = cut.position.heard_ms
            self._errors.waited_ms.append((self.now - self._at_once[cut.reply_id][1]) * 1000)
            self._judge(cut.reply_id)
        while self._playout.overdue(self.now):
            pass
        deadline = self._playout.next_deadline()
        if deadline is not None:
            self._later(max(self.now + 0.001, deadline), self._wake_if_due)

    def _wake_if_due(self) -> None:
        deadline = self._playout.next_deadline()
        if deadline is not None and deadline <= self.now:
            self._wake()

    def _judge(self, reply_id: str) -> None:
        """Both sides have spoken, whoever was the first."""
        if reply_id in self._played_ms and reply_id in self._settled_ms:
            played_ms = self._played_ms.pop(reply_id)
            self._errors.played_ms += played_ms
            self._errors.at_once_ms.append(self._at_once.pop(reply_id)[0] - played_ms)
            self._errors.settled_ms.append(self._settled_ms.pop(reply_id) - played_ms)

    def _send(self, arrives: Callable[[], None]) -> None:
        self._later(self._down.arrival(self.now), arrives)


def main() -> None:
    far = Line(delay_ms=40, jitter_ms=40)
    cases = [
        Case(name="no delay", line=Line()),
        Case(name="no delay, frames out of step", line=Line(), is_aligned=False),
        Case(name="60 +- 20 ms", line=far),
        Case(name="60 +- 20 ms, frames out of step", line=far, is_aligned=False),
        Case(name="60 +- 20 ms, no stamps", line=far, has_stamps=False),
        Case(name="60 +- 20 ms, runs of 0.3 to 0.6 s", line=far, run_s=(0.3, 0.6)),
        Case(name="60 +- 20 ms, runs of 4 to 8 s", line=far, run_s=(4, 8)),
        Case(name="60 +- 20 ms, reply made long ago", line=far, pace=0),
        Case(name="150 +- 30 ms", line=Line(delay_ms=120, jitter_ms=60)),
    ]
    print(f"{CALLS} calls, {INTERRUPTIONS} interruptions each")
    print(f"{'':<36}{'at once':^28}{'settled':^28}{'after ms':>13}{'marks/s':>9}{'gaps':>6}")
    print(f"{'':<36}" + f"{'p50':>6}{'p99':>6}{'max':>6}{'<= 20':>8}  " * 2 + f"{'p50':>7}{'max':>6}")
    for case in cases:
        errors = Errors()
        for seed in range(CALLS):
            Call(case, seed, errors).aim((seed + 1) * INTERRUPTIONS).run()
        print(row(case.name, errors))


def row(name: str, errors: Errors) -> str:
    waited = sorted(errors.waited_ms)
    text = f"{name:<36}{figures(errors.at_once_ms)}  {figures(errors.settled_ms)}  "
    text += f"{waited[len(waited) // 2]:>7.0f}{waited[-1]:>6.0f}"
    return text + f"{errors.marks / errors.played_ms * 1000:>9.1f}{errors.gaps:>6}"


def figures(errors_ms: list[float]) -> str:
    sizes = sorted(abs(error) for error in errors_ms)
    share = sum(size <= WITHIN_MS for size in sizes) / len(sizes)
    return f"{sizes[len(sizes) // 2]:>6.0f}{sizes[len(sizes) * 99 // 100]:>6.0f}{sizes[-1]:>6.0f}{share:>8.1%}"


if __name__ == "__main__":
    main()
