"""How a chained voice listens with a live transcription session: sound goes out as it comes, words come back. No I/O.

An *utterance* is what the caller says until they have finished; a *piece* is one item of the session, sound that is
committed in one go. Where we decide when the caller has finished (`is_turn_local`), only utterances are sent, and each
is committed at its first pause already: if that was its end, its words are there a hangover sooner. If the caller goes
on, a model that writes ahead goes on too and the pieces' words are joined; any other gets the whole utterance again,
since words are understood better in one piece. Where the session decides, it hears everything and each item is an
utterance.

A session that is lost is replaced, and what it had not written down is sent again. Words come out in the order in which
they were spoken. Times are seconds, monotonic; those in milliseconds are on the call's clock.
"""

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from bot.events import (
    CallerSaid,
    CallerSaying,
    FromModel,
    JobResult,
    LinkClogged,
    LinkClosed,
    LinkEvent,
    LinkFlows,
    SpeechEvent,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    ToModel,
    ToVoice,
    UtteranceEnded,
    VoiceFailed,
    VoiceWarned,
    WorkBegan,
    WorkEnded,
)
from bot.voice import realtime_wire as wire
from bot.voice.base import Effect
from bot.voice.live_settings import LiveSettings
from bot.voice.live_utterance import Piece, Utterance, believed, used
from bot.voice.model_session import Began, Failed, Lost, ModelSession, SpareReady, Step
from bot.voice.realtime_faults import describe
from bot.voice.unanswered import Unanswered, Words
from bot.voice.upstream import Upstream
from media.frame import AudioFormat

_WORK = "transcriber"
_LEAST_MS = 120  # a commit of less than a tenth of a second is refused
_OVERLAP_MS = 600
_UNNOTICED_MS = 2000  # so long a model may have been deaf before its socket shows it


class LiveEar:
    def __init__(self, settings: LiveSettings, line: AudioFormat, *, epoch_s: float) -> None:
        """`epoch_s` is the wall clock less the monotonic one: sessions expire by the former."""
        self._settings = settings
        self._session = ModelSession(_WORK, settings, epoch_s=epoch_s)
        self._upstream = Upstream(line, settings.wire, calm_after_ms=settings.calm_after_ms)
        self.unanswered = Unanswered()
        self._utterances: deque[Utterance] = deque()  # those that are not told yet; the last may be under way
        self._piece: Piece | None = None  # what is being sent
        self._unnamed: deque[Piece] = deque()  # sent, and the session has not said what it calls them
        self._items: dict[str, Piece] = {}  # by the session's names for them
        self._count = 0
        self._is_speaking = self._is_paused = False
        self._awaited_since = 0.0
        self._stalls = 0
        self._deaf_from_ms: int | None = None  # since when no session hears the caller
        self._is_closing = False

    # -- what the voice calls ----------------------------------------------------------------------------------------

    @property
    def deadline(self) -> float:
        return min(self._session.deadline, self._stalled_at)

    def start(self, now: float) -> Sequence[Effect]:
        """Open the session, ahead of the call's first frame. Nothing is sent, so nothing is billed."""
        return self._taken(self._session.start(now), now)

    def hear(self, payload: bytes, pcm: bytes, at_ms: int) -> Sequence[Effect]:
        audio = self._upstream.frame(payload, pcm, at_ms)
        return (ToModel(self._session.number, wire.append(audio)),) if audio else ()

    def receive(self, event: SpeechEvent | JobResult | LinkEvent | ToVoice, now: float) -> Sequence[Effect]:
        match event:
            case FromModel() | LinkClosed():
                return self._taken(self._session.receive(event, now), now)
            case LinkClogged(number) if number == self._session.number:
                # What is sent meanwhile piles up, and is lost if it has stopped reading for good.
                self._deaf_from_ms = self._upstream.newest_ms - _UNNOTICED_MS
                return [WorkBegan(_WORK)]
            case LinkFlows(number) if number == self._session.number:
                self._deaf_from_ms = None
                return [WorkEnded(_WORK)]
            case SpeechStarted(start_ms):
                return self._on_local_speech(start_ms)
            case SpeechPaused(_, end_ms):
                return self._on_local_pause(end_ms)
            case SpeechResumed():
                return self._on_local_resumption()
            case UtteranceEnded(_, end_ms):
                return [*self._on_local_utterance(end_ms, now), *self._when_idle(now)]
            case _:
                return []

    def on_deadline(self, now: float) -> Sequence[Effect]:
        effects = self._taken(self._session.on_deadline(now), now)
        return [*effects, *self._taken(self._on_stalled(now), now)] if now >= self._stalled_at else effects

    def close(self) -> Sequence[Effect]:
        """The caller is gone. What they said last is waited for, since it may be a message for somebody."""
        self._is_closing = True
        last = self._end_speech()
        self._upstream.close()
        return last if self._awaits_words and self._session.is_ready else self._session.close()

    # -- the session -------------------------------------------------------------------------------------------------

    def _taken(self, steps: Sequence[Step], now: float) -> list[Effect]:
        """What the session's steps come to, in their order."""
        effects: list[Effect] = []
        for step in steps:
            match step:
                case Began(is_seamless):
                    effects += [*self._begin(now, is_seamless=is_seamless), WorkEnded(_WORK)]
                case Lost() | Failed():
                    effects += self._lose()
                case SpareReady():
                    pass  # it takes over when all is written down
                case wire.ServerEvent():
                    handler = _HANDLERS.get(step.type)
                    effects += [] if handler is None else handler(self, step, now)
                case _:
                    effects.append(step)
        return effects + self._when_idle(now)

    def _when_idle(self, now: float) -> list[Effect]:
        if self._utterances or self._is_speaking:
            return []
        if self._is_closing:
            return [*self._session.close()]
        steps = self._session.renew(now)
        return self._taken(steps, now) if steps else []

    @property
    def _awaits_words(self) -> bool:
        return any(utterance.is_ended for utterance in self._utterances)

    @property
    def _stalled_at(self) -> float:
        """When the words of an utterance must have come, or some of them."""
        is_awaited = self._session.is_ready and self._awaits_words
        return self._awaited_since + self._settings.stall_s if is_awaited else math.inf

    def _on_stalled(self, now: float) -> Sequence[Step]:
        """Nothing comes although something should: the session is replaced, once."""
        self._stalls += 1
        if self._is_closing:
            self._utterances.clear()
            return []
        if self._stalls > 1:
            return self._session.fail("it does not answer")
        return self._session.replace(f"no words for {self._settings.stall_s:g} s", now)

    def _begin(self, now: float, *, is_seamless: bool) -> list[Effect]:
        """Send what no session has written down. One that takes over in a silence hears the last moment again."""
        self._upstream.begin_buffer()
        self._awaited_since = now
        deaf_from_ms, self._deaf_from_ms = self._deaf_from_ms, None
        if self._settings.is_turn_local:
            return self._send_again()
        from_ms = self._upstream.newest_ms - _OVERLAP_MS if is_seamless else deaf_from_ms
        return self._write(self._upstream.open(from_ms))

    def _send_again(self) -> list[Effect]:
        """All that is not written down goes out in one piece, and is one utterance from then on."""
        unwritten = [one.unwritten_from_ms(self._settings.padding_ms) for one in self._utterances]
        from_ms = min((start_ms for start_ms in unwritten if start_ms is not None), default=None)
        if from_ms is None:
            return []
        first, last = self._utterances[0], self._utterances[-1]
        first.end_ms, first.is_ended = last.end_ms, last.is_ended
        first.pieces = [piece for piece in first.pieces if piece.text is not None]
        self._utterances = deque([first])
        begun = self._begin_piece(first, from_ms)
        return begun if self._is_speaking and not self._is_paused else [*begun, *self._commit()]

    def _lose(self) -> list[Effect]:
        self._upstream.close()
        self._piece = None
        self._unnamed.clear()
        self._items.clear()
        if self._settings.is_turn_local:
            return []
        starts = [utterance.start_ms - self._settings.padding_ms for utterance in self._utterances]
        deaf_from_ms = self._upstream.newest_ms if self._deaf_from_ms is None else self._deaf_from_ms
        self._deaf_from_ms = min([deaf_from_ms, *starts])
        ended = self._end_speech()
        self._utterances.clear()  # the next session finds them itself
        return ended

    def _write(self, audio: bytes) -> list[Effect]:
        return [ToModel(self._session.number, wire.append(audio))] if audio else []

    # -- we decide when the caller has finished ----------------------------------------------------------------------

    def _on_local_speech(self, start_ms: int) -> list[Effect]:
        self._is_speaking, self._is_paused = True, False
        utterance = Utterance(start_ms)
        self._utterances.append(utterance)
        return self._begin_piece(utterance, start_ms - self._settings.padding_ms) if self._session.is_ready else []

    def _on_local_pause(self, end_ms: int) -> list[Effect]:
        self._is_paused = True
        if self._utterances:
            self._utterances[-1].end_ms = end_ms
        return self._commit()

    def _on_local_resumption(self) -> list[Effect]:
        self._is_paused = False
        if not self._session.is_ready or not self._utterances:
            return []
        utterance = self._utterances[-1]
        from_ms = utterance.start_ms - self._settings.padding_ms
        if self._settings.writes_ahead or from_ms < self._upstream.oldest_ms:
            return self._begin_piece(utterance, utterance.end_ms, goes_on=True)
        utterance.pieces = []
        return self._begin_piece(utterance, from_ms)

    def _on_local_utterance(self, end_ms: int, now: float) -> list[Effect]:
        self._is_speaking = self._is_paused = False
        if not self._utterances:
            return []
        utterance = self._utterances[-1]
        utterance.end_ms, utterance.is_ended = end_ms, True
        self._awaited_since = now
        return [*self._commit(), *self._tell()]

    def _begin_piece(self, utterance: Utterance, from_ms: int, *, goes_on: bool = False) -> list[Effect]:
        """Sound flows from there on; what `goes_on` begins where the last piece ended."""
        self._count += 1
        self._piece = Piece(f"piece-{self._count}", from_ms, self._upstream.clock.written_ms)
        utterance.pieces.append(self._piece)
        self._unnamed.append(self._piece)
        return self._write(self._upstream.open(None if goes_on else from_ms))

    def _commit(self) -> list[Effect]:
        piece, self._piece = self._piece, None
        if piece is None:
            return []
        self._upstream.close()
        sent_ms = self._upstream.clock.written_ms - piece.sent_from_ms
        padding = self._write(self._settings.wire.silence(max(0.0, _LEAST_MS - sent_ms)))
        return [*padding, ToModel(self._session.number, wire.commit(piece.name))]

    # -- the session decides -----------------------------------------------------------------------------------------

    def _on_speech_started(self, event: wire.ServerEvent, now: float) -> list[Effect]:
        if self._settings.is_turn_local:
            return []
        start_ms = self._upstream.clock.call_ms(event.audio_start_ms) + self._settings.padding_ms
        self._is_speaking = True
        piece = self._items[event.item_id] = Piece(event.item_id, start_ms)
        self._utterances.append(Utterance(start_ms, pieces=[piece]))
        return [SpeechStarted(start_ms)]

    def _on_speech_stopped(self, event: wire.ServerEvent, now: float) -> list[Effect]:
        utterance = self._owner(self._items.get(event.item_id))
        if utterance is None:
            return []
        self._is_speaking = False
        end_ms = self._upstream.clock.call_ms(event.audio_end_ms) - self._settings.silence_ms
        utterance.end_ms, utterance.is_ended = max(utterance.start_ms, end_ms), True
        self._awaited_since = now
        return [UtteranceEnded(utterance.start_ms, utterance.end_ms, b"")]

    def _end_speech(self) -> list[Effect]:
        """The session will not say itself when this utterance ends."""
        if self._settings.is_turn_local or not self._is_speaking:
            return []
        self._is_speaking = False
        utterance = self._utterances[-1]
        utterance.end_ms, utterance.is_ended = self._upstream.newest_ms, True
        committed = [ToModel(self._session.number, wire.commit())] if self._session.is_ready else []
        return [*committed, UtteranceEnded(utterance.start_ms, utterance.end_ms, b"")]

    # -- words -------------------------------------------------------------------------------------------------------

    def _named(self, item_id: str) -> Piece | None:
        """The piece of an item. The session names them in the order in which they were begun."""
        if item_id not in self._items and self._unnamed:
            self._items[item_id] = self._unnamed.popleft()
        return self._items.get(item_id)

    def _owner(self, piece: Piece | None) -> Utterance | None:
        """None for a piece that was sent again in another one."""
        return next((one for one in self._utterances if piece in one.pieces), None)

    def _on_committed(self, event: wire.ServerEvent, now: float) -> list[Effect]:
        self._named(event.item_id)
        return []

    def _on_delta(self, event: wire.ServerEvent, now: float) -> list[Effect]:
        piece = self._named(event.item_id)
        utterance = self._owner(piece)
        if piece is None or utterance is None:
            return []
        self._awaited_since = now
        piece.written += event.delta
        return [CallerSaying(utterance.text, utterance.start_ms)]

    def _on_completed(self, event: wire.ServerEvent, now: float) -> list[Effect]:
        self._stalls = 0
        self._awaited_since = now
        if (piece := self._named(event.item_id)) is not None:
            piece.text = believed(event, self._settings.prompt_words)
        return [*used(event.usage, self._settings), *self._tell()]

    def _on_not_transcribed(self, event: wire.ServerEvent, now: float) -> list[Effect]:
        piece, told = self._named(event.item_id), describe(event.error or wire.Fault())
        utterance = self._owner(piece)
        if piece is None or utterance is None:
            return [VoiceWarned(f"what will be sent again was not transcribed: {told}")]
        piece.text = ""
        utterance.failure = told
        return self._tell()

    def _on_error(self, event: wire.ServerEvent, now: float) -> list[Effect]:
        """An empty commit makes no item: there were no words in it."""
        fault = event.error or wire.Fault()
        for piece in [piece for piece in self._unnamed if piece.name == fault.event_id]:
            self._unnamed.remove(piece)
            piece.text = ""
        return [VoiceWarned(f"the transcriber: {describe(fault)}"), *self._tell()]

    def _tell(self) -> list[Effect]:
        """In the order in which they were spoken, whichever was written down first."""
        told: list[Effect] = []
        while self._utterances and self._utterances[0].is_written:
            utterance = self._utterances.popleft()
            if utterance.failure and not utterance.text:
                told.append(VoiceFailed(f"an utterance was not transcribed: {utterance.failure}"))
                continue
            if utterance.text:
                self.unanswered.add(Words(utterance.text, utterance.start_ms))
            told.append(CallerSaid(utterance.text, utterance.start_ms, utterance.end_ms))
        return told


_Handler = Callable[[LiveEar, wire.ServerEvent, float], list[Effect]]
_HANDLERS: Mapping[str, _Handler] = {
    "input_audio_buffer.speech_started": LiveEar._on_speech_started,
    "input_audio_buffer.speech_stopped": LiveEar._on_speech_stopped,
    "input_audio_buffer.committed": LiveEar._on_committed,
    "conversation.item.input_audio_transcription.delta": LiveEar._on_delta,
    "conversation.item.input_audio_transcription.completed": LiveEar._on_completed,
    "conversation.item.input_audio_transcription.failed": LiveEar._on_not_transcribed,
    "error": LiveEar._on_error,
}
