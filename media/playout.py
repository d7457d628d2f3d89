"""What was sent down a call, what of it the ear has heard, and what is still ours to drop.

A carrier plays what it is sent in order and in real time, so the ear's position is a sum: when the present *run* (a
stretch played without a pause) began, and how long ago that was. Marks that come back say what was really heard and
correct the sum.

Time is an argument: seconds on the local monotonic clock, *as it appears here*. A sample is heard at the moment at
which the news of it arrives, that is after the way down and the way back up. The caller's own frames are late by
the same way up, so both sides of the call lie on one clock. What is sent now is therefore heard a round trip from
now at the earliest, and `clear` sent now takes effect a round trip from now; the round trip itself is learned from
marks.

Replies queue in the order in which they began. Of each, three positions are known at any moment: generated (given
to us), sent (to the carrier) and heard. Its bytes are kept until they were heard, so a reply that was cut can be
resumed from where the ear was. Audio is whole samples of one encoding at a fixed number of bytes a second.

What a clear left unheard is said twice: at once, by the sum, and exactly once the carrier has thrown back a mark
(`settled`), while new audio may sound already.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import takewhile

from media.clearing import Clearing
from media.frame import PTIME_MS, AudioFormat
from media.run import FRAMING_S, Run

_STEADY_ROUND_TRIPS = 16
_MARK_GRACE_S = 1.0  # how long after its time a lost mark is waited for
# The first mark to come back from behind audio tells on which frames a run lies: it is asked for soon, although not so
# soon that the carrier could run dry behind it when the next packet is late.
_FIRST_PACKET_MS = 60
_RECORDING_GRACE_S = 0.35  # how long audio is held back from the recording until it is known when it sounded


@dataclass(frozen=True, slots=True)
class Position:
    """How far one reply has come, in milliseconds of its own audio: generated >= sent >= heard."""

    generated_ms: int
    sent_ms: int
    heard_ms: int


@dataclass(frozen=True, slots=True)
class Packet:
    """One message's worth of audio to send now (or none), and the mark to send behind it."""

    payload: bytes
    mark: str | None


@dataclass(frozen=True, slots=True)
class Cut:
    """What a clear made of one reply: how far the ear had come, and the bytes it never heard."""

    reply_id: str
    position: Position
    unheard: bytes


@dataclass(frozen=True, slots=True)
class Heard:
    """Audio that reached the ear: when its first sample sounded (seconds, as it appears here), and the bytes."""

    at: float
    payload: bytes


@dataclass(slots=True)
class _Reply:
    reply_id: str
    audio: bytearray = field(default_factory=bytearray)  # from `dropped` on: what went by the ear is let go
    dropped: int = 0
    generated: int = 0
    sent: int = 0
    wire_start: int = 0  # position of its first byte among all bytes ever sent
    is_finished: bool = False
    is_end_marked: bool = False

    @property
    def unsent(self) -> int:
        return self.generated - self.sent

    def heard(self, wire: int) -> int:
        """How many of its bytes lie before a position on the wire."""
        return min(max(wire - self.wire_start, 0), self.sent) if self.sent else 0

    def is_heard_whole(self, wire: int) -> bool:
        return self.is_finished and self.heard(wire) == self.generated

    def slice(self, start: int, end: int) -> bytes:
        return bytes(self.audio[start - self.dropped : end - self.dropped])

    def let_go(self, upto: int) -> None:
        if upto > self.dropped:
            del self.audio[: upto - self.dropped]
            self.dropped = upto


@dataclass(frozen=True, slots=True)
class _Mark:
    wire: int  # bytes ever sent when the mark was
    run: Run
    sent_at: float
    ends_reply: str | None = None
    is_opening: bool = False  # nothing lies before it: it comes back as soon as it is there


@dataclass(frozen=True, slots=True)
class _Settlement:
    """The replies that a clear cut, until it is known how much of them the ear had."""

    clearing: Clearing
    run: Run
    marks: dict[str, _Mark]
    replies: tuple[_Reply, ...]  # those that the ear had not heard whole
    sent: int

    def position(self) -> int:
        """Where on the wire the ear was when the rest was dropped."""
        taken = max((reply.wire_start + reply.dropped for reply in self.replies if reply.dropped), default=0)
        return max(taken, min(self.run.begun(self.clearing.arrived_at), self.sent))

    def mark_returned(self, name: str, at: float) -> None:
        if (mark := self.marks.get(name)) is None:
            return
        if mark.is_opening:
            self.run.opened(at, is_expected=True)
        self.clearing.mark_returned(name, at, mark.sent_at if mark.is_opening else self.run.time_of(mark.wire))


class Playout:
    """The downlink of one call. Byte positions are counted from the first byte of the call (the *wire*)."""

    def __init__(
        self, audio: AudioFormat, *, lead_ms: int = 400, packet_ms: int = 100, mark_every_ms: int = 200
    ) -> None:
        """`lead_ms`: how much audio the carrier may hold ahead of the ear; more rides out network and CPU stalls.

        `packet_ms`: what one message carries in the steady state. `mark_every_ms`: how often the carrier is asked how
        far it is; the beginning of a run and the end of a reply are always asked for. With at least two marks to a
        lead, one is always pending for a clear to throw back.
        """
        self._audio = audio
        self._rate = audio.bytes_per_second
        self._lead_s = lead_ms / 1000
        self._packet = audio.payload_bytes(packet_ms)
        self._first_packet = audio.payload_bytes(_FIRST_PACKET_MS)
        self._mark_every = audio.payload_bytes(min(mark_every_ms, lead_ms // 2))
        self._frame = audio.payload_bytes(PTIME_MS)
        self._replies: deque[_Reply] = deque()
        self._marks: dict[str, _Mark] = {}
        self._mark_count = 0
        self._marked = 0  # wire position of the last mark
        self._sent = 0
        self._heard = 0
        self._undelivered: list[Heard] = []  # heard, but not yet asked for
        self._settlements: list[_Settlement] = []
        self._round_trip_s = 0.0
        self._round_trips = 0
        self._run = Run(audio, 0, 0.0, 0.0)
        self._opening = ""  # the mark ahead of the present run
        self._starved_s = 0.0

    # -- what comes in -------------------------------------------------------------------------------------------

    def push(self, reply_id: str, payload: bytes) -> None:
        """Queue audio of a reply (whole samples); the first of it puts the reply at the end of the queue."""
        reply = self._find(reply_id)
        if reply is None:
            reply = _Reply(reply_id)
            self._replies.append(reply)
        reply.audio += payload
        reply.generated += len(payload)

    def finish(self, reply_id: str) -> None:
        """No more audio will come for this reply."""
        if (reply := self._find(reply_id)) is not None:
            reply.is_finished = True

    def reopen(self, reply_id: str) -> None:
        """More audio will come for this reply after all; to be said before its end is sent."""
        if (reply := self._find(reply_id)) is not None:
            reply.is_finished = False

    def mark_returned(self, name: str, at: float) -> str | None:
        """Take the carrier's word, `at` the best that is known of when it was given (seconds, as it appears here).

        Returns the reply whose last sample it says was heard, if the mark ends one. Marks that a clear threw back end
        no reply; they tell `settled` when the clear arrived.
        """
        mark = self._marks.pop(name, None)
        if mark is None:
            for settlement in self._settlements:
                settlement.mark_returned(name, at)
            return None
        if mark.is_opening:
            self._learn_round_trip(at - mark.sent_at)
            if name == self._opening:
                # A round trip known from before the run counts as one word on when the run began.
                self._run.opened(at, is_expected=self._round_trips > 1)
        elif mark.run is self._run:
            self._run.reached(mark.wire, at)
        self._heard = max(self._heard, min(mark.wire, self._sent))
        return mark.ends_reply

    # -- what goes out -------------------------------------------------------------------------------------------

    def due(self, now: float) -> list[Packet]:
        """The packets to send now so that the carrier's lead is full; most of the time there are none."""
        packets: list[Packet] = []
        for reply in tuple(self._replies):  # a new run lets go of what was heard
            while (size := self._sendable(reply, now)) > 0:
                if now >= self._lead_ends_at:
                    packets.append(self._open_run(reply, now))
                packets += self._send(reply, size, now)
            if reply.unsent or not reply.is_finished:
                break  # what follows must wait
            if not reply.is_end_marked and reply.sent:  # its end was not known when its last packet went
                packets.append(Packet(b"", self._mark_after(reply, now)))
        return packets

    def next_deadline(self) -> float | None:
        """When to ask `due`, `settled` and `overdue` again although nothing comes in; None if never."""
        deadlines = [settlement.clearing.until for settlement in self._settlements]
        if (send_at := self._send_deadline()) is not None:
            deadlines.append(send_at)
        elif any(mark.ends_reply for mark in self._marks.values()):
            deadlines.append(self.ends_at + _MARK_GRACE_S)
        return min(deadlines, default=None)

    def probe(self, now: float) -> str | None:
        """A mark to send while nothing plays: it comes back at once and so measures the round trip. Else None."""
        if self.is_sounding(now) or self._marks:
            return None
        return self._new_mark(_Mark(self._sent, self._run, now, is_opening=True))

    def clear(self, now: float) -> list[Cut]:
        """Drop everything unheard; whoever asks for it sends the carrier's `clear` at the same moment.

        Returns one `Cut` for each reply that the ear had not heard whole, in order, by the sum. What sounds on the
        other end until the clear arrives there counts as heard. `settled` returns each of them once more.
        """
        clearing = Clearing(now, self._round_trip_s, self._marks)
        self._undelivered += self._drain(self._recordable(now))
        heard = max(self._heard_at(now), min(self._run.begun(clearing.arrived_at), self._sent))
        whole = list(takewhile(lambda reply: reply.is_heard_whole(heard), self._replies))
        cut = tuple(self._replies)[len(whole) :]
        self._undelivered += _drained(whole, self._run, heard)
        if cut:
            self._settlements.append(_Settlement(clearing, self._run, self._marks, cut, self._sent))
        self._replies.clear()
        self._marks = {}
        self._sent = self._heard = self._marked = heard
        self._begin_run(now)
        return [self._cut(reply, heard) for reply in cut]

    def settled(self, now: float) -> list[Cut]:
        """The cuts of clears that are known to have reached the carrier, and when; each is returned once.

        Where no mark tells, they come as `clear` gave them, half a second after it at the latest.
        """
        cuts: list[Cut] = []
        for settlement in [one for one in self._settlements if one.clearing.is_settled(now)]:
            self._settlements.remove(settlement)
            heard = settlement.position()
            cuts += [self._cut(reply, heard) for reply in settlement.replies]
            self._undelivered += _drained(settlement.replies, settlement.run, heard)
        return cuts

    # -- what the ear had ----------------------------------------------------------------------------------------

    def position(self, reply_id: str, now: float) -> Position | None:
        """How far a reply has come; None if it was never queued, or was heard whole and taken by `drain_heard`."""
        reply = self._find(reply_id)
        return None if reply is None else self._position(reply, self._heard_at(now))

    def drain_heard(self, now: float, *, is_last: bool = False) -> list[Heard]:
        """What reached the ear since the last call, for the recording. Replies heard whole are forgotten.

        The beginning of a run waits a moment for the mark that says when it sounded, and the end of what a clear cut
        for the one that says when that was; not if this call `is_last`.
        """
        for settlement in self._settlements:
            if is_last or now >= settlement.clearing.sent_at + _RECORDING_GRACE_S:
                self._undelivered += _drained(settlement.replies, settlement.run, settlement.position())
        heard = self._undelivered + self._drain(self._heard_at(now) if is_last else self._recordable(now))
        self._undelivered = []
        return heard

    def overdue(self, now: float) -> str | None:
        """A reply that must have been heard by now, although the mark behind it never came back."""
        if now < self.ends_at + _MARK_GRACE_S:
            return None
        for name, mark in self._marks.items():
            if mark.ends_reply is not None:
                del self._marks[name]
                return mark.ends_reply
        return None

    def is_sounding(self, now: float) -> bool:
        """Whether the ear hears us now, or will without anything more coming in."""
        return self._heard_at(now) < self._sent or any(reply.unsent for reply in self._replies)

    def heard_at(self, reply_id: str) -> float | None:
        """When the first sample of a queued reply sounds (seconds, as it appears here); None for one not queued.

        Before it is sent: when what lies ahead of it will be over, if nothing more is put there.
        """
        ahead = 0
        for reply in self._replies:
            if reply.reply_id == reply_id:
                return self._run.time_of(reply.wire_start if reply.sent else self._sent + ahead)
            ahead += reply.unsent
        return None

    @property
    def ends_at(self) -> float:
        """When the last byte sent so far sounds (seconds, as it appears here)."""
        return self._run.time_of(self._sent)

    @property
    def round_trip_ms(self) -> float:
        """The way down and up, as learned from marks; 0 until the first came back."""
        return self._round_trip_s * 1000

    @property
    def starved_ms(self) -> float:
        """Silence inside replies because their audio came too late, summed over the call."""
        return self._starved_s * 1000

    @property
    def held_bytes(self) -> int:
        """Audio kept here: what was generated and not yet heard (or heard and not yet drained)."""
        cut = (reply for settlement in self._settlements for reply in settlement.replies)
        return sum(len(reply.audio) for reply in (*self._replies, *cut))

    # -- inside --------------------------------------------------------------------------------------------------

    @property
    def _lead_ends_at(self) -> float:
        """When the carrier runs dry unless something is *sent* by then."""
        return self.ends_at - self._round_trip_s - FRAMING_S

    def _send_deadline(self) -> float | None:
        """When audio that is here may be sent."""
        for reply in self._replies:
            if reply.unsent or not reply.is_finished:
                whole = reply.unsent if reply.is_finished else reply.unsent // self._frame * self._frame
                if not whole:
                    return None
                if whole < self._packet and not reply.is_finished:
                    return self._lead_ends_at - self._lead_s / 2
                return self._lead_ends_at - self._lead_s + min(whole, self._packet) / self._rate
        return None

    def _find(self, reply_id: str) -> _Reply | None:
        for reply in self._replies:
            if reply.reply_id == reply_id:
                return reply
        return None

    def _sendable(self, reply: _Reply, now: float) -> int:
        """How many bytes of a reply to send in one packet now.

        A steady stream goes in whole packets; short ones only where a reply ends or the carrier runs low.
        """
        lead_s = max(0.0, self._lead_ends_at - now)
        room = int((self._lead_s - lead_s) * self._rate + 1)
        whole = reply.unsent if reply.is_finished else reply.unsent // self._frame * self._frame
        size = whole if whole <= room else room // self._frame * self._frame
        is_tail = reply.is_finished and size == reply.unsent
        return size if size >= self._packet or is_tail or lead_s <= self._lead_s / 2 else 0

    def _open_run(self, reply: _Reply, now: float) -> Packet:
        """The carrier has run dry, or nothing was playing: a mark ahead of the audio says when it begins to sound."""
        if reply.sent:
            self._starved_s += now - self._lead_ends_at
        self._undelivered += self._drain(self._sent)
        self._heard = self._marked = self._sent
        self._begin_run(now)
        self._opening = self._new_mark(_Mark(self._sent, self._run, now, is_opening=True))
        return Packet(b"", self._opening)

    def _send(self, reply: _Reply, size: int, now: float) -> Iterator[Packet]:
        """So many bytes, in packets short enough to have their marks behind them."""
        if reply.sent == 0:
            reply.wire_start = self._sent
        until = reply.sent + size
        while reply.sent < until:
            longest = self._first_packet if self._sent == self._run.start else self._mark_every
            payload = reply.slice(reply.sent, min(until, reply.sent + longest))
            reply.sent += len(payload)
            self._sent += len(payload)
            yield Packet(payload, self._mark_after(reply, now))

    def _begin_run(self, now: float) -> None:
        self._run = Run(self._audio, self._sent, now, self._round_trip_s)

    def _mark_after(self, reply: _Reply, now: float) -> str | None:
        is_end = reply.is_finished and not reply.unsent
        asked_from = self._first_packet if self._marked == self._run.start else self._mark_every
        if not is_end and self._sent - self._marked < asked_from:
            return None
        self._marked = self._sent
        reply.is_end_marked = is_end
        return self._new_mark(_Mark(self._sent, self._run, now, reply.reply_id if is_end else None))

    def _new_mark(self, mark: _Mark) -> str:
        self._mark_count += 1
        name = f"m{self._mark_count}"
        self._marks[name] = mark
        return name

    def _learn_round_trip(self, sample_s: float) -> None:
        self._round_trips = min(self._round_trips + 1, _STEADY_ROUND_TRIPS)
        self._round_trip_s += (max(0.0, sample_s) - self._round_trip_s) / self._round_trips

    def _heard_at(self, now: float) -> int:
        """Bytes of the wire that have sounded by `now`; never goes back, whatever a late mark says of the past."""
        self._heard = max(self._heard, min(self._sent, self._run.sounded(now)))
        return self._heard

    def _recordable(self, now: float) -> int:
        """Up to where it is known when things sounded."""
        is_open = self._opening in self._marks and now < self._run.sent_at + _RECORDING_GRACE_S
        return self._run.start if is_open else self._heard_at(now)

    def _position(self, reply: _Reply, heard: int) -> Position:
        return Position(self._ms(reply.generated), self._ms(reply.sent), self._ms(reply.heard(heard)))

    def _ms(self, size: int) -> int:
        return round(self._audio.ms(size))

    def _cut(self, reply: _Reply, heard: int) -> Cut:
        return Cut(reply.reply_id, self._position(reply, heard), reply.slice(reply.heard(heard), reply.generated))

    def _drain(self, heard: int) -> list[Heard]:
        taken = _drained(self._replies, self._run, heard)
        while self._replies and self._replies[0].is_finished and self._replies[0].dropped == self._replies[0].generated:
            self._replies.popleft()
        return taken


def _drained(replies: Iterable[_Reply], run: Run, heard: int) -> list[Heard]:
    """Take from replies what lies before a position on the wire."""
    taken = []
    for reply in replies:
        start, end = reply.dropped, reply.heard(heard)
        if end > start:
            taken.append(Heard(run.time_of(reply.wire_start + start), reply.slice(start, end)))
            reply.let_go(end)
    return taken
