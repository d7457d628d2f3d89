"""One Realtime session that reads texts aloud: made ready, lost, renewed; its texts and their sound. No I/O.

Each text is a response of its own outside the conversation, so none knows of the others and none is charged for them.
A session that nears its end gets a successor beside it: that takes the next texts, while this one ends those it has.
Times are seconds, monotonic.
"""

import math
from collections.abc import Iterator, Sequence

from bot.events import FromModel, LinkClosed, LinkCommand, LinkEvent, ToModel
from bot.speech.reader_settings import ReaderSettings
from bot.speech.reading import Crowded, Ended, Lost, Noted, Outcome, Reading, Rejected, Sentence, SoundRead
from bot.voice import realtime_wire as wire
from bot.voice.link_setup import Configured, LinkSetup, Unfit
from bot.voice.model_links import Link, ModelLinks
from bot.voice.realtime_faults import FINAL_CLOSE_CODES, FINAL_STATUSES, Severity, describe, severity

_SENTENCE = "sentence"  # in the metadata
_CROWDED = "conversation_already_has_active_response"
_CROWDED_WORDS = "already has an active response"  # some servers give no code

Step = LinkCommand | SoundRead | Noted | Outcome


class ReaderSession:
    def __init__(
        self, settings: ReaderSettings, setup: LinkSetup, numbers: Iterator[int], *, now: float, epoch_s: float
    ) -> None:
        """`numbers` are the links'; `epoch_s` is the wall clock less the monotonic one: sessions expire by it."""
        self.readings: list[Reading] = []
        """Those under way, until their last event: also such as nobody waits for any more."""
        self.idle_since = now
        self.fault: Unfit | None = None
        """Why it is of no use any more."""
        self._settings = settings
        self._setup = setup
        self._epoch_s = epoch_s
        self._heard_at = now
        self._links = ModelLinks(
            connect_timeout_s=settings.patience.connect_timeout_s,
            reconnect_s=settings.patience.reconnect_s,
            renew_before_s=settings.patience.renew_before_s,
            numbers=numbers,
        )

    # -- what it can do ----------------------------------------------------------------------------------------------

    @property
    def is_ready(self) -> bool:
        return self._link is not None

    @property
    def busy(self) -> int:
        """How many texts the link has that the next one would go to."""
        link = self._link
        return 0 if link is None else sum(reading.link == link.number for reading in self.readings)

    @property
    def deadline(self) -> float:
        stalled_at = (
            min((reading.moved_at for reading in self.readings), default=math.inf) + self._settings.patience.stall_s
        )
        return math.inf if self.fault is not None else min(self._links.deadline, stalled_at)

    @property
    def _link(self) -> Link | None:
        """Where the next text goes."""
        return next((one for one in (self._links.spare, self._links.current) if one is not None and one.is_ready), None)

    def owns(self, number: int) -> bool:
        return self._links.find(number) is not None

    # -- what the reader calls ---------------------------------------------------------------------------------------

    def open(self, now: float) -> Sequence[LinkCommand]:
        return self._links.open(now)

    def ask(self, sentence: Sentence, key: str, now: float, *, is_held: bool) -> Sequence[LinkCommand]:
        """Only where it is ready."""
        assert self._link is not None
        reading = Reading(key, sentence, self._link.number, now, is_held)
        self.readings.append(reading)
        text = f"{wire.EXACTLY} {sentence.text}"
        return [ToModel(reading.link, wire.create_beside(key, text, {_SENTENCE: key}))]

    def cancel(self, sentence: Sentence) -> Sequence[LinkCommand]:
        """Nobody wants to hear it any more."""
        commands: list[LinkCommand] = []
        for reading in self.readings:
            if reading.sentence is sentence and reading.is_wanted:
                reading.is_wanted = False
                commands += self._call_off(reading)
        return commands

    def receive(self, event: LinkEvent, now: float) -> Sequence[Step]:
        link = self._links.find(event.link)
        match event:
            case FromModel(_, message) if link is not None:
                return [*self._on_message(link, message, now), *self._renew(now)]
            case LinkClosed(_, reason, code) if link is not None:
                is_final = code in FINAL_STATUSES or code in FINAL_CLOSE_CODES
                return self._drop(link, Unfit(reason, is_final, str(code or "")), now)
            case _:
                return []

    def on_deadline(self, now: float) -> Sequence[Step]:
        steps: list[Step] = [*self._links.on_deadline(now)]
        if self._links.has_failed:
            self.fault = Unfit("no session was ready in time", is_final=False)
        for reading in [one for one in self.readings if now >= one.moved_at + self._settings.patience.stall_s]:
            steps += self._on_stalled(reading, now)
        return [*steps, *self._renew(now)]

    def close(self) -> Sequence[LinkCommand]:
        return self._links.close()

    # -- the session's life ------------------------------------------------------------------------------------------

    def _on_message(self, link: Link, message: str | bytes, now: float) -> Sequence[Step]:
        event = wire.decode(message)
        if event is None:
            return []
        self._heard_at = now
        if event.session is not None and event.session.expires_at:
            self._note_end(link, event.session.expires_at - self._epoch_s, now)
        return self._on_event(link, event, now) if link.is_ready else self._on_preparing(link, event, now)

    def _note_end(self, link: Link, expires_at: float, now: float) -> None:
        """A session that lives no longer than renewing takes is renewed at half its life, and not all the time."""
        link.expires_at = max(expires_at, now + (expires_at - now) / 2 + self._settings.patience.renew_before_s)

    def _on_preparing(self, link: Link, event: wire.ServerEvent, now: float) -> Sequence[Step]:
        match self._setup.receive(link, event):
            case ToModel() as settings:
                return [settings]
            case Configured():
                self._links.ready(link, now)
                return []
            case Unfit() as fault:
                return self._drop(link, fault, now)
            case _:
                return []

    def _drop(self, link: Link, fault: Unfit, now: float) -> Sequence[Step]:
        """A link is of no more use: another takes its place, if that can help."""
        is_current = link is self._links.current
        commands = self._links.give_up(link, now)
        steps: list[Step] = [*commands, Noted("reader_session_lost", details={"error": fault.reason})]
        for reading in [one for one in self.readings if one.link == link.number]:
            steps += self._end(reading, now, Lost(reading, fault.reason))
        if is_current and (fault.is_final or self._links.has_failed):
            self.fault = fault
            steps += self._links.close()
        return steps

    def _renew(self, now: float) -> Sequence[LinkCommand]:
        current, spare = self._links.current, self._links.spare
        if spare is None or not spare.is_ready or current is None:
            return []
        if any(reading.link == current.number for reading in self.readings):
            return []
        return self._links.take_over(now)

    # -- one response ------------------------------------------------------------------------------------------------

    def _on_event(self, link: Link, event: wire.ServerEvent, now: float) -> Sequence[Step]:
        if event.type == "error":
            return self._on_error(link, event.error or wire.Fault(), now)
        reading = self._find(link, event)
        if reading is None:
            return []
        reading.moved_at = now
        match event.type:
            case "response.created":
                return [] if reading.is_wanted else self._call_off(reading)
            case "response.output_audio.delta":
                return self._on_sound(reading, event.sound)
            case "response.output_audio_transcript.done":
                reading.say(event.transcript)
                return []
            case "response.done":
                return self._end(reading, now, Ended(reading, event.response or wire.Response()))
            case _:
                return []

    def _find(self, link: Link, event: wire.ServerEvent) -> Reading | None:
        """Whose event it is. A response tells its name, and what we called it; not all servers give that back."""
        readings = [one for one in self.readings if one.link == link.number]
        response_id = event.response.id if event.response is not None else event.response_id
        for reading in readings:
            if response_id and reading.response_id == response_id:
                return reading
        if event.response is None:
            return None
        key = (event.response.metadata or {}).get(_SENTENCE)
        for reading in readings:
            if not reading.response_id and key in (None, reading.key):
                reading.response_id = response_id
                return reading
        return None

    def _on_sound(self, reading: Reading, pcm: bytes) -> Sequence[Step]:
        if not reading.is_wanted or reading.is_cut:
            return []
        sound = reading.receive(pcm)
        steps: list[Step] = [SoundRead(reading.sentence.number, sound)] if sound else []
        if reading.sound_ms > reading.sentence.longest_ms(self._settings.speed):
            reading.is_cut = True
            steps += self._call_off(reading)
        return steps

    def _call_off(self, reading: Reading) -> Sequence[LinkCommand]:
        """By its name: without one, only a response of the conversation would be cancelled."""
        if not reading.response_id:
            return []
        return [ToModel(reading.link, wire.cancel_response(reading.response_id))]

    def _end(self, reading: Reading, now: float, outcome: Outcome) -> Sequence[Step]:
        self.readings.remove(reading)
        if not self.readings:
            self.idle_since = now
        return [outcome]

    # -- what goes wrong ---------------------------------------------------------------------------------------------

    def _on_error(self, link: Link, fault: wire.Fault, now: float) -> Sequence[Step]:
        unnamed = [one for one in self.readings if one.link == link.number and not one.response_id]
        reading = next((one for one in unnamed if one.key == fault.event_id), None)
        if fault.code == _CROWDED or _CROWDED_WORDS in (fault.message or ""):
            reading = reading or (unnamed[-1] if unnamed else None)
            return [] if reading is None else self._on_crowded(reading, now)
        worth = severity(fault)
        if worth is Severity.BENIGN:
            return []
        if reading is not None:
            return self._end(reading, now, Rejected(reading, fault))
        if worth is Severity.FATAL or fault.code == "session_expired":
            return self._drop(link, Unfit(describe(fault), worth is Severity.FATAL, fault.code or ""), now)
        return [Noted("reader_warned", details={"error": describe(fault)})]

    def _on_crowded(self, reading: Reading, now: float) -> Sequence[Step]:
        is_behind_another = any(one.link == reading.link and one is not reading for one in self.readings)
        return self._end(reading, now, Crowded(reading, is_behind_another))

    def _on_stalled(self, reading: Reading, now: float) -> Sequence[Step]:
        """If the whole session is silent it is replaced; else only this text is, whose last word is not waited for."""
        link = self._links.find(reading.link)
        stall_s = self._settings.patience.stall_s
        reason = f"no sound for {stall_s:g} s"
        if reading not in self.readings:
            return []  # it went down with its session a moment ago
        if link is not None and now >= self._heard_at + stall_s:
            return self._drop(link, Unfit(reason, is_final=False), now)
        return [*self._call_off(reading), *self._end(reading, now, Lost(reading, reason))]
