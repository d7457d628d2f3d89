"""A whole call in virtual time: the session, a carrier with its playout buffer, and a network between them with delay.

Nothing waits: an hour of call takes as long as its arithmetic. What the carrier's end heard and said is kept, so that
what the session believes (recording, heard positions) can be held against it.
"""

import heapq
import itertools
import json
from base64 import b64encode
from collections.abc import Callable, Sequence

import numpy as np

from bot.carrier.twilio_media import TwilioMediaStream
from bot.events import (
    CancelJob,
    Compose,
    Composed,
    EndCall,
    JobResult,
    PartComposed,
    SoundMade,
    Synthesize,
    Synthesized,
    Transcribe,
    Transcribed,
)
from bot.policy import CallPolicy
from bot.prompts import PreparedAudio, Prompt
from bot.rehearsal.buffer import PlayoutBuffer
from bot.rehearsal.line import Direction, Line
from bot.rehearsal.server_message import Audio, ClearRequest, Mark, read
from bot.session import Output, Overtake, Record, Session
from bot.speech.links import Say, Transcript
from bot.voice.chained import ChainedVoice
from media.codec import encoder
from media.endpointing import Endpointer
from media.frame import PCMU_8K
from media.g711 import decode_ulaw, encode_ulaw
from media.level import tone
from media.recorder import Recorder

ANSWER_MS = 3000


def voiced(ms: int) -> bytes:
    """Something every detector takes for speech: harmonics of a voice with the syllables' rise and fall; mu-law."""
    time_s = np.arange(ms * 8) / 8000
    voice = sum(np.sin(2 * np.pi * 120 * k * time_s) / k for k in range(1, 20))
    syllables = 0.55 + 0.45 * np.sin(2 * np.pi * 4 * time_s)
    return encode_ulaw((voice * syllables * 5000).astype("<i2").tobytes())


class VirtualCall:
    def __init__(
        self, line: Line | None = None, *, policy: CallPolicy | None = None, answer_ms: int = ANSWER_MS
    ) -> None:
        self._line = line or Line()
        self._answer_ms = answer_ms
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self.now = 50.0
        self._up, self._down = Direction(self._line, "uplink"), Direction(self._line, "downlink")
        self.buffer = PlayoutBuffer()
        self.spoke, self.heard = bytearray(), bytearray()
        self.recording = bytearray()
        self._to_say = b""
        self._frame = 0
        self._cancelled: set[int] = set()
        self.ended: EndCall | None = None
        greeting = PreparedAudio("hello", encode_ulaw(tone(700, 1000, 8000)))
        self.session = Session(
            call_id="virtual",
            carrier_call_id="CA1",
            from_number="+15550001111",
            stream=TwilioMediaStream(),
            voice=ChainedVoice(speaker_rate_hz=8000, line_rate_hz=8000, encode=encoder(PCMU_8K)),
            policy=policy or CallPolicy(idle_prompt_s=1000),
            prepared=dict.fromkeys(Prompt, greeting),
            endpointer=Endpointer(),
            recorder=Recorder(),
            now=self.now,
        )
        self._started_at = self.now
        self._send_up(json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"}))
        self._send_up(
            json.dumps(
                {
                    "event": "start",
                    "sequenceNumber": "1",
                    "streamSid": "MZ1",
                    "start": {
                        "streamSid": "MZ1",
                        "callSid": "CA1",
                        "accountSid": "AC1",
                        "tracks": ["inbound"],
                        "customParameters": {},
                        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
                    },
                }
            )
        )
        self._begin_frame()

    def passes(self, seconds: float) -> None:
        until = self.now + seconds
        while True:
            at = self._events[0][0] if self._events else until + 1
            at = min(at, max(self.session.deadline, self.now))
            if at > until:
                self.now = until
                return
            self.now = max(self.now, at)
            if self._events and self._events[0][0] <= self.now:
                heapq.heappop(self._events)[2]()
            else:
                self._carry_out(self.session.on_deadline(self.now))

    def says(self, ms: int) -> None:
        """The caller begins to speak at this moment."""
        self._to_say = voiced(ms)

    def hangs_up(self) -> None:
        self._carry_out(self.session.carrier_closed(self.now))

    @property
    def at_ms(self) -> float:
        """The carrier's clock."""
        return (self.now - self._started_at) * 1000

    # -- the carrier's end -----------------------------------------------------------------------------------------

    def _begin_frame(self) -> None:
        frame = self.buffer.tick()
        for name in frame.marks:
            self._return_mark(name)
        self._sounding = frame.payload
        self._at(self._started_at + (self._frame + 1) * 0.02, self._end_frame)

    def _end_frame(self) -> None:
        payload, self._to_say = self._to_say[:160].ljust(160, b"\xff"), self._to_say[160:]
        self.spoke += payload
        self.heard += self._sounding
        body = {
            "track": "inbound",
            "chunk": str(self._frame + 1),
            "timestamp": str(self._frame * 20),
            "payload": b64encode(payload).decode(),
        }
        self._send_up(
            json.dumps({"event": "media", "sequenceNumber": str(self._frame + 2), "streamSid": "MZ1", "media": body})
        )
        self._frame += 1
        self._begin_frame()

    def _obey(self, message: str) -> None:
        match read(message, "MZ1"):
            case Audio(payload):
                self.buffer.push(payload, self.at_ms)
            case Mark(name):
                for returned in self.buffer.mark(name):
                    self._return_mark(returned)
            case ClearRequest():
                for returned in self.buffer.clear(self.at_ms):
                    self._return_mark(returned)
            case other:
                raise AssertionError(other)

    def _return_mark(self, name: str) -> None:
        self._send_up(json.dumps({"event": "mark", "streamSid": "MZ1", "sequenceNumber": "1", "mark": {"name": name}}))

    # -- the network and our end -----------------------------------------------------------------------------------

    def _send_up(self, message: str) -> None:
        self._at(self._up.arrival(self.now), lambda: self._carry_out(self.session.from_carrier(message, self.now)))

    def _carry_out(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            match output:
                case str():
                    self._send_down(output)
                case Overtake(message):
                    self._send_down(message)
                case Record(block):
                    self.recording += block
                case CancelJob(job_id):
                    self._cancelled.add(job_id)
                case EndCall():
                    self.ended = output
                case Transcribe() | Compose() | Synthesize():
                    self._work(output)

    def _send_down(self, message: str) -> None:
        self._at(self._down.arrival(self.now), lambda: self._obey(message))

    def _work(self, job: Transcribe | Compose | Synthesize) -> None:
        results: list[JobResult]
        match job:
            case Transcribe(job_id):
                results = [Transcribed(job_id, Transcript("words"))]
            case Compose(job_id):
                results = [PartComposed(job_id, Say("answer", "answer")), Composed(job_id)]
            case Synthesize(job_id):
                results = [SoundMade(job_id, tone(440, self._answer_ms, 8000)), Synthesized(job_id)]
        for result in results:
            self._at(self.now + 0.05, lambda result=result: self._finish(result))

    def _finish(self, result: JobResult) -> None:
        if result.job_id not in self._cancelled:
            self._carry_out(self.session.from_worker(result, self.now))

    def _at(self, time: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._events, (time, next(self._order), action))

    # -- what is compared ------------------------------------------------------------------------------------------

    def recorded(self) -> tuple[np.ndarray, np.ndarray]:
        stereo = np.frombuffer(bytes(self.recording), "<i2").reshape(-1, 2)
        return stereo[:, 0], stereo[:, 1]

    def true(self) -> tuple[np.ndarray, np.ndarray]:
        return tuple(np.frombuffer(decode_ulaw(bytes(side)), "<i2") for side in (self.spoke, self.heard))  # type: ignore[return-value]


def loud_spans(samples: np.ndarray, *, join_ms: int = 60) -> list[tuple[float, float]]:
    """Where a channel sounds, in ms."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > 300)
    if not len(loud):
        return []
    breaks = np.flatnonzero(np.diff(loud) > join_ms * 8)
    starts, ends = loud[np.r_[0, breaks + 1]], loud[np.r_[breaks, len(loud) - 1]]
    return [(start / 8, (end + 1) / 8) for start, end in zip(starts, ends, strict=True)]
