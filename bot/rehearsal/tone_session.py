"""One realtime session of a model that hears levels and answers with tones. No I/O: messages in, messages and acts out.

It keeps OpenAI's protocol (GA) in the order of events that the real service has, and notes all that arrives, so that a
test can look at it. Times are seconds on a monotonic clock, given as arguments.
"""

import heapq
import itertools
import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from bot.rehearsal.tone_ear import Started, ToneEar
from bot.rehearsal.tone_items import ItemError, ToneItems
from bot.rehearsal.tone_response import LETTERS_PER_TOKEN, Sound, Step, ToneResponse
from bot.rehearsal.tone_script import Answer, Faults, Tone, parts_of
from bot.rehearsal.tone_settings import ParameterError, first_settings, updated
from bot.rehearsal.tone_wire import FORMATS, ToneWire, read_head

MIN_COMMIT_MS = 100
_MS_PER_TOKEN = 100  # of the caller's sound
_UNAUTHORISED_CLOSE, _NORMAL_CLOSE = 3000, 1000
_REQUIRED = {
    "session.update": ("session",),
    "conversation.item.create": ("item",),
    "conversation.item.truncate": ("item_id", "content_index", "audio_end_ms"),
    "conversation.item.delete": ("item_id",),
    "conversation.item.retrieve": ("item_id",),
}


@dataclass(frozen=True, slots=True)
class Cut:
    """End the connection under the socket, without a close frame."""


@dataclass(frozen=True, slots=True)
class CloseSocket:
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class StopReading:
    """Take nothing more from the connection, and leave it open."""


Output = str | Cut | CloseSocket | StopReading


@dataclass(frozen=True, slots=True)
class Manner:
    """How a model of tones behaves as long as nothing is wrong with it."""

    silence_ms: float | None = 200
    """Quiet that ends a speech; None: as each session asks for."""
    piece_ms: int = 200
    """Sound in one message."""
    pace: float = 0.0
    """How many times faster than it sounds speech is sent; 0: all at once."""
    utterances: Sequence[str] = ()
    """What is understood of the caller's speeches, one after the other, where a session wants that written down."""
    transcription_ms: float = 0.0
    """How long that takes."""


@dataclass(frozen=True, slots=True)
class LoudFrame:
    arrived_at: float  # seconds, the model's clock
    position_ms: float  # in the input buffer


@dataclass(frozen=True, slots=True)
class Truncation:
    item_id: str
    audio_end_ms: float
    arrived_at: float
    generated_ms: float | None  # of the item by then; None if there is no such item
    is_refused: bool


@dataclass(slots=True)
class Reply:
    """A response's story, for measuring."""

    response_id: str
    began_at: float
    last_loud_at: float | None  # when the last loud frame before it arrived
    sounded_at: float | None = None  # when its first sound was sent
    item_ids: list[str] = field(default_factory=list)
    status: str = "in_progress"


class ToneSession:
    def __init__(
        self, number: int, model: str, script: Sequence[Answer], *, manner: Manner, faults: Faults, epoch_s: float
    ) -> None:
        """`script` is said response by response, then two seconds of tone each time; `epoch_s` is now, in Unix time."""
        self.number = number
        self.faults = faults
        self.script: deque[Answer] = deque(script)
        """What the next responses say; may be added to at any time."""
        self.events: list[dict[str, Any]] = []
        """What the client sent, sound excepted."""
        self.truncations: list[Truncation] = []
        self.loud: list[LoudFrame] = []
        self.replies: list[Reply] = []
        self._wire = ToneWire(number)
        self._manner = manner
        self._utterances = iter(manner.utterances)
        self.id = self._wire.new_id("sess")
        self._conversation_id = self._wire.new_id("conv")
        self.settings = first_settings(self.id, model, round(epoch_s + faults.expires_in_s))
        self._items = ToneItems()
        self._ear = ToneEar()
        self._speech_item = ""
        self._buffered_from_ms = 0.0
        self._heard_tokens = self._text_tokens = self._cached_tokens = 0
        self._running: ToneResponse | None = None
        self._steps: Iterator[Step] = iter(())
        self._sent_ms = 0.0
        self._timers: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = itertools.count()
        self._out: list[Output] = []

    # -- what arrived ----------------------------------------------------------------------------------------------

    @property
    def updates(self) -> list[dict[str, Any]]:
        """The `session` of each session.update."""
        return [event.get("session", {}) for event in self.sent("session.update")]

    @property
    def items(self) -> list[dict[str, Any]]:
        """The `item` of each conversation.item.create."""
        return [event["item"] for event in self.sent("conversation.item.create")]

    @property
    def appended_ms(self) -> float:
        """How much sound has arrived."""
        return self._ear.heard_ms

    def sent(self, kind: str) -> list[dict[str, Any]]:
        """The client's events of one type."""
        return [event for event in self.events if event.get("type") == kind]

    # -- what the shell calls --------------------------------------------------------------------------------------

    def start(self, now: float) -> list[Output]:
        if self.faults.is_mute:
            return []
        if self.faults.has_bad_key:
            self._error("invalid_api_key", "Incorrect API key provided.")
            self._out.append(CloseSocket(_UNAUTHORISED_CLOSE, "invalid_request_error.invalid_api_key"))
            return self._taken()
        self._emit("session.created", session=self.settings)
        self._at(now + self.faults.expires_in_s, self._expire)
        self._stop_reading_if_due()
        return self._taken()

    def receive(self, message: str, now: float) -> list[Output]:
        if self.faults.is_mute:
            return []
        try:
            head = read_head(message)
        except msgspec.DecodeError as exc:
            self._error("invalid_event", f"The event could not be read: {exc}")
            return self._taken()
        if head.type == "input_audio_buffer.append":
            self._append(head.audio, now)
        else:
            event = msgspec.json.decode(message)
            self.events.append(event)
            self._obey(event, now)
        return self._taken()

    def next_deadline(self) -> float:
        return self._timers[0][0] if self._timers else math.inf

    def on_deadline(self, now: float) -> list[Output]:
        while self.next_deadline() <= now:
            due, _, act = heapq.heappop(self._timers)
            act(due)
        return self._taken()

    def complain(self, code: str | None, message: str, kind: str) -> list[Output]:
        """An `error` event out of the blue."""
        self._error(code, message, kind=kind)
        return self._taken()

    # -- the caller's sound ----------------------------------------------------------------------------------------

    def _append(self, audio: bytes, now: float) -> None:
        audio_format = FORMATS[self._input["format"]["type"]]
        detection = self._input["turn_detection"] or {}
        for change in self._ear.hear(audio, audio_format, self._silence_ms(detection)):
            self._note_loud(now)  # the answer to a speech must know of its last frame
            if detection and isinstance(change, Started):
                self._begin_speech(change.at_ms, detection)
            elif detection:
                self._end_speech(change.at_ms, detection, now)
        self._note_loud(now)
        self._stop_reading_if_due()

    def _silence_ms(self, detection: Mapping[str, Any]) -> float:
        asked_ms: float = detection.get("silence_duration_ms", 200)
        return asked_ms if self._manner.silence_ms is None else self._manner.silence_ms

    def _note_loud(self, now: float) -> None:
        self.loud += [LoudFrame(now, position_ms) for position_ms in self._ear.loud_ms[len(self.loud) :]]

    def _begin_speech(self, at_ms: int, detection: Mapping[str, Any]) -> None:
        self._speech_item = self._wire.new_id("item")
        padded_ms = max(0, at_ms - detection.get("prefix_padding_ms", 0))
        self._emit("input_audio_buffer.speech_started", audio_start_ms=padded_ms, item_id=self._speech_item)
        if detection["interrupt_response"] and self._running is not None:
            self._cancel("turn_detected")

    def _end_speech(self, at_ms: int, detection: Mapping[str, Any], now: float) -> None:
        self._emit("input_audio_buffer.speech_stopped", audio_end_ms=at_ms, item_id=self._speech_item)
        self._commit(self._speech_item, now)
        if detection["create_response"]:
            self._begin_response({}, now)

    def _commit(self, item_id: str, now: float) -> None:
        """What is in the buffer becomes an item of the caller's."""
        before, length_ms = self._items.last_id, self._ear.heard_ms - self._buffered_from_ms
        self._buffered_from_ms = self._ear.heard_ms
        self._heard_tokens += math.ceil(length_ms / _MS_PER_TOKEN)
        content = [{"type": "input_audio", "transcript": None}]
        body = {"id": item_id, "type": "message", "status": "completed", "role": "user", "content": content}
        self._items.append(body)
        self._emit("input_audio_buffer.committed", previous_item_id=before, item_id=item_id)
        self._emit("conversation.item.added", previous_item_id=before, item=body)
        self._emit("conversation.item.done", previous_item_id=before, item=body)
        if self._input["transcription"] is not None:
            text = next(self._utterances, f"{length_ms:.0f} milliseconds of speech")
            self._at(now + self._manner.transcription_ms / 1000, lambda _: self._transcribed(item_id, text, length_ms))

    def _transcribed(self, item_id: str, text: str, length_ms: float) -> None:
        told = "conversation.item.input_audio_transcription"
        usage = {"type": "duration", "seconds": math.ceil(length_ms / 1000)}
        self._emit(f"{told}.delta", item_id=item_id, content_index=0, delta=text)
        self._emit(f"{told}.completed", item_id=item_id, content_index=0, transcript=text, usage=usage)

    # -- what the client asks for ----------------------------------------------------------------------------------

    def _obey(self, event: dict[str, Any], now: float) -> None:
        try:
            self._carry_out(event, now)
        except ParameterError as exc:
            self._error(exc.code, str(exc), event, exc.param)
        except ItemError as exc:
            self._error(exc.code, str(exc), event)

    def _carry_out(self, event: dict[str, Any], now: float) -> None:
        if missing := [key for key in _REQUIRED.get(event["type"], ()) if key not in event]:
            message = f"Missing required parameter: '{missing[0]}'."
            raise ParameterError("missing_required_parameter", message, missing[0])
        match event["type"]:
            case "session.update":
                self._update(event)
            case "input_audio_buffer.commit":
                self._commit_by_hand(event, now)
            case "input_audio_buffer.clear":
                self._buffered_from_ms = self._ear.heard_ms
                self._ear.forget()
                self._emit("input_audio_buffer.cleared")
            case "conversation.item.create":
                self._create_item(event)
            case "conversation.item.truncate":
                self._truncate(event, now)
            case "conversation.item.delete":
                self._items.delete(event["item_id"])
                self._emit("conversation.item.deleted", item_id=event["item_id"])
            case "conversation.item.retrieve":
                self._emit("conversation.item.retrieved", item=self._items.get(event["item_id"], "retrieve").body)
            case "response.create":
                self._begin_response(event, now)
            case "response.cancel":
                self._cancel_by_hand(event)
            case unknown:
                self._error("invalid_value", f"Invalid value: '{unknown}'.", event, "type")

    def _update(self, event: dict[str, Any]) -> None:
        if self.faults.update_error:
            raise ParameterError(self.faults.update_error, "This update was to be refused.", "session")
        self.settings = updated(self.settings, event["session"], has_spoken=self._sent_ms > 0)
        self._emit("session.updated", session=self.settings)

    def _commit_by_hand(self, event: dict[str, Any], now: float) -> None:
        length_ms = self._ear.heard_ms - self._buffered_from_ms
        if length_ms < MIN_COMMIT_MS:
            message = (
                "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio,"
                f" but buffer only has {length_ms:.2f}ms of audio."
            )
            self._error("input_audio_buffer_commit_empty", message, event)
            return
        self._ear.forget()
        self._commit(self._wire.new_id("item"), now)

    def _create_item(self, event: dict[str, Any]) -> None:
        body = {"id": self._wire.new_id("item"), **event["item"], "status": "completed"}
        before = self._items.insert(body, event.get("previous_item_id"))
        self._text_tokens += math.ceil(len(msgspec.json.encode(event["item"])) / LETTERS_PER_TOKEN)
        self._emit("conversation.item.added", previous_item_id=before, item=body)
        self._emit("conversation.item.done", previous_item_id=before, item=body)

    def _truncate(self, event: dict[str, Any], now: float) -> None:
        item_id, end_ms = event["item_id"], event["audio_end_ms"]
        generated_ms = self._items.generated_ms(item_id)
        try:
            self._items.truncate(item_id, end_ms)
        except ItemError:
            self.truncations.append(Truncation(item_id, end_ms, now, generated_ms, is_refused=True))
            raise
        self.truncations.append(Truncation(item_id, end_ms, now, generated_ms, is_refused=False))
        self._emit("conversation.item.truncated", item_id=item_id, content_index=0, audio_end_ms=end_ms)

    def _cancel_by_hand(self, event: dict[str, Any]) -> None:
        wanted = event.get("response_id")
        if self._running is None or wanted not in (None, self._running.id):
            message = "Cancellation failed: no active response found"
            self._error("response_cancel_not_active", message, event)
            return
        self._cancel("client_cancelled")

    # -- responses -------------------------------------------------------------------------------------------------

    def _begin_response(self, event: dict[str, Any], now: float) -> None:
        if self._running is not None:
            message = (
                f"Conversation already has an active response in progress: {self._running.id}."
                " Wait until the response is finished before creating a new one."
            )
            self._error("conversation_already_has_active_response", message, event)
            return
        if self.faults.never_answers:
            return
        response = self._running = ToneResponse(
            self._wire,
            self._items,
            self.settings,
            conversation_id=self._conversation_id,
            metadata=(event.get("response") or {}).get("metadata"),
            input_tokens=self._input_tokens(),
            piece_ms=self._manner.piece_ms,
            pace=self._manner.pace,
        )
        self.replies.append(Reply(response.id, now, self.loud[-1].arrived_at if self.loud else None))
        answer = self.script.popleft() if self.script else Tone()
        self._steps = response.run(parts_of(answer), self.faults.delay_ms)
        self._go_on(response, now)

    def _input_tokens(self) -> dict[str, int]:
        """The whole conversation is charged again each time, what was there the last time as cached."""
        cached, self._cached_tokens = self._cached_tokens, self._heard_tokens
        return {"text_in": self._text_tokens, "audio_in": self._heard_tokens, "audio_cached": cached}

    def _go_on(self, response: ToneResponse, now: float) -> None:
        """Say what comes next of a response, until it waits or has ended."""
        if response is not self._running:
            return  # it was cancelled meanwhile
        for step in self._steps:
            match step:
                case str():
                    self._out.append(step)
                case Sound(message, ms):
                    self._out.append(message)
                    self._on_sound(ms, now)
                case wait_s:
                    self._at(now + wait_s, lambda due: self._go_on(response, due))
                    return
        self._finish(response)

    def _on_sound(self, ms: float, now: float) -> None:
        if self.replies[-1].sounded_at is None:
            self.replies[-1].sounded_at = now
        self._sent_ms += ms
        limit_ms = self.faults.cut_after_ms
        if limit_ms is not None and self._sent_ms >= limit_ms:
            self._out.append(Cut())

    def _cancel(self, reason: str) -> None:
        assert self._running is not None
        self._out += self._running.cancel(reason)
        self._finish(self._running)

    def _finish(self, response: ToneResponse) -> None:
        self.replies[-1].status = response.status
        self.replies[-1].item_ids = response.item_ids
        self._heard_tokens += response.audio_tokens
        self._running = None

    # -- the rest --------------------------------------------------------------------------------------------------

    @property
    def _input(self) -> dict[str, Any]:
        settings: dict[str, Any] = self.settings["audio"]["input"]
        return settings

    def _stop_reading_if_due(self) -> None:
        limit_ms = self.faults.stops_reading_after_ms
        if limit_ms is not None and self._ear.heard_ms >= limit_ms:
            self._out.append(StopReading())

    def _expire(self, _: float) -> None:
        minutes = self.faults.expires_in_s / 60
        self._error("session_expired", f"Your session hit the maximum duration of {minutes:g} minutes.")
        self._out.append(CloseSocket(_NORMAL_CLOSE, ""))

    def _error(
        self,
        code: str | None,
        message: str,
        event: Mapping[str, Any] | None = None,
        param: str | None = None,
        *,
        kind: str = "invalid_request_error",
    ) -> None:
        event_id = (event or {}).get("event_id")
        error = {"type": kind, "code": code, "message": message, "param": param, "event_id": event_id}
        self._emit("error", error=error)

    def _emit(self, kind: str, **fields: Any) -> None:
        self._out.append(self._wire.event(kind, **fields))

    def _at(self, due: float, act: Callable[[float], None]) -> None:
        if due < math.inf:
            heapq.heappush(self._timers, (due, next(self._order), act))

    def _taken(self) -> list[Output]:
        taken, self._out = self._out, []
        return taken
