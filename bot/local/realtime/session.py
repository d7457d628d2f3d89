"""One Realtime session as the server sees it. No I/O: client messages, results of slow work and the time come in.

What goes out is a list, in order: messages for the client, jobs to be started or called off, the end of the connection.
Times are seconds on a monotonic clock, given as arguments.
"""

import math
from collections.abc import Sequence

from bot.local.errors import RequestError
from bot.local.realtime.client_events import ClientEvents
from bot.local.realtime.ear import LONGEST_TURN_MS, Ear
from bot.local.realtime.given_items import given_item
from bot.local.realtime.hearing import Heard, Hearing
from bot.local.realtime.items import Conversation, Item
from bot.local.realtime.jobs import Close, Output, Result
from bot.local.realtime.memory import Memory
from bot.local.realtime.outbox import Outbox
from bot.local.realtime.response import Wanted
from bot.local.realtime.responses import Responses
from bot.local.realtime.settings import Settings, voice_is_fixed
from bot.local.realtime.sounds import Sounds
from bot.local.realtime.terms import Terms
from bot.local.realtime.tokens import transcription_usage
from bot.local.realtime.wire import FORMATS, Append, Json, NewId, client_event_id, random_id, read
from media.endpointing import SpeechEvent, SpeechPaused, SpeechResumed, SpeechStarted, UtteranceEnded
from media.frame import L16_8K

MIN_COMMIT_MS = 100
_NORMAL_CLOSE = 1000
_SLICE_MS = 1000  # of an append, listened to in one go
_TRANSCRIPTION = "conversation.item.input_audio_transcription"


class ServerSession:
    def __init__(
        self,
        model: str,
        terms: Terms,
        *,
        kind: str = "realtime",
        epoch_s: float,
        memory: Memory | None = None,
        new_id: NewId = random_id,
    ) -> None:
        """`kind` is `realtime` or `transcription`; `epoch_s` is now, in Unix time."""
        self.deadline = math.inf
        """When `on_deadline` wants calling if nothing else happens (seconds, monotonic)."""
        self._terms = terms
        expires_at = round(epoch_s + terms.session_s)
        self._settings = Settings(new_id("sess"), model, expires_at, terms.own_voices, kind)
        self._client_events = ClientEvents(terms.own_voices)
        self._memory = memory or Memory()
        self._outbox = Outbox(new_id)
        self._conversation = Conversation()
        self._sounds = Sounds()
        self._ear = Ear()
        self._hearing = Hearing(self._outbox)
        self._responses = Responses(self._outbox, self._conversation, self._sounds, self._memory, terms)
        self._unheard = b""
        self._speech_item: str | None = None
        self._expires_at = math.inf
        self._idle_at = math.inf
        self._set_ear()

    # -- what the shell calls --------------------------------------------------------------------------------------

    def start(self, now: float) -> list[Output]:
        self._expires_at = now + self._terms.session_s
        self._outbox.emit("session.created", session=self._settings.wire)
        return self._taken()

    def receive(self, message: str | bytes, now: float) -> list[Output]:
        """One message of the client's; one that is wrong changes nothing."""
        given: Append | Json | None = None
        try:
            given = read(message)
            if isinstance(given, Append):
                self._append(given.audio, now)
            else:
                self._client_events.check(given)
                self._obey(given, now)
        except RequestError as exc:
            self._outbox.complain(exc, None if given is None else client_event_id(given))
        return self._taken()

    @property
    def is_behind(self) -> bool:
        """Whether there is more in a long append than was listened to: `catch_up` comes before anything else."""
        return bool(self._unheard)

    def catch_up(self, now: float) -> list[Output]:
        """A second more of it; others may do something in between."""
        self._hear_some(now)
        return self._taken()

    def from_worker(self, result: Result, now: float) -> list[Output]:
        if (heard := self._hearing.receive(result)) is not None:
            self._on_heard(heard, now)
        else:
            self._await_caller(self._responses.receive(result), now)
        return self._taken()

    def on_deadline(self, now: float) -> list[Output]:
        if now >= self._expires_at:
            self._expires_at = math.inf
            message = f"Your session hit the maximum duration of {self._terms.session_s / 60:g} minutes."
            self._outbox.complain(RequestError(message, code="session_expired"))
            self._outbox.put([Close(_NORMAL_CLOSE, "session_expired")])
        elif now >= self._idle_at:
            self._on_idle(now)
        return self._taken()

    # -- the caller's sound ----------------------------------------------------------------------------------------

    def _append(self, payload: bytes, now: float) -> None:
        audio = self._settings.input_format
        if not self._ear.has_room(len(payload), audio):
            message = f"The input audio buffer is full: commit it at least every {LONGEST_TURN_MS // 1000} seconds."
            raise RequestError(message, "audio", "input_audio_buffer_full")
        self._unheard = payload
        self._hear_some(now)

    def _hear_some(self, now: float) -> None:
        audio = self._settings.input_format
        size = audio.payload_bytes(_SLICE_MS)
        some, self._unheard = self._unheard[:size], self._unheard[size:]
        for found in self._ear.hear(some, audio):
            self._on_speech(found, now)

    def _on_speech(self, found: SpeechEvent, now: float) -> None:
        match found:
            case SpeechStarted(at_ms):
                self._on_speech_started(at_ms)
            case SpeechPaused(_, _, pcm):
                self._hearing.guess(pcm)
            case SpeechResumed():
                self._hearing.drop_guess()
            case UtteranceEnded(_, end_ms, pcm):
                self._on_speech_stopped(end_ms + self._ear.hangover_ms, pcm, now)

    def _on_speech_started(self, at_ms: int) -> None:
        detection = self._settings.detection
        assert detection is not None
        self._idle_at = math.inf
        self._speech_item = self._outbox.new_id("item")
        self._ear.speech_began()
        start_ms = max(0, at_ms - detection.prefix_ms)
        self._outbox.emit("input_audio_buffer.speech_started", audio_start_ms=start_ms, item_id=self._speech_item)
        if detection.interrupts:
            self._responses.interrupt()

    def _on_speech_stopped(self, end_ms: int, pcm: bytes, now: float) -> None:
        """`end_ms` is behind the silence that closed the turn."""
        detection, item_id = self._settings.detection, self._speech_item
        assert detection is not None
        assert item_id is not None
        self._speech_item = None
        self._ear.take_until(end_ms)
        self._outbox.emit("input_audio_buffer.speech_stopped", audio_end_ms=end_ms, item_id=item_id)
        item = self._commit(item_id, L16_8K.ms(len(pcm)))
        heard = self._find_words(item, pcm)
        if detection.creates:
            self._answer(now)
        if heard is not None:
            self._on_heard(heard, now)

    def _commit_by_hand(self, now: float) -> None:
        if self._ear.buffered_ms < MIN_COMMIT_MS:
            raise RequestError(
                "Error committing input audio buffer: buffer too small. Expected at least "
                f"{MIN_COMMIT_MS}ms of audio, but buffer only has {self._ear.buffered_ms:.2f}ms of audio.",
                code="input_audio_buffer_commit_empty",
            )
        item_id = self._speech_item or self._outbox.new_id("item")
        self._drop_speech()
        self._idle_at = math.inf
        pcm = self._ear.take_all()
        heard = self._find_words(self._commit(item_id, L16_8K.ms(len(pcm))), pcm)
        if heard is not None:
            self._on_heard(heard, now)

    def _commit(self, item_id: str, length_ms: float) -> Item:
        """What was in the buffer becomes an item of the caller's."""
        content = [{"type": "input_audio", "transcript": None}]
        body = {"id": item_id, "type": "message", "status": "completed", "role": "user", "content": content}
        item = Item(body, sound_ms=length_ms)
        before = self._conversation.append(item)
        self._outbox.emit("input_audio_buffer.committed", previous_item_id=before, item_id=item_id)
        self._tell_item(item, before)
        return item

    def _on_idle(self, now: float) -> None:
        """Nobody has said anything for as long as the client wanted to wait: the silence is the caller's turn."""
        self._idle_at = math.inf
        item_id, end_ms = self._outbox.new_id("item"), self._ear.position_ms
        start_ms = end_ms - self._ear.buffered_ms
        self._outbox.emit(
            "input_audio_buffer.timeout_triggered",
            audio_start_ms=round(start_ms),
            audio_end_ms=round(end_ms),
            item_id=item_id,
        )
        self._drop_speech()
        self._ear.forget()
        self._tell_words(self._commit(item_id, end_ms - start_ms))
        self._answer(now)

    def _await_caller(self, spoken_ms: float | None, now: float) -> None:
        """After a response: how long the caller may be silent, counted from when it will have been played."""
        detection = self._settings.detection
        if spoken_ms is not None and detection is not None and detection.idle_s is not None:
            self._idle_at = now + spoken_ms / 1000 + detection.idle_s if self._speech_item is None else math.inf

    def _drop_speech(self) -> None:
        self._speech_item = None
        self._hearing.drop_guess()

    # -- the caller's words ----------------------------------------------------------------------------------------

    def _find_words(self, item: Item, pcm: bytes) -> Heard | None:
        self._sounds.keep(item.id, L16_8K, pcm)
        return self._hearing.find(item, pcm)

    def _on_heard(self, heard: Heard, now: float) -> None:
        if heard.failure:
            self._tell_failure(heard.item, heard.failure)
            self._await_caller(self._responses.words_lost(heard.item, heard.failure), now)
        else:
            self._tell_words(heard.item)
        self._await_caller(self._responses.words_found(), now)

    def _tell_words(self, item: Item) -> None:
        wanted = self._settings.transcription
        if wanted is None:
            return
        for part in item.body["content"]:
            if part["type"] == "input_audio":
                part["transcript"] = item.words
        where = {"item_id": item.id, "content_index": 0}
        pieces = [item.words] if wanted["model"] == "whisper-1" else item.words.split()
        for number, piece in enumerate(pieces if item.words else ()):
            self._outbox.emit(f"{_TRANSCRIPTION}.delta", **where, delta=f" {piece}" if number else piece)
        usage = transcription_usage(wanted, item.sound_ms, item.words)
        self._outbox.emit(f"{_TRANSCRIPTION}.completed", **where, transcript=item.words, usage=usage)

    def _tell_failure(self, item: Item, message: str) -> None:
        if self._settings.transcription is not None:
            error = {"type": "transcription_error", "code": "server_error", "message": message, "param": None}
            self._outbox.emit(f"{_TRANSCRIPTION}.failed", item_id=item.id, content_index=0, error=error)

    # -- what the client asks for ----------------------------------------------------------------------------------

    def _obey(self, asked: Json, now: float) -> None:
        match asked["type"]:
            case "input_audio_buffer.append":  # a right one has been read as such
                message = "Invalid 'audio'. Expected base64-encoded audio bytes."
                raise RequestError(message, "audio", "invalid_value")
            case "session.update":
                self._settings.update(asked["session"], has_spoken=self._responses.has_spoken)
                self._set_ear()
                self._outbox.emit("session.updated", session=self._settings.wire)
            case "input_audio_buffer.commit":
                self._commit_by_hand(now)
            case "input_audio_buffer.clear":
                self._drop_speech()
                self._ear.forget()
                self._outbox.emit("input_audio_buffer.cleared")
            case "conversation.item.create":
                self._create_item(asked["item"], asked.get("previous_item_id"))
            case "conversation.item.retrieve":
                self._outbox.emit("conversation.item.retrieved", item=self._with_sound(asked["item_id"]))
            case "conversation.item.truncate":
                self._truncate(asked["item_id"], asked["audio_end_ms"])
            case "conversation.item.delete":
                self._conversation.delete(asked["item_id"])
                self._sounds.forget(asked["item_id"])
                self._outbox.emit("conversation.item.deleted", item_id=asked["item_id"])
            case "response.create":
                self._create_response(asked.get("response") or {}, now)
            case "response.cancel":
                self._await_caller(self._responses.cancel(asked.get("response_id")), now)
            case "output_audio_buffer.clear":
                message = "output_audio_buffer.clear is for WebRTC and SIP connections only."
                raise RequestError(message, "type", "invalid_value")

    def _set_ear(self) -> None:
        detection = self._settings.detection
        if detection is None:
            self._drop_speech()
            self._idle_at = math.inf
            self._ear.leave_it_to_client()
        elif self._ear.listen(detection.threshold, detection.prefix_ms, detection.hangover_ms):
            self._drop_speech()

    def _create_item(self, given: Json, after: str | None) -> None:
        if given["type"] == "function_call_output" and not self._conversation.knows_call(given["call_id"]):
            message = f"Tool call ID '{given['call_id']}' not found in conversation."
            raise RequestError(message, "item.call_id", "invalid_tool_call_id")
        item, pcm = self._item(given)
        self._tell_item(item, self._conversation.insert(item, after))
        if pcm:
            self._find_words(item, pcm)

    def _item(self, given: Json) -> tuple[Item, bytes]:
        return given_item(given, self._outbox.new_id, self._settings.input_format, self._memory.tags)

    def _with_sound(self, item_id: str) -> Json:
        item, sound = self._conversation.find(item_id, "retrieve"), self._sounds.as_base64(item_id)
        if sound is None:
            return item.body
        parts = [
            {**part, "audio": sound, "format": "pcm16"} if part["type"].endswith("_audio") else part
            for part in item.body["content"]
        ]
        return {**item.body, "content": parts}

    def _truncate(self, item_id: str, audio_end_ms: int) -> None:
        item = self._conversation.find(item_id, "truncate")
        item.truncate(audio_end_ms)
        self._responses.truncated(item)
        self._sounds.cut(item_id, audio_end_ms)
        self._outbox.emit("conversation.item.truncated", item_id=item_id, content_index=0, audio_end_ms=audio_end_ms)

    # -- responses -------------------------------------------------------------------------------------------------

    def _answer(self, now: float) -> None:
        """The caller's turn is over, and the client wants it answered without asking."""
        try:
            self._create_response({}, now)
        except RequestError as exc:
            self._outbox.complain(exc)

    def _create_response(self, asked: Json, now: float) -> None:
        if self._settings.kind == "transcription":
            raise RequestError("Responses are not supported in transcription sessions.", "type", "invalid_value")
        is_beside = asked.get("conversation") == "none"
        if not is_beside:
            self._responses.check_room()
        wanted = self._wanted(asked)
        context = None if asked.get("input") is None else self._own_context(asked["input"])
        if not is_beside:
            self._idle_at = math.inf
        self._await_caller(self._responses.create(wanted, context, is_beside=is_beside), now)

    def _own_context(self, given: Sequence[Json]) -> list[Item]:
        """A response's own input: items of the conversation, and new ones."""
        found = [self._referred(one) for one in given]
        for item, pcm in found:
            if pcm:
                self._hearing.find(item, pcm)
        return [item for item, _ in found]

    def _referred(self, given: Json) -> tuple[Item, bytes]:
        if given["type"] != "item_reference":
            return self._item(given)
        return self._conversation.find(given["id"], "retrieve"), b""

    def _wanted(self, asked: Json) -> Wanted:
        session = self._settings.wire
        usual, own = session["audio"]["output"], (asked.get("audio") or {}).get("output") or {}
        output = {"format": own.get("format") or usual["format"], "voice": own.get("voice") or usual["voice"]}
        if self._responses.has_spoken and output["voice"] != usual["voice"]:
            raise voice_is_fixed("response.audio.output.voice")
        asked = {**session, **asked}
        return Wanted(
            modalities=asked["output_modalities"],
            audio=FORMATS[output["format"]["type"]],
            output=output,
            speed=usual["speed"],
            max_tokens=asked["max_output_tokens"],
            metadata=asked.get("metadata"),
            instructions=asked["instructions"],
            tools=() if asked["tool_choice"] == "none" else asked["tools"],
            tool_choice=asked["tool_choice"],
        )

    # -- messages --------------------------------------------------------------------------------------------------

    def _tell_item(self, item: Item, before: str | None) -> None:
        self._outbox.emit("conversation.item.added", previous_item_id=before, item=item.body)
        self._outbox.emit("conversation.item.done", previous_item_id=before, item=item.body)

    def _taken(self) -> list[Output]:
        self.deadline = min(self._expires_at, self._idle_at)
        return self._outbox.take()
