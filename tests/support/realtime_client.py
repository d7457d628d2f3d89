"""A client of our Realtime session, in plain calls: messages and time in, events out, and work that takes no time."""

import base64
import itertools
import json
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from bot.events import (
    CancelJob,
    Composed,
    JobFailed,
    PartComposed,
    SoundMade,
    Synthesized,
    Transcribe,
    Transcribed,
)
from bot.local.realtime.jobs import Close, Converse, FunctionWanted, Job, Output, Result, Speak, Think
from bot.local.realtime.memory import Memory
from bot.local.realtime.session import ServerSession
from bot.local.realtime.terms import Terms
from bot.local.realtime.wire import FORMATS
from bot.speech.links import Said, Say, Transcript, UseTool
from media.frame import L16_8K
from media.level import tone
from media.transcode import Transcoder
from tests.support.tones import speech

Event = dict[str, Any]
Turn = Sequence[Say | UseTool]
RATE_HZ = 24000
SENTENCE_MS = 1000
"""Every sentence is spoken in a second, in two pieces."""
EPOCH_S = 1_700_000_000.0


class Client:
    def __init__(
        self,
        answers: Sequence[Turn] | Callable[[Sequence[Said]], Turn] = (),
        words: Sequence[str] = (),
        *,
        kind: str = "realtime",
        memory: Memory | None = None,
        session_s: float = 3600.0,
        has_text_model: bool = False,
        **audio_input: Any,
    ) -> None:
        """The server understands `words`, and answers turn by turn (then "Yes."); it hears and speaks PCMU.

        `audio_input` is for the first session.update, beside the format.
        """
        self.now = 100.0
        self.events: list[Event] = []
        self.jobs: deque[Job] = deque()
        self.histories: list[Sequence[Said]] = []
        self.conversations: list[Converse] = []
        self.closed: Close | None = None
        self.cancelled: list[int] = []
        self._answers = answers if callable(answers) else None
        self._turns = deque(() if callable(answers) else answers)
        self._words = deque(words)
        self._thinking = 0
        self._parts: deque[Say | UseTool] = deque()
        self._made: dict[int, int] = {}
        counts: dict[str, itertools.count[int]] = {}

        def new_id(prefix: str) -> str:
            return f"{prefix}_{next(counts.setdefault(prefix, itertools.count(1)))}"

        terms = Terms(RATE_HZ, frozenset({"own"}), session_s, has_text_model)
        self.session = ServerSession(
            "gpt-realtime-2.1", terms, kind=kind, epoch_s=EPOCH_S, memory=memory, new_id=new_id
        )
        self._take(self.session.start(self.now))
        self.created = self.events[0]
        self.configure(input={"format": {"type": "audio/pcmu"}, **audio_input})

    # -- messages --------------------------------------------------------------------------------------------------

    def sends(self, kind: str, **fields: Any) -> list[Event]:
        """One message; the events that come back at once."""
        return self.sends_raw(json.dumps({"type": kind, **fields}))

    def sends_raw(self, message: str | bytes) -> list[Event]:
        events = self._take(self.session.receive(message, self.now))
        while self.session.is_behind:
            events += self._take(self.session.catch_up(self.now))
        return events

    def configure(self, **settings: Any) -> list[Event]:
        """session.update; `input` and `output` are those of its `audio`."""
        audio = {side: settings.pop(side) for side in ("input", "output") if side in settings}
        kind = self.created["session"]["type"]
        if kind == "realtime":
            audio.setdefault("output", {"format": {"type": "audio/pcmu"}})
        return self.sends("session.update", session={"type": kind, "audio": audio, **settings})

    def hears(self, ms: int) -> list[Event]:
        """So much silence of the caller's."""
        return self._append(bytes(16 * ms))

    def hears_speech(self, ms: int = 600) -> list[Event]:
        return self._append(speech(ms))

    def hears_turn(self, ms: int = 600) -> list[Event]:
        """A whole utterance, up to the silence that ends it."""
        return [*self.hears_speech(ms), *self.hears(600)]

    def _append(self, pcm: bytes) -> list[Event]:
        audio = FORMATS[self.last("session.")["session"]["audio"]["input"]["format"]["type"]]
        transcoder, events = Transcoder(L16_8K, audio), []
        for offset in range(0, len(pcm), 320):
            payload = base64.b64encode(transcoder.push(pcm[offset : offset + 320])).decode()
            self.now += 0.02
            events += self.sends("input_audio_buffer.append", audio=payload)
        return events

    # -- the server's slow work ------------------------------------------------------------------------------------

    def works(self, steps: int | None = None) -> list[Event]:
        """Do the jobs that wait, and those that come of them; or so many steps of them."""
        events: list[Event] = []
        while self.jobs and (steps is None or steps > 0):
            job = self.jobs[0]
            result = self._next_result(job)
            events += self._take(self.session.from_worker(result, self.now))
            steps = None if steps is None else steps - 1
        return events

    def fails(self, message: str = "the engine broke") -> list[Event]:
        """The job at the head of the queue cannot be done."""
        job = self.jobs.popleft()
        return self._take(self.session.from_worker(JobFailed(job.job_id, message), self.now))

    def passes(self, seconds: float) -> list[Event]:
        """Let time go by."""
        until, events = self.now + seconds, []
        while self.session.deadline <= until:
            self.now = self.session.deadline
            events += self._take(self.session.on_deadline(self.now))
        self.now = until
        return events

    def _next_result(self, job: Job) -> Result:
        """The head of the queue is replaced by what is left of it."""
        match job:
            case Transcribe(job_id):
                self.jobs.popleft()
                return Transcribed(job_id, Transcript(self._words.popleft() if self._words else "words"))
            case Think(job_id, history):
                if self._thinking != job_id:
                    self.histories.append(history)
                return self._next_part(job_id, history)
            case Converse(job_id):
                if self._thinking != job_id:
                    self.conversations.append(job)
                return self._next_part(job_id, ())
            case Speak(job_id):
                made = self._made.get(job_id, 0)
                self._made[job_id] = made + 1
                if made < 2:
                    return SoundMade(job_id, tone(440, SENTENCE_MS / 2, RATE_HZ))
                self.jobs.popleft()
                return Synthesized(job_id)

    def _next_part(self, job_id: int, history: Sequence[Said]) -> Result:
        if self._thinking != job_id:
            self._thinking = job_id
            self._parts = deque(self._turn(history))
        if not self._parts:
            self.jobs.popleft()
            return Composed(job_id)
        part = self._parts.popleft()
        if isinstance(part, UseTool) and self.conversations:
            return FunctionWanted(job_id, part.name, json.dumps(dict(part.arguments)))
        return PartComposed(job_id, part)

    def _turn(self, history: Sequence[Said]) -> Turn:
        if self._answers is not None:
            return self._answers(history)
        return self._turns.popleft() if self._turns else [Say("Yes.", "answer")]

    # -- what came back --------------------------------------------------------------------------------------------

    def last(self, kind: str) -> Event:
        """The newest event whose type begins so."""
        return next(event for event in reversed(self.events) if event["type"].startswith(kind))

    def error(self) -> dict[str, Any]:
        """What the newest event complains of."""
        assert self.events[-1]["type"] == "error", self.events[-1]
        return self.events[-1]["error"]

    def _take(self, outputs: Sequence[Output]) -> list[Event]:
        events: list[Event] = []
        for output in outputs:
            match output:
                case str():
                    events.append(json.loads(output))
                case Close():
                    self.closed = output
                case CancelJob(job_id):
                    self.cancelled.append(job_id)
                    self.jobs = deque(job for job in self.jobs if job.job_id != job_id)
                case _:
                    self.jobs.append(output)
        self.events += events
        return events


def types(events: Sequence[Event]) -> list[str]:
    """What happened, in order; deltas in a row of one kind are told once, with a star."""
    told: list[str] = []
    for event in events:
        name = f"{event['type']}*" if event["type"].endswith(".delta") else event["type"]
        if not told or told[-1] != name or not name.endswith("*"):
            told.append(name)
    return told
