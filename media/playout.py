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
"""

from collections import deque
from dataclasses import dataclass, field

from media.frame import PTIME_MS, AudioFormat

# Carriers play whole frames: what arrives waits for the next one to begin, half a frame on average, and the one that
# sounds when a clear arrives is played to its end.
_FRAMING_S = PTIME_MS / 2000
_STEADY_MARKS = 8  # corrections are averaged over so many marks: enough against jitter, few enough to follow a stall
_STEADY_ROUND_TRIPS = 16
_STALL_S = 0.25  # a mark this far from the sum is a stalled carrier, not jitter: believe it at once
_MARK_GRACE_S = 1.0  # how long after its time a lost mark is waited for
_OPENING_GRACE_S = 0.35  # how long audio is held back from the recording until it is known when it began to sound


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

    def slice(self, start: int, end: int) -> bytes:
        return bytes(self.audio[start - self.dropped : end - self.dropped])

    def let_go(self, upto: int) -> None:
        if upto > self.dropped:
            del self.audio[: upto - self.dropped]
            self.dropped = upto


@dataclass(frozen=True, slots=True)
class _Mark:
    wire: int  # bytes ever sent when the mark was
    run_from: int
    sent_at: float
    ends_reply: str | None = None
    is_opening: bool = False  # nothing lies before it: it comes back as soon as it is there


class Playout:
    """The downlink of one call. Byte positions are counted from the first byte of the call (the *wire*)."""

    def __init__(
        self, audio: AudioFormat, *, lead_ms: int = 400, packet_ms: int = 100, mark_every_ms: int = 500
    ) -> None:
        """`lead_ms`: how much audio the carrier may hold ahead of the ear; more rides out network and CPU stalls.

        `packet_ms`: what one message carries in the steady state. `mark_every_ms`: how often the carrier is asked how
        far it is; the beginning of a run and the end of a reply are always asked for.
        """
        self._audio = audio
        self._rate = audio.bytes_per_second
        self._lead_s = lead_ms / 1000
        self._packet = audio.payload_bytes(packet_ms)
        self._mark_every = audio.payload_bytes(mark_every_ms)
        self._frame = audio.payload_bytes(PTIME_MS)
        self._replies: deque[_Reply] = deque()
        self._marks: dict[str, _Mark] = {}
        self._mark_count = 0
        self._marked = 0  # wire position of the last mark
        self._sent = 0
        self._heard = 0
        self._undelivered: list[Heard] = []  # heard, but not yet asked for
        self._run_from = 0
        self._run_at = 0.0
        self._run_sent_at = 0.0
        self._run_marks = 0
        self._opening = ""  # the mark ahead of the present run
        self._round_trip_s = 0.0
        self._round_trips = 0
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

    def mark_returned(self, name: str, now: float) -> str | None:
        """Take the carrier's word; returns the reply whose last sample it says was heard, if the mark ends one.

        Marks that a clear threw back are unknown here and change nothing.
        """
        mark = self._marks.pop(name, None)
        if mark is None:
            return None
        if mark.is_opening:
            self._learn_round_trip(now - mark.sent_at)
        if mark.run_from == self._run_from and (name == self._opening or not mark.is_opening):
            waits_s = _FRAMING_S if mark.is_opening else 0.0
            self._correct_run(now + waits_s - (mark.wire - mark.run_from) / self._rate)
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
                packets.append(self._send(reply, size, now))
            if reply.unsent or not reply.is_finished:
                break  # what follows must wait
            if not reply.is_end_marked and reply.sent:  # its end was not known when its last packet went
                packets.append(Packet(b"", self._mark_after(reply, now)))
        return packets

    def next_deadline(self) -> float | None:
        """When to ask `due` and `overdue` again although nothing comes in; None if never."""
        for reply in self._replies:
            if reply.unsent or not reply.is_finished:
                whole = reply.unsent if reply.is_finished else reply.unsent // self._frame * self._frame
                if not whole:
                    break
                if whole < self._packet and not reply.is_finished:
                    return self._lead_ends_at - self._lead_s / 2
                return self._lead_ends_at - self._lead_s + min(whole, self._packet) / self._rate
        if any(mark.ends_reply for mark in self._marks.values()):
            return self.ends_at + _MARK_GRACE_S
        return None

    def probe(self, now: float) -> str | None:
        """A mark to send while nothing plays: it comes back at once and so measures the round trip. Else None."""
        if self.is_sounding(now) or self._marks:
            return None
        return self._new_mark(_Mark(self._sent, self._sent, now, is_opening=True))

    def clear(self, now: float) -> list[Cut]:
        """Drop everything unheard; whoever asks for it sends the carrier's `clear` at the same moment.

        Returns one `Cut` for each reply that the ear had not heard whole, in order. What sounds on the other end until
        the clear arrives there counts as heard.
        """
        heard = self._heard_at(now + self._round_trip_s + _FRAMING_S)
        cuts = [
            Cut(reply.reply_id, self._position(reply, heard), reply.slice(reply.heard(heard), reply.generated))
            for reply in self._replies
            if not reply.is_finished or reply.heard(heard) < reply.generated
        ]
        self._undelivered += self._drain(heard)
        self._replies.clear()
        self._marks.clear()
        self._sent = self._heard = self._marked = heard
        self._begin_run(now)
        return cuts

    # -- what the ear had ----------------------------------------------------------------------------------------

    def position(self, reply_id: str, now: float) -> Position | None:
        """How far a reply has come; None if it was never queued, or was heard whole and taken by `drain_heard`."""
        reply = self._find(reply_id)
        return None if reply is None else self._position(reply, self._heard_at(now))

    def drain_heard(self, now: float, *, is_last: bool = False) -> list[Heard]:
        """What reached the ear since the last call, for the recording. Replies heard whole are forgotten.

        The beginning of a run waits a moment for the mark that says when it sounded, unless this call `is_last`.
        """
        is_open = not is_last and self._opening in self._marks and now < self._run_sent_at + _OPENING_GRACE_S
        heard = self._undelivered + self._drain(self._run_from if is_open else self._heard_at(now))
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
                return self._time_of(reply.wire_start if reply.sent else self._sent + ahead)
            ahead += reply.unsent
        return None

    @property
    def ends_at(self) -> float:
        """When the last byte sent so far sounds (seconds, as it appears here)."""
        return self._time_of(self._sent)

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
        return sum(len(reply.audio) for reply in self._replies)

    # -- inside --------------------------------------------------------------------------------------------------

    @property
    def _lead_ends_at(self) -> float:
        """When the carrier runs dry unless something is *sent* by then."""
        return self.ends_at - self._round_trip_s - _FRAMING_S

    def _time_of(self, wire: int) -> float:
        return self._run_at + (wire - self._run_from) / self._rate

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
        self._opening = self._new_mark(_Mark(self._sent, self._sent, now, is_opening=True))
        return Packet(b"", self._opening)

    def _send(self, reply: _Reply, size: int, now: float) -> Packet:
        if reply.sent == 0:
            reply.wire_start = self._sent
        payload = reply.slice(reply.sent, reply.sent + size)
        reply.sent += size
        self._sent += size
        return Packet(payload, self._mark_after(reply, now))

    def _begin_run(self, now: float) -> None:
        self._run_from = self._sent
        self._run_at = now + self._round_trip_s + _FRAMING_S
        self._run_sent_at = now
        self._run_marks = 0

    def _mark_after(self, reply: _Reply, now: float) -> str | None:
        is_end = reply.is_finished and not reply.unsent
        if not is_end and self._sent - self._marked < self._mark_every:
            return None
        self._marked = self._sent
        reply.is_end_marked = is_end
        return self._new_mark(_Mark(self._sent, self._run_from, now, reply.reply_id if is_end else None))

    def _new_mark(self, mark: _Mark) -> str:
        self._mark_count += 1
        name = f"m{self._mark_count}"
        self._marks[name] = mark
        return name

    def _correct_run(self, began_at: float) -> None:
        """One mark's word on when the present run began, averaged with what was believed before."""
        if self._run_marks == 0:
            # A round trip known from before the run counts as one word on when the run began.
            self._run_marks = 1 if self._round_trips > 1 else 0
        self._run_marks = min(self._run_marks + 1, _STEADY_MARKS)
        error_s = began_at - self._run_at
        self._run_at += error_s if abs(error_s) > _STALL_S else error_s / self._run_marks

    def _learn_round_trip(self, sample_s: float) -> None:
        self._round_trips = min(self._round_trips + 1, _STEADY_ROUND_TRIPS)
        self._round_trip_s += (max(0.0, sample_s) - self._round_trip_s) / self._round_trips

    def _heard_at(self, now: float) -> int:
        """Bytes of the wire that have sounded by `now`; never goes back, whatever a late mark says of the past."""
        played = self._run_from + self._audio.payload_bytes(max(0.0, now - self._run_at) * 1000)
        self._heard = max(self._heard, min(self._sent, played))
        return self._heard

    def _position(self, reply: _Reply, heard: int) -> Position:
        return Position(self._ms(reply.generated), self._ms(reply.sent), self._ms(reply.heard(heard)))

    def _ms(self, size: int) -> int:
        return round(self._audio.ms(size))

    def _drain(self, heard: int) -> list[Heard]:
        taken = []
        while self._replies:
            reply = self._replies[0]
            start, end = reply.dropped, reply.heard(heard)
            if end > start:
                taken.append(Heard(self._time_of(reply.wire_start + start), reply.slice(start, end)))
                reply.let_go(end)
            if not reply.is_finished or end < reply.generated:
                break
            self._replies.popleft()
        return taken
