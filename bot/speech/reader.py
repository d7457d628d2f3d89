"""Which sentence is read by which session, and what becomes of those that were not read as they should be. No I/O.

A session reads several sentences at a time, for OpenAI's responses outside the conversation may run side by side
(https://platform.openai.com/docs/guides/realtime-conversations). A server that answers otherwise is believed: then each
session reads one at a time. Where those there are do not suffice more are opened, up to a limit; beyond that sentences
wait in the order in which they came, which is fair, since a call asks for one after the other.

One session is always kept, as only what it reads costs anything; others close when they have been idle for a while. A
server that cannot be reached is tried for a moment, and again when there is something to read. Times are seconds,
monotonic.
"""

import itertools
import math
from collections import deque
from collections.abc import Iterator, Sequence

from bot.events import LinkEvent
from bot.speech.faithfulness import Difference, Trust, difference
from bot.speech.links import Spent
from bot.speech.prices import cost_usd, tokens
from bot.speech.reader_session import ReaderSession, Step
from bot.speech.reader_settings import ReaderSettings
from bot.speech.reading import (
    Crowded,
    Ended,
    Lost,
    Noted,
    ReaderEffect,
    Reading,
    Rejected,
    Sentence,
    SentenceFailed,
    SentenceRead,
    SoundRead,
)
from bot.voice.link_setup import LinkSetup, Unfit
from bot.voice.realtime_faults import Severity, describe, severity
from bot.voice.realtime_wire import Fault, Response, StatusDetails

_TOGETHER = 8  # in one session, where the server allows it: one socket must carry all of their sound
_MOST_SESSIONS = 8
_MOST_TRIES, _MOST_TRIES_UNHURRIED = 2, 4  # the latter of what is checked: no caller waits for it
_PAUSE_S = 0.5  # before a sentence is asked for again that the server was too busy for
_PATIENCE_S = 10.0  # of a sentence that has not been begun; its caller has heard "one moment" by then
_IDLE_S = 60.0
_GROW_AGAIN_S = 30.0  # after a further session could not be had
MISREAD = "misread"
"""The code of a sentence that failed since it was not read as it stands there."""
_REMEDY = "each sentence is checked before it is heard, and so comes later; try another model or tone of voice"


class Reader:
    def __init__(self, settings: ReaderSettings, *, epoch_s: float) -> None:
        """`epoch_s` is the wall clock less the monotonic one."""
        self._settings = settings
        self._epoch_s = epoch_s
        self._setup = LinkSetup(settings.session, settings.core_session)
        self._links = itertools.count(1)
        self._keys = itertools.count(1)
        self._sessions: list[ReaderSession] = []
        self._together = _TOGETHER
        self._grow_at = -math.inf
        self._waiting: deque[Sentence] = deque()
        self._sentences: dict[int, Sentence] = {}
        self._trust = Trust()
        self.fault: Unfit | None = None
        """Why there is no session; None where there is one, or nobody has tried."""
        self.deadline = math.inf
        """When `on_deadline` wants calling if nothing else happens."""

    @property
    def is_ready(self) -> bool:
        return any(session.is_ready for session in self._sessions)

    # -- what the shell calls ----------------------------------------------------------------------------------------

    def open(self, now: float) -> Sequence[ReaderEffect]:
        """Have a session before there is anything to read. Nothing is asked of it, so nothing is billed."""
        return self._settled([] if self._sessions else self._open_session(now), now)

    def ask(self, number: int, text: str, now: float, *, is_checked: bool = False) -> Sequence[ReaderEffect]:
        """Have a sentence read; `number` is its name from now on. One that is checked comes whole, and right."""
        sentence = self._sentences[number] = Sentence(number, text, now + _PATIENCE_S, is_checked)
        self._waiting.append(sentence)
        return self.open(now)

    def cancel(self, number: int, now: float) -> Sequence[ReaderEffect]:
        """Nobody wants it any more; one that was read, or failed, is no error."""
        sentence = self._sentences.pop(number, None)
        if sentence is None:
            return []
        if sentence in self._waiting:
            self._waiting.remove(sentence)
        return self._settled([one for session in self._sessions for one in session.cancel(sentence)], now)

    def receive(self, event: LinkEvent, now: float) -> Sequence[ReaderEffect]:
        session = next((one for one in self._sessions if one.owns(event.link)), None)
        return [] if session is None else self._settled(self._taken(session.receive(event, now), now), now)

    def on_deadline(self, now: float) -> Sequence[ReaderEffect]:
        effects: list[ReaderEffect] = []
        for session in list(self._sessions):
            if now >= session.deadline:
                effects += self._taken(session.on_deadline(now), now)
        for session in self._sessions[1:]:
            if now >= _closes_at(session):
                self._sessions.remove(session)
                effects += session.close()
        for sentence in [one for one in self._waiting if now >= one.due_at]:
            effects += self._fail(sentence, "nobody was free to read for too long")
        return self._settled(effects, now)

    def close(self) -> Sequence[ReaderEffect]:
        closing = [command for session in self._sessions for command in session.close()]
        self._sessions.clear()
        self.deadline = math.inf
        return closing

    def _settled(self, effects: Sequence[ReaderEffect], now: float) -> Sequence[ReaderEffect]:
        settled = [*effects, *self._bury(now), *self._hand_out(now), *self._grow(now)]
        self.deadline = min(self._deadlines(now), default=math.inf)
        return settled

    def _deadlines(self, now: float) -> Iterator[float]:
        yield from (session.deadline for session in self._sessions)
        yield from (_closes_at(session) for session in self._sessions[1:])
        for sentence in self._waiting:
            yield sentence.due_at
            if sentence.ask_at > now:
                yield sentence.ask_at

    # -- sessions ----------------------------------------------------------------------------------------------------

    def _open_session(self, now: float) -> Sequence[ReaderEffect]:
        session = ReaderSession(self._settings, self._setup, self._links, now=now, epoch_s=self._epoch_s)
        self._sessions.append(session)
        self.fault = None
        return session.open(now)

    def _bury(self, now: float) -> Sequence[ReaderEffect]:
        """Sessions that have failed; with the last one, all that waits fails too."""
        effects: list[ReaderEffect] = []
        for session in [one for one in self._sessions if one.fault is not None]:
            self._sessions.remove(session)
            self._grow_at = now + _GROW_AGAIN_S
            self.fault = session.fault if not self._sessions else None
        if self.fault is not None:
            for sentence in list(self._waiting):
                effects += self._fail(sentence, self.fault.reason, self.fault.code, is_fatal=self.fault.is_final)
        return effects

    def _hand_out(self, now: float) -> Sequence[ReaderEffect]:
        effects: list[ReaderEffect] = []
        for sentence in [one for one in self._waiting if now >= one.ask_at]:
            free = [one for one in self._sessions if one.is_ready and one.busy < self._together]
            if not free:
                break
            session = min(free, key=lambda one: one.busy)
            self._waiting.remove(sentence)
            sentence.tries += 1
            is_held = self._trust.is_lost or sentence.is_checked
            effects += session.ask(sentence, f"read-{next(self._keys)}", now, is_held=is_held)
        return effects

    def _grow(self, now: float) -> Sequence[ReaderEffect]:
        """More sessions, if those that are coming will not do."""
        effects: list[ReaderEffect] = []
        waiting = sum(now >= sentence.ask_at for sentence in self._waiting)
        coming = sum(self._together for session in self._sessions if not session.is_ready)
        while (
            waiting > coming and len(self._sessions) < _MOST_SESSIONS and (now >= self._grow_at or not self._sessions)
        ):
            effects += self._open_session(now)
            coming += self._together
        return effects

    # -- what becomes of sentences -----------------------------------------------------------------------------------

    def _taken(self, steps: Sequence[Step], now: float) -> list[ReaderEffect]:
        effects: list[ReaderEffect] = []
        for step in steps:
            match step:
                case Ended(reading, response):
                    effects += self._on_ended(reading, response, now)
                case Lost(reading, reason):
                    effects += self._again(reading, reason, now)
                case Rejected(reading, fault):
                    effects += self._on_fault(reading, fault, now)
                case Crowded():
                    effects += self._on_crowded(step, now)
                case _:
                    effects.append(step)
        return effects

    def _on_ended(self, reading: Reading, response: Response, now: float) -> Sequence[ReaderEffect]:
        sentence = reading.sentence
        if response.usage is not None:
            sentence.tokens.update(tokens(response.usage))
        if not reading.is_wanted:
            return [self._unbooked(sentence)]
        if response.status == "failed":
            details = response.status_details or StatusDetails()
            return self._on_fault(reading, details.error or Fault(message="the response failed"), now)
        if not reading.sound_ms:
            return self._again(reading, f"it made no sound (status {response.status})", now)
        off = difference(sentence.text, reading.words)
        is_right = not reading.is_cut and (off.is_slight or not reading.words or response.status != "completed")
        noted = self._judged(reading, off, is_right=is_right, status=response.status)
        if reading.is_held and not is_right:
            return [*noted, *self._again(reading, "it did not read what it was given", now, code=MISREAD)]
        return [*noted, *self._read(reading)]

    def _read(self, reading: Reading) -> Sequence[ReaderEffect]:
        sentence, held = reading.sentence, reading.release()
        self._sentences.pop(sentence.number, None)
        sound = [SoundRead(sentence.number, held)] if held else []
        return [*sound, SentenceRead(sentence.number, self._spent(sentence))]

    def _judged(self, reading: Reading, off: Difference, *, is_right: bool, status: str) -> Sequence[ReaderEffect]:
        """What the log is told of it; after several misses nothing more is heard that was not looked at first."""
        noted: list[ReaderEffect] = []
        model = {"model": self._settings.model}
        if not is_right:
            counts = {"given": off.given, "spoken": off.spoken, "wrong": off.wrong, "sound_ms": round(reading.sound_ms)}
            noted.append(Noted("text_misread", details={**model, **counts}))
        elif status != "completed":
            noted.append(Noted("reading_cut_short", details={**model, "status": status}))
        if (reading.words or not is_right) and self._trust.note(is_right=is_right):
            event = "reader_distrusted" if self._trust.is_lost else "reader_trusted"
            noted.append(
                Noted(event, self._trust.is_lost, {**model, "remedy": _REMEDY} if self._trust.is_lost else model)
            )
        return noted

    def _on_fault(self, reading: Reading, fault: Fault, now: float) -> Sequence[ReaderEffect]:
        if severity(fault) is Severity.RETRYABLE:
            return self._again(reading, describe(fault), now, code=fault.code or "", pause_s=_PAUSE_S)
        is_fatal = severity(fault) is Severity.FATAL
        return self._fail(reading.sentence, describe(fault), fault.code or "", is_fatal=is_fatal)

    def _on_crowded(self, crowded: Crowded, now: float) -> Sequence[ReaderEffect]:
        """The server takes one at a time. Who comes too early for that has not had a try."""
        noted = [Noted("reader_serialised", is_warning=False, details={"model": self._settings.model})]
        is_news, self._together = self._together > 1, 1
        crowded.reading.sentence.tries -= crowded.is_behind_another
        pause_s = 0.0 if crowded.is_behind_another else _PAUSE_S
        again = self._again(crowded.reading, "the session was busy", now, pause_s=pause_s)
        return [*(noted if is_news else []), *again]

    def _again(
        self, reading: Reading, reason: str, now: float, *, code: str = "", pause_s: float = 0.0
    ) -> Sequence[ReaderEffect]:
        """Once more, if nobody has heard any of it and it was not tried too often."""
        sentence = reading.sentence
        if not reading.is_wanted:
            return []
        if reading.is_heard or sentence.tries >= (_MOST_TRIES_UNHURRIED if sentence.is_checked else _MOST_TRIES):
            return self._fail(sentence, reason, code)
        sentence.ask_at = now + pause_s
        self._waiting.appendleft(sentence)
        return []

    def _fail(
        self, sentence: Sentence, reason: str, code: str = "", *, is_fatal: bool = False
    ) -> Sequence[ReaderEffect]:
        if sentence in self._waiting:
            self._waiting.remove(sentence)
        if self._sentences.pop(sentence.number, None) is None:
            return []
        return [SentenceFailed(sentence.number, reason, code, is_fatal)]

    def _spent(self, sentence: Sentence) -> Spent:
        counted = dict(sentence.tokens)
        return Spent(self._settings.model, counted, cost_usd(counted, self._settings.price))

    def _unbooked(self, sentence: Sentence) -> Noted:
        """It was cancelled, and what was made until then is charged; no call takes the cost."""
        usd = round(self._spent(sentence).usd, 6)
        return Noted("reading_cancelled", is_warning=False, details={"model": self._settings.model, "usd": usd})


def _closes_at(session: ReaderSession) -> float:
    return math.inf if session.readings or not session.is_ready else session.idle_since + _IDLE_S
