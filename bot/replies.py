"""The replies of one call, from being asked for until the ear had them. No I/O; times are seconds, monotonic.

A reply is *expected* until the voice has made all of it, and *queued* from its first word until it was heard, or cut
short. What was heard of one that was cut is said twice: at once by the sum, and exactly once the carrier has thrown
the rest of it back. Who has the floor, and what a cut was worth, is decided in `call.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.events import (
    AnnounceReply,
    CancelReply,
    Command,
    NoteReply,
    PlayAudio,
    ResumeReply,
    SendMark,
    ToolRequested,
    TruncateReply,
)
from bot.interruption import Interruption
from bot.reply import ReplyText
from media.frame import AudioFormat
from media.playout import Playout, Position


@dataclass(frozen=True, slots=True)
class Resumed:
    """What follows a cut that was not meant."""

    commands: Sequence[Command]
    is_sounding: bool  # the ear had not had all that there was
    is_asked: bool = False  # the voice makes the rest of it as a reply of its own
    is_continued: bool = False  # the voice goes on in the midst of what sounds


class Replies:
    def __init__(self, audio: AudioFormat, *, lead_ms: int, packet_ms: int) -> None:
        """`audio` is what the carrier plays."""
        self._audio = audio
        self.playout = Playout(audio, lead_ms=lead_ms, packet_ms=packet_ms)
        self._queued: dict[str, ReplyText] = {}
        self._expected: list[str] = []
        self._cut: dict[str, ReplyText] = {}  # and not yet known to the millisecond
        self._count = 0

    @property
    def are_queued(self) -> bool:
        return bool(self._queued)

    @property
    def are_expected(self) -> bool:
        return bool(self._expected)

    @property
    def are_over(self) -> bool:
        """Whether nothing sounds, or will without being asked for."""
        return not self._queued and not self._expected

    def expects(self, reply_id: str) -> bool:
        return reply_id in self._expected

    def has_begun(self, reply_id: str) -> bool:
        """Whether there is sound of it."""
        reply = self._queued.get(reply_id)
        return reply is not None and bool(reply.generated_ms)

    def are_all(self, kind: str) -> bool:
        """Whether all that is queued is of this kind, and something is."""
        return bool(self._queued) and all(reply.kind == kind for reply in self._queued.values())

    def find(self, reply_id: str) -> ReplyText | None:
        """The words of one that is queued."""
        return self._queued.get(reply_id)

    # -- made by the voice ---------------------------------------------------------------------------------------

    def new_id(self) -> str:
        self._count += 1
        return f"r{self._count}"

    def ask(self) -> str:
        """A name for the reply that is asked for now, and the only one that is expected."""
        for name in self._expected:
            if not self.has_begun(name):
                self._queued.pop(name, None)  # words without a sound: nobody will ever hear them
        self._expected = [self.new_id()]
        return self._expected[0]

    def expect(self, reply_id: str) -> None:
        """The voice has begun one by itself."""
        self._expected.append(reply_id)

    def begin_sentence(self, reply_id: str, text: str, tag: str) -> None:
        """The sound that follows says this; nothing, where the reply is not wanted any more."""
        if reply_id in self._expected:
            self._reply(reply_id).begin(text, tag)

    def write(self, reply_id: str, text: str) -> None:
        """More words, ahead of their sound; nothing, where the reply is not wanted any more."""
        if reply_id in self._expected:
            self._reply(reply_id).write(text)

    def lengthen(self, reply_id: str, payload: bytes, now: float) -> list[Command]:
        """More sound of an expected reply."""
        reply = self._reply(reply_id)
        is_first = not reply.generated_ms
        reply.lengthen(self._audio.ms(len(payload)))
        self.playout.push(reply_id, payload)
        return [*self.play(now), self._announce(reply, now)] if is_first else self.play(now)

    def end(self, reply_id: str) -> bool:
        """The voice has made all of an expected reply; whether there was any sound of it."""
        self._expected.remove(reply_id)
        self.playout.finish(reply_id)
        if not self.has_begun(reply_id):
            self._queued.pop(reply_id, None)
            return False
        self._queued[reply_id].is_whole = True
        return True

    def break_off(self) -> list[Command]:
        """The voice will not go on: what there is of its replies may still be heard, the others are called off."""
        for reply_id in filter(self.has_begun, list(self._expected)):
            self.playout.finish(reply_id)
            self._expected.remove(reply_id)
        return self.call_off()

    def call_off(self) -> list[Command]:
        """What is expected is not wanted any more."""
        expected, self._expected = self._expected, []
        for reply_id in expected:
            self._queued.pop(reply_id, None)
        return [unwanted(reply_id) for reply_id in expected]

    # -- prepared ------------------------------------------------------------------------------------------------

    def say(self, kind: str, text: str, payload: bytes, now: float) -> list[Command]:
        """Queue a finished stretch of sound, as a reply of its own."""
        reply = self._queue(kind, text, kind, payload)
        return [*self.play(now), self._announce(reply, now)]

    def _queue(self, kind: str, text: str, tag: str, payload: bytes) -> ReplyText:
        reply_id = self.new_id()
        reply = self._queued[reply_id] = ReplyText(reply_id, kind)
        reply.begin(text, tag)
        reply.lengthen(self._audio.ms(len(payload)))
        reply.is_whole = True
        self.playout.push(reply_id, payload)
        self.playout.finish(reply_id)
        return reply

    # -- on the way to the ear -----------------------------------------------------------------------------------

    def play(self, now: float) -> list[Command]:
        """What the carrier is to have by now."""
        commands: list[Command] = []
        for packet in self.playout.due(now):
            if packet.payload:
                commands.append(PlayAudio(packet.payload))
            if packet.mark:
                commands.append(SendMark(packet.mark))
        return commands

    def heard(self, reply_id: str) -> ReplyText | None:
        """The ear has had all of it; None for one that was not queued any more."""
        return self._queued.pop(reply_id, None)

    # -- cut, settled, resumed -----------------------------------------------------------------------------------

    def cut_short(self, now: float, tool: ToolRequested | None) -> tuple[Interruption, list[Command]]:
        """Silence all; the voice learns how much of each was heard. `tool` was to be used after those words."""
        cuts = self.playout.clear(now)
        texts = {cut.reply_id: self._queued.pop(cut.reply_id) for cut in cuts if cut.reply_id in self._queued}
        self._cut |= texts
        interruption = Interruption(cuts, texts, self._expected[0] if self._expected else None, tool)
        # Those that are left were heard whole, only their marks had not come back yet.
        commands: list[Command] = [note(reply) for reply in self._queued.values() if reply.generated_ms]
        self._queued.clear()
        for cut in cuts:
            if (reply := texts.get(cut.reply_id)) is not None:
                heard_text = reply.heard(cut.position.heard_ms)
                commands.append(CancelReply(cut.reply_id, cut.position, heard_text, reply.text, reply.tag))
        self._expected = [reply_id for reply_id in self._expected if reply_id not in texts]
        return interruption, commands + self.call_off()

    def settle(self, now: float) -> list[Command]:
        """What was heard of a reply that was cut is known once the carrier has thrown the rest of it back."""
        commands: list[Command] = []
        for cut in self.playout.settled(now):
            if (reply := self._cut.pop(cut.reply_id, None)) is not None:
                heard_ms = cut.position.heard_ms
                commands.append(TruncateReply(cut.reply_id, heard_ms, reply.heard(heard_ms)))
        return commands

    def resume(self, left: Interruption, now: float) -> Resumed:
        """Go on from where the ear was: what is left over plays before the voice is asked for more."""
        rests = {
            rest.reply_id: self._queue("resumed", rest.text, rest.tag, rest.unheard)
            for rest in left.rests()
            if rest.unheard
        }
        unfinished = rests.get(left.unfinished or "")
        if unfinished is not None:
            self.playout.reopen(unfinished.reply_id)
            self._expected = [unfinished.reply_id]
        commands = [*self.play(now), *(self._announce(rest, now) for rest in rests.values())] if rests else []
        if left.unfinished is None:
            return Resumed(commands, is_sounding=bool(rests))
        # Without a rest the ear has had all of it that there was, and more of it is a reply of its own.
        request = ResumeReply(left.unfinished, self.ask() if unfinished is None else unfinished.reply_id)
        is_new = unfinished is None
        return Resumed([*commands, request], is_sounding=bool(rests), is_asked=is_new, is_continued=not is_new)

    def _announce(self, reply: ReplyText, now: float) -> Command:
        heard_at = self.playout.heard_at(reply.reply_id)
        return AnnounceReply(reply.reply_id, reply.kind, reply.text, now if heard_at is None else heard_at)

    def _reply(self, reply_id: str) -> ReplyText:
        return self._queued.setdefault(reply_id, ReplyText(reply_id, "reply"))


def unwanted(reply_id: str) -> CancelReply:
    """Nothing of it was heard, or will be."""
    return CancelReply(reply_id, Position(0, 0, 0), "")


def note(reply: ReplyText) -> NoteReply:
    """It was heard whole."""
    return NoteReply(reply.reply_id, reply.text, round(reply.generated_ms), reply.tag)
