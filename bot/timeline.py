"""What happened when, on the call's one clock: the records that a call leaves behind, as it goes on.

The clock starts with the media stream and follows the carrier's own frame stamps, so that it neither drifts against the
recording nor jumps when a frame is late. No I/O: records gather here and whoever runs the call takes them.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any

import msgspec

from bot.calllog.records import MessageTaken, Record, TimelineEvent, TurnRecord
from bot.events import (
    AnnounceReply,
    CallerSaid,
    CallerSaying,
    CancelReply,
    ClearPlayout,
    Command,
    DigitPressed,
    EndCall,
    Event,
    KeepMessage,
    NoteReply,
    OperatorHungUp,
    OperatorSpoke,
    OperatorTransferred,
    ReplyAudio,
    ReportTool,
    Respond,
    SentenceBegun,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    StreamStarted,
    StreamStopped,
    TokensUsed,
    ToolRequested,
    TransferCall,
    TransferFailed,
    TruncateReply,
    UtteranceEnded,
    VoiceFailed,
    VoiceWarned,
    WorkBegan,
    WorkEnded,
)
from media.playout import Position

_SETTLED_FRAMES = 64  # the clock follows the mean lateness of about so many frames
_PARTIAL_EVERY_MS = 400  # words that are still being understood are written no more often
_MOST_TOOL_CHARS = 4000  # of what a tool was given, and of what it gave back
_OUTLIER_S = 0.04  # one frame may say no more than this; a stall is not a change of clock


class CallClock:
    """Milliseconds since the media stream began, as its carrier counts them and as they appear here.

    A frame that covers the stream's first 20 ms is complete at 20 ms; with the mean time it takes to get here, that is
    this clock's 20 ms. News of the other direction (a mark) takes the same way and so lies on the same clock.
    """

    def __init__(self, now: float) -> None:
        self._zero = now
        self._frames = 0

    def frame(self, ends_at_ms: float, now: float) -> None:
        """A frame has come in whose last sample the carrier stamps so."""
        late_s = now - ends_at_ms / 1000 - self._zero
        if self._frames >= _SETTLED_FRAMES:
            late_s = max(-_OUTLIER_S, min(_OUTLIER_S, late_s))
        else:
            self._frames += 1
        self._zero += late_s / self._frames

    def moment(self, at_ms: float) -> float:
        """When something of that time appears here (seconds, monotonic)."""
        return self._zero + at_ms / 1000

    def ms(self, now: float) -> int:
        return max(0, round((now - self._zero) * 1000))

    def exact_ms(self, now: float) -> float:
        return (now - self._zero) * 1000


@dataclass(slots=True)
class _Waiting:
    """The reply that a caller is waiting for, and where the time goes; times on the call's clock."""

    speech_ended_ms: int | None = None
    decided_ms: int | None = None
    said_ms: int | None = None
    sentence_ms: int | None = None
    sound_ms: int | None = None


@dataclass(slots=True)
class Timeline:
    call_id: str
    from_number: str
    clock: CallClock
    _records: list[Record] = field(default_factory=list)
    _turns: dict[str, TurnRecord] = field(default_factory=dict)  # replies under way
    _utterances: dict[int, int] = field(default_factory=dict)  # turn index by where the utterance began
    _turn_count: int = 0
    _spoken_turns: int = 0  # of the bot
    _understood: set[int] = field(default_factory=set)  # turns of the caller that had words
    _waiting: _Waiting = field(default_factory=_Waiting)
    reply_delays_ms: list[int] = field(default_factory=list)
    tokens: Counter[str] = field(default_factory=Counter)
    cost_usd: float = 0.0
    _partial_at_ms: int = -_PARTIAL_EVERY_MS
    _guessed: set[int] = field(default_factory=set)  # where utterances began whose first words were written already
    _last_cut: TurnRecord | None = None  # its end may yet be known more exactly
    _last_cut_id: str = ""

    def take(self) -> list[Record]:
        """The records since the last call; most frames leave none."""
        if not self._records:
            return []
        records, self._records = self._records, []
        return records

    @property
    def turns(self) -> int:
        """Turns in which words were said, by either side."""
        return self._spoken_turns + len(self._understood)

    def reply_percentile_ms(self, percent: int) -> int | None:
        if len(self.reply_delays_ms) < 2:
            return self.reply_delays_ms[0] if self.reply_delays_ms else None
        return round(quantiles(self.reply_delays_ms, n=100, method="inclusive")[percent - 1])

    def happened(self, event: Event, now: float) -> None:
        """Note an event; audio is counted elsewhere and leaves no record of its own."""
        at_ms = self.clock.ms(now)
        match event:
            case ReplyAudio():
                if self._waiting.sound_ms is None:
                    self._waiting.sound_ms = at_ms
            case SentenceBegun():
                if self._waiting.sentence_ms is None:
                    self._waiting.sentence_ms = at_ms
            case StreamStarted(stream_id, _, audio):
                self._note(at_ms, "stream_started", stream_id=stream_id, encoding=audio.encoding.value)
            case SpeechStarted(start_ms):
                self._note(start_ms, "speech_started", decided_ms=at_ms)
            case SpeechPaused() | SpeechResumed():
                pass
            case UtteranceEnded(start_ms, end_ms):
                self._waiting = _Waiting(speech_ended_ms=end_ms, decided_ms=at_ms)
                self._turn_index(start_ms)  # it has one already where its first words came while it lasted
                self._note(end_ms, "utterance_ended", start_ms=start_ms, decided_ms=at_ms)
            case CallerSaying(text, start_ms):
                self._on_caller_saying(text, start_ms, at_ms)
            case CallerSaid(text, start_ms, end_ms, is_unwritten):
                self._on_caller_said(text, start_ms, end_ms, at_ms, is_unwritten=is_unwritten)
            case DigitPressed(digit):
                self._note(at_ms, "digit_pressed", digit=digit)
            case ToolRequested(name):
                self._note(at_ms, "tool_requested", name=name)
            case WorkBegan(work):
                self._note(at_ms, "work_began", work=work)
            case WorkEnded(work):
                self._note(at_ms, "work_ended", work=work)
            case TokensUsed(model, tokens, cost_usd):
                self._count(tokens, cost_usd)
                self._note(at_ms, "tokens_used", model=model, cost_usd=round(cost_usd, 6), **tokens)
            case VoiceWarned(message):
                self._note(at_ms, "voice_warned", message=message)
            case OperatorSpoke(text, _, by):
                self._note(at_ms, "operator_spoke", text=text, by=by)
            case OperatorHungUp(by):
                self._note(at_ms, "operator_hung_up", by=by)
            case OperatorTransferred(destination, by):
                self._note(at_ms, "operator_transferred", destination=destination, by=by)
            case TransferFailed(message):
                self._note(at_ms, "transfer_failed", message=message)
            case VoiceFailed(message):
                self._note(at_ms, "voice_failed", message=message)
            case StreamStopped():
                self._note(at_ms, "stream_stopped")

    def tool_began(self, job_id: int, name: str, arguments: str, now: float) -> None:
        self._note(self.clock.ms(now), "tool_began", job=job_id, name=name, arguments=arguments[:_MOST_TOOL_CHARS])

    def tool_ended(self, job_id: int, output: str, now: float) -> None:
        self._note(self.clock.ms(now), "tool_ended", job=job_id, output=output[:_MOST_TOOL_CHARS])

    def commanded(self, command: Command, now: float) -> None:
        """Note what the call decided."""
        at_ms = self.clock.ms(now)
        match command:
            case ClearPlayout():
                self._note(at_ms, "playout_cleared")
            case AnnounceReply():
                self._on_announced(command)
            case NoteReply(reply_id, text, length_ms):
                self._finish_turn(reply_id, text, text, Position(length_ms, length_ms, length_ms), at_ms)
            case CancelReply():
                self._on_cancelled(command, at_ms)
            case TruncateReply():
                self._on_truncated(command, at_ms)
            case TransferCall(destination):
                self._note(at_ms, "transfer_asked", destination=destination)
            case ReportTool():
                self._waiting = _Waiting()  # what follows answers to a tool; nobody waits for it as for an answer
            case Respond(reply_id):
                self._note(at_ms, "reply_requested", reply_id=reply_id)
            case KeepMessage(text, start_ms, end_ms):
                index = self._utterances.get(start_ms, max(0, self._turn_count - 1))
                self._records.append(
                    MessageTaken(
                        call_id=self.call_id,
                        turn_index=index,
                        at_ms=start_ms,
                        duration_ms=end_ms - start_ms,
                        text=text,
                        from_number=self.from_number,
                    )
                )
            case EndCall(reason):
                self._note(at_ms, "ended", reason=reason.value)

    def _note(self, at_ms: int, kind: str, **data: Any) -> None:
        self._records.append(TimelineEvent(self.call_id, at_ms, kind, data))

    def _new_index(self) -> int:
        self._turn_count += 1
        return self._turn_count - 1

    def _count(self, tokens: Mapping[str, int], cost_usd: float) -> None:
        self.tokens.update(tokens)
        self.cost_usd += cost_usd

    def _turn_index(self, start_ms: int) -> int:
        index = self._utterances.setdefault(start_ms, self._turn_count)
        if index == self._turn_count:
            self._turn_count += 1
        return index

    def _on_caller_saying(self, text: str, start_ms: int, at_ms: int) -> None:
        if not text or at_ms < self._partial_at_ms + _PARTIAL_EVERY_MS:
            return
        self._partial_at_ms = at_ms
        self._guessed.add(start_ms)
        self._records.append(
            TurnRecord(
                call_id=self.call_id,
                index=self._turn_index(start_ms),
                role="caller",
                kind="speech",
                started_ms=start_ms,
                text=text,
            )
        )

    def _on_caller_said(self, text: str, start_ms: int, end_ms: int, at_ms: int, *, is_unwritten: bool) -> None:
        self._waiting.said_ms = at_ms
        if not text:
            kind = "words_unwritten" if is_unwritten else "no_words"
            self._note(at_ms, kind, start_ms=start_ms, end_ms=end_ms)
            if start_ms not in self._guessed:
                return
        index = self._turn_index(start_ms)
        self._understood |= {index} if text else set()
        self._records.append(
            TurnRecord(
                call_id=self.call_id,
                index=index,
                role="caller",
                kind="speech",
                started_ms=start_ms,
                ended_ms=end_ms,
                text=text,
            )
        )

    def _on_announced(self, reply: AnnounceReply) -> None:
        started_ms = self.clock.ms(reply.heard_at)
        turn = TurnRecord(
            call_id=self.call_id,
            index=self._new_index(),
            role="bot",
            kind=reply.kind,
            started_ms=started_ms,
            text=reply.text,
            heard_text="",
            **(self._delays(started_ms) if reply.kind == "reply" else {}),
        )
        if turn.reply_ms is not None:
            self.reply_delays_ms.append(turn.reply_ms)
        self._turns[reply.reply_id] = turn
        self._records.append(turn)

    def _delays(self, started_ms: int) -> Mapping[str, Any]:
        """Where the time between the caller's last sound and the reply's first one went."""
        waited, self._waiting = self._waiting, _Waiting()
        if waited.speech_ended_ms is None or waited.decided_ms is None:
            return {}  # an answer to a tool's result, not to the caller
        if waited.sentence_ms is None:  # speech to speech: one engine does all of it
            return {
                "endpointing_ms": waited.decided_ms - waited.speech_ended_ms,
                "response_ms": _between(waited.decided_ms, waited.sound_ms),
                "reply_ms": started_ms - waited.speech_ended_ms,
            }
        return {
            "endpointing_ms": waited.decided_ms - waited.speech_ended_ms,
            "transcription_ms": _between(waited.decided_ms, waited.said_ms),
            "response_ms": _between(waited.said_ms, waited.sentence_ms),
            "synthesis_ms": _between(waited.sentence_ms, waited.sound_ms),
            "reply_ms": started_ms - waited.speech_ended_ms,
        }

    def _on_cancelled(self, cut: CancelReply, at_ms: int) -> None:
        if cut.reply_id not in self._turns:
            self._note(at_ms, "reply_dropped", reply_id=cut.reply_id)
            return
        self._note(
            at_ms,
            "reply_cut",
            reply_id=cut.reply_id,
            heard_ms=cut.position.heard_ms,
            generated_ms=cut.position.generated_ms,
        )
        self._last_cut = self._finish_turn(
            cut.reply_id, cut.text, cut.heard_text, cut.position, at_ms, interrupted=True
        )
        self._last_cut_id = cut.reply_id

    def _on_truncated(self, told: TruncateReply, at_ms: int) -> None:
        self._note(at_ms, "reply_truncated", reply_id=told.reply_id, heard_ms=told.heard_ms)
        if self._last_cut is not None and told.reply_id == self._last_cut_id:
            turn = msgspec.structs.replace(self._last_cut, heard_ms=told.heard_ms, heard_text=told.heard_text)
            self._records.append(turn)

    def _finish_turn(
        self,
        reply_id: str,
        text: str,
        heard_text: str,
        position: Position,
        at_ms: int,
        *,
        interrupted: bool = False,
    ) -> TurnRecord | None:
        turn = self._turns.pop(reply_id, None)
        if turn is None:
            return None
        self._spoken_turns += bool(text)
        turn = msgspec.structs.replace(
            turn,
            text=text,
            heard_text=heard_text,
            ended_ms=max(turn.started_ms, at_ms),
            generated_ms=position.generated_ms,
            sent_ms=position.sent_ms,
            heard_ms=position.heard_ms,
            interrupted=interrupted,
        )
        self._records.append(turn)
        return turn


def _between(start_ms: int | None, end_ms: int | None) -> int | None:
    return None if start_ms is None or end_ms is None else max(0, end_ms - start_ms)
