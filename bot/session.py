"""One call, joined: the carrier's protocol, the call's decisions and the voice, transcoding between them. No I/O.

What comes in is a message of the carrier's, a result of slow work, or the time. What goes out is a list of wishes for
the runner, in the order in which they are to be carried out; most frames leave it empty.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.call import Call
from bot.carrier.base import MediaStream
from bot.errors import CarrierError
from bot.events import (
    AudioReceived,
    CancelJob,
    CancelReply,
    ClearPlayout,
    CloseLink,
    Command,
    Compose,
    Converse,
    EndCall,
    EndReason,
    Event,
    Greet,
    IgnoreWords,
    Job,
    JobResult,
    LinkCommand,
    LinkEvent,
    ListenPatiently,
    MarkReturned,
    NoteReply,
    OpenLink,
    OperatorEvent,
    PlayAudio,
    RateLimitsTold,
    ReportTool,
    Respond,
    ResumeReply,
    RunTool,
    SendMark,
    SpeechEvent,
    StreamStarted,
    StreamStopped,
    Synthesize,
    TokensUsed,
    ToModel,
    ToolRan,
    Transcribe,
    TransferCall,
    TransferFailed,
    TruncateReply,
    VoiceFailed,
    VoiceWarned,
)
from bot.policy import CallPolicy
from bot.prompts import PreparedAudio, Prompt
from bot.timeline import CallClock, Timeline
from bot.voice.base import Effect, Voice
from media.codec import decoder
from media.endpointing import Endpointer
from media.frame import PTIME_MS
from media.recorder import Recorder

_HOUSEKEEPING_FRAMES = 25  # the recording is moved on twice a second
_PROBE_EVERY_S = 2.0
_FRESH_S = 0.06  # the carrier sends a frame every 20 ms; after a longer silence its stamps say nothing of the present
_FOR_THE_RUNNER = (Transcribe, Compose, Converse, Synthesize, RunTool, CancelJob, OpenLink, ToModel, CloseLink)
_AHEAD_MS = 10_000  # a stamp further in the future would have us fill the recording with silence for no reason


@dataclass(frozen=True, slots=True)
class Record:
    """The next stretch of the recording: interleaved 16-bit stereo, caller left, bot right."""

    block: bytes


@dataclass(frozen=True, slots=True)
class Overtake:
    """A message for the carrier that goes before all that is not written yet, and in the place of it."""

    message: str


Told = VoiceWarned | VoiceFailed | RateLimitsTold
"""News of the voice that the operator's log and metrics are interested in."""

Output = str | Overtake | Job | CancelJob | LinkCommand | Record | TransferCall | Told | EndCall
"""A string is a message for the carrier."""


class Session:
    def __init__(
        self,
        *,
        call_id: str,
        carrier_call_id: str,
        from_number: str,
        stream: MediaStream,
        voice: Voice,
        policy: CallPolicy,
        prepared: Mapping[Prompt, PreparedAudio],
        endpointer: Endpointer | None,
        recorder: Recorder | None,
        now: float,
        untold: list[Effect] | None = None,
    ) -> None:
        """Without an endpointer the voice tells when the caller speaks; `untold` grows until the stream starts."""
        self._untold: list[Effect] | None = [] if untold is None else untold  # None once the stream has started
        self._carrier_call_id = carrier_call_id
        self._stream = stream
        self.audio = stream.audio
        self._voice = voice
        self._endpointer = endpointer
        self._hangover_ms = 0 if endpointer is None else endpointer.hangover_ms
        self._recorder = recorder
        self._decode = decoder(stream.audio)
        self._bytes_per_ms = stream.audio.bytes_per_second / 1000
        self._clock = CallClock(now)
        self._probed_at = now
        self._began_at = now
        self.call = Call(policy, stream.audio, prepared, now)
        self.timeline = Timeline(call_id, from_number, self._clock)
        self.deadline = self.call.next_deadline()
        """When `on_deadline` wants calling if nothing else happens (seconds, monotonic)."""
        self.frames_in = 0
        self._frame_at = now  # when the last frame came in, and when it ended by the carrier's stamp
        self._frame_ends_ms = 0.0

    def from_carrier(self, message: str | bytes, now: float) -> list[Output]:
        """Raises `CarrierError` for what no carrier may send; the call is over then."""
        outputs: list[Output] = []
        for event in self._stream.receive(message):
            if type(event) is AudioReceived:
                self._on_audio(event, now, outputs)
            else:
                self._on_news(event, now, outputs)
        return outputs

    def from_worker(self, result: JobResult | TokensUsed, now: float) -> list[Output]:
        if isinstance(result, TokensUsed):  # a fact of the call, whatever voice it has
            outputs: list[Output] = []
            self._apply([result], now, outputs)
            self._set_deadline()
            return outputs
        if isinstance(result, ToolRan):
            self.timeline.tool_ended(result.job_id, result.output, now)
        return self._told_voice(result, now)

    def from_model(self, event: LinkEvent, now: float) -> list[Output]:
        """A message of the model at the other end of the voice's link, or news of the link itself."""
        return self._told_voice(event, now)

    def transfer_failed(self, message: str, now: float) -> list[Output]:
        """The carrier would not take the caller elsewhere."""
        return self._steered(TransferFailed(message), now)

    def from_operator(self, event: OperatorEvent, now: float) -> list[Output]:
        """What somebody who watches the call does to it."""
        return self._steered(event, now)

    def _steered(self, event: Event, now: float) -> list[Output]:
        outputs: list[Output] = []
        self._feed(event, now, outputs)
        self._set_deadline()
        return outputs

    def on_deadline(self, now: float) -> list[Output]:
        outputs: list[Output] = []
        self._carry_out(self.call.on_deadline(now), now, outputs)
        if now >= self._voice.deadline:
            self._apply(self._voice.on_deadline(now), now, outputs)
        self._set_deadline()
        return outputs

    def _told_voice(self, event: JobResult | LinkEvent, now: float) -> list[Output]:
        outputs: list[Output] = []
        self._apply(self._voice.receive(event, now), now, outputs)
        self._set_deadline()
        return outputs

    def drain(self, now: float) -> list[Output]:
        """The service cannot wait for this call any longer."""
        outputs: list[Output] = []
        self._carry_out(self.call.drain(now), now, outputs)
        self._set_deadline()
        return outputs

    def carrier_closed(self, now: float, reason: EndReason | None = None) -> list[Output]:
        """The media socket is gone. What was being said is still transcribed, and the recording is completed."""
        outputs: list[Output] = []
        for event in () if self._endpointer is None else self._endpointer.flush():
            self._on_speech(event, now, outputs)
        if reason is not None:
            self._carry_out(self.call.abandon(reason), now, outputs)
        self._feed(StreamStopped(), now, outputs)
        if self._recorder is not None:
            self._record_heard(now, is_last=True)
            outputs.append(Record(self._recorder.finish(self._clock.exact_ms(now))))
        self._apply(self._voice.close(), now, outputs)
        self._set_deadline()
        return outputs

    def _on_news(self, event: Event, now: float, outputs: list[Output]) -> None:
        """Anything of the carrier's but sound."""
        if isinstance(event, StreamStarted) and event.carrier_call_id != self._carrier_call_id:
            raise CarrierError("the media stream belongs to another call than its token", close_code=1008)
        self._feed(event, self._carriers_time(now) if isinstance(event, MarkReturned) else now, outputs)
        if isinstance(event, StreamStarted) and self._untold is not None:
            untold, self._untold = self._untold, None
            self._apply(untold, now, outputs)
        self._set_deadline()

    # -- one frame up ----------------------------------------------------------------------------------------------

    def _on_audio(self, frame: AudioReceived, now: float, outputs: list[Output]) -> None:
        if frame.at_ms > (now - self._began_at) * 1000 + _AHEAD_MS:
            raise CarrierError(f"a frame stamped {frame.at_ms} ms, long before that moment of the stream has come")
        pcm = self._decode(frame.payload)
        self._frame_at = now
        self._frame_ends_ms = frame.at_ms + len(frame.payload) / self._bytes_per_ms
        self._clock.frame(self._frame_ends_ms, now)
        self.frames_in += 1
        if self._recorder is not None:
            self._recorder.caller(frame.at_ms, pcm)
        if effects := self._voice.hear(frame.payload, pcm, frame.at_ms):
            outputs.extend(effects)  # type: ignore[arg-type]
        if self._endpointer is not None:
            for event in self._endpointer.push(pcm, frame.at_ms):
                self._on_speech(event, now, outputs)
                self._set_deadline()
        if self.frames_in % _HOUSEKEEPING_FRAMES == 0:
            self._move_recording(now, outputs)
            self._probe(now, outputs)

    def _carriers_time(self, now: float) -> float:
        """When the carrier sent what has just come in, as it would appear here without the network's jitter.

        Messages keep their order, so it was sent after the last frame ended and before the next one did.
        """
        if now - self._frame_at > _FRESH_S or not self.frames_in:
            return now
        after = self._clock.moment(self._frame_ends_ms)
        return min(max(now, after), after + PTIME_MS / 1000)

    def _probe(self, now: float, outputs: list[Output]) -> None:
        """While nothing plays, a mark comes back at once: it tells how far away the caller's ear is."""
        if now - self._probed_at >= _PROBE_EVERY_S and (mark := self.call.playout.probe(now)) is not None:
            self._probed_at = now
            outputs.append(self._stream.mark(mark))

    # -- events, commands, effects -----------------------------------------------------------------------------------

    def _feed(self, event: Event, now: float, outputs: list[Output]) -> None:
        self.timeline.happened(event, now)
        # The call first: where the caller's ear is waiting, the voice's bookkeeping is not.
        self._carry_out(self.call.receive(event, now), now, outputs)

    def _on_speech(self, event: SpeechEvent, now: float, outputs: list[Output]) -> None:
        """We have heard something ourselves; a voice that has tells us, and need not be told."""
        self._feed(event, now, outputs)
        self._apply(self._voice.receive(event, now), now, outputs)

    def _set_deadline(self) -> None:
        self.deadline = min(self.call.next_deadline(), self._voice.deadline)

    def _carry_out(self, commands: list[Command], now: float, outputs: list[Output]) -> None:
        for command in commands:
            self.timeline.commanded(command, now)
            match command:
                case PlayAudio(payload):
                    outputs.append(self._stream.media(payload))
                case SendMark(name):
                    outputs.append(self._stream.mark(name))
                case ClearPlayout():
                    outputs.append(Overtake(self._stream.clear()))
                case ListenPatiently(hangover_ms) if self._endpointer is not None:
                    self._endpointer.hangover_ms = self._hangover_ms if hangover_ms is None else hangover_ms
                case EndCall() | TransferCall():
                    outputs.append(command)
                case Greet() | Respond() | CancelReply() | TruncateReply() | ResumeReply() | NoteReply():
                    self._apply(self._voice.receive(command, now), now, outputs)
                case IgnoreWords() | ReportTool():
                    self._apply(self._voice.receive(command, now), now, outputs)

    def _apply(self, effects: Sequence[Effect], now: float, outputs: list[Output]) -> None:
        for effect in effects:
            if isinstance(effect, _FOR_THE_RUNNER):
                if isinstance(effect, RunTool):
                    self.timeline.tool_began(effect.job_id, effect.name, effect.arguments, now)
                outputs.append(effect)
            elif self._untold is not None:
                self._untold.append(effect)
            else:
                if isinstance(effect, VoiceWarned | VoiceFailed | RateLimitsTold):
                    outputs.append(effect)
                self._feed(effect, now, outputs)

    # -- the recording -----------------------------------------------------------------------------------------------

    def _move_recording(self, now: float, outputs: list[Output]) -> None:
        self._record_heard(now)
        if self._recorder is not None and (block := self._recorder.take(self._clock.exact_ms(now))):
            outputs.append(Record(block))

    def _record_heard(self, now: float, *, is_last: bool = False) -> None:
        heard = self.call.playout.drain_heard(now, is_last=is_last)
        if self._recorder is not None:
            for piece in heard:
                self._recorder.bot(self._clock.exact_ms(piece.at), self._decode(piece.payload))
