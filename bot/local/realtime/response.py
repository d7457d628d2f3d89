"""One response on the wire: its items, parts and deltas, in the order in which OpenAI's service sends them.

It is told what is said and done (`making.py`) and gives back messages. At most one item is open at a time. Where the
documentation leaves an order open it is: audio done, transcript done, part done, item done, response done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pybase64

from bot.local.realtime.items import Conversation, Item, Sentence
from bot.local.realtime.tokens import usage
from bot.local.realtime.wire import Json, NewId, event
from bot.local.usage import spoken_tokens, text_tokens
from bot.speech.links import Say
from media.frame import AudioFormat

PIECE_MS = 100
"""Of sound in one message."""
_LIMIT_TOKENS = 1_000_000  # nothing is limited here; clients want to see the figure


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a response is to be, from the session's settings and the wishes for this one."""

    modalities: Sequence[str]
    audio: AudioFormat
    output: Mapping[str, Any]  # format and voice, as on the wire
    speed: float
    max_tokens: int | str  # "inf"
    metadata: Mapping[str, str] | None
    instructions: str
    tools: Sequence[Json]
    tool_choice: Any

    @property
    def is_spoken(self) -> bool:
        return "audio" in self.modalities


@dataclass(slots=True)
class _Open:
    """The message item that is being said or written."""

    item: Item
    index: int
    written: str = ""
    unsent: bytearray = field(default_factory=bytearray)


class Response:
    def __init__(
        self,
        new_id: NewId,
        wanted: Wanted,
        conversation: Conversation | None,
        conversation_id: str,
        input_tokens: tuple[int, int],
    ) -> None:
        """Without a conversation it is out-of-band. `input_tokens` are those of text and of audio."""
        self.id = new_id("resp")
        self.wanted = wanted
        self.status = "in_progress"
        self.sound_ms = 0.0
        self.items: list[Item] = []
        self.sounds: dict[str, bytearray] = {}
        """What was sent of each item, in the response's format."""
        self._new_id = new_id
        self._conversation = conversation
        self._conversation_id = None if conversation is None else conversation_id
        self._input_tokens = input_tokens
        self._text_tokens = 0
        self._open: _Open | None = None

    def created(self) -> list[str]:
        return [event(self._new_id, "response.created", response=self._body(None, None))]

    @property
    def is_speaking(self) -> bool:
        """Whether a message is open that has sound."""
        return self._open is not None and self.wanted.is_spoken

    def is_spent(self) -> bool:
        """Whether it is as long as it may be."""
        most = self.wanted.max_tokens
        return isinstance(most, int) and self._output_tokens() >= most

    # -- a message -------------------------------------------------------------------------------------------------

    def write(self, sentence: str) -> list[str]:
        """More text; its sound, where there is to be any, comes later."""
        messages = self._begin_message() if self._open is None else []
        opened = self._opened()
        kind = "response.output_audio_transcript.delta" if self.wanted.is_spoken else "response.output_text.delta"
        for word in sentence.split():
            delta = f" {word}" if opened.written else word
            opened.written += delta
            messages.append(event(self._new_id, kind, **self._where(), delta=delta))
        return messages

    def begin_sentence(self, say: Say) -> None:
        """The sound that follows says this; without sound it is said by being written."""
        opened = self._opened()
        start_ms = opened.item.sound_ms + self.wanted.audio.ms(len(opened.unsent))
        opened.item.sentences.append(Sentence(say.text, say.tag, start_ms))

    def sound(self, payload: bytes) -> list[str]:
        """More sound, sent in pieces. One is kept back, so that the last one is not a splinter."""
        opened = self._opened()
        opened.unsent += payload
        size = self.wanted.audio.payload_bytes(PIECE_MS)
        messages: list[str] = []
        while len(opened.unsent) >= 2 * size and not self.is_spent():
            messages.append(self._sound_delta(opened, bytes(opened.unsent[:size])))
            del opened.unsent[:size]
        return messages

    def end_message(self, status: str = "completed") -> list[str]:
        """Nothing where none is open."""
        if self._open is None:
            return []
        opened, messages = self._open, []
        if opened.unsent and status == "completed" and not self.is_spent():
            messages.append(self._sound_delta(opened, bytes(opened.unsent)))
        messages += self._close_part(opened)
        self._text_tokens += text_tokens(opened.written)
        self._open = None
        return [*messages, *self._close_item(opened.item, opened.index, status)]

    def _begin_message(self) -> list[str]:
        content = {"type": "audio", "transcript": ""} if self.wanted.is_spoken else {"type": "text", "text": ""}
        body = {
            "id": self._new_id("item"),
            "type": "message",
            "status": "in_progress",
            "role": "assistant",
            "content": [],
        }
        item = Item(body, is_sound=self.wanted.is_spoken)
        self._open = _Open(item, len(self.items))
        messages = self._begin_item(item)
        return [*messages, event(self._new_id, "response.content_part.added", **self._where(), part=content)]

    def _sound_delta(self, opened: _Open, piece: bytes) -> str:
        length_ms = self.wanted.audio.ms(len(piece))
        opened.item.sound_ms += length_ms
        self.sound_ms += length_ms
        self.sounds.setdefault(opened.item.id, bytearray()).extend(piece)
        delta = pybase64.b64encode(piece).decode()
        return event(self._new_id, "response.output_audio.delta", **self._where(), delta=delta)

    def _close_part(self, opened: _Open) -> list[str]:
        where, words = self._where(), opened.written
        if not self.wanted.is_spoken:
            part = {"type": "text", "text": words}
            opened.item.body["content"] = [{"type": "output_text", "text": words}]
            ending = [event(self._new_id, "response.output_text.done", **where, text=words)]
        else:
            part = {"type": "audio", "transcript": words}
            is_cut = opened.item.heard_ms is not None
            opened.item.body["content"] = [{"type": "output_audio", **({} if is_cut else {"transcript": words})}]
            ending = [
                event(self._new_id, "response.output_audio.done", **where),
                event(self._new_id, "response.output_audio_transcript.done", **where, transcript=words),
            ]
        return [*ending, event(self._new_id, "response.content_part.done", **where, part=part)]

    # -- a function call -------------------------------------------------------------------------------------------

    def call(self, name: str, arguments: str) -> list[str]:
        """A whole function call; `arguments` is JSON."""
        call_id = self._new_id("call")
        body = {
            "id": self._new_id("item"),
            "type": "function_call",
            "status": "in_progress",
            "name": name,
            "call_id": call_id,
            "arguments": "",
        }
        item, index = Item(body), len(self.items)
        messages = self._begin_item(item)
        where = {"response_id": self.id, "item_id": item.id, "output_index": index, "call_id": call_id}
        told = "response.function_call_arguments"
        messages.append(event(self._new_id, f"{told}.delta", **where, delta=arguments))
        messages.append(event(self._new_id, f"{told}.done", **where, name=name, arguments=arguments))
        body["arguments"] = arguments
        self._text_tokens += text_tokens(name + arguments)
        return [*messages, *self._close_item(item, index, "completed")]

    # -- the whole -------------------------------------------------------------------------------------------------

    def end(self, status: str, details: Json | None = None) -> list[str]:
        """Close what is open, and all of it."""
        messages = self.end_message("completed" if status == "completed" else "incomplete")
        self.status = status
        rate = {"name": "tokens", "limit": _LIMIT_TOKENS, "remaining": _LIMIT_TOKENS, "reset_seconds": 0.0}
        return [
            *messages,
            event(self._new_id, "response.done", response=self._body(details, self._usage())),
            event(self._new_id, "rate_limits.updated", rate_limits=[rate]),
        ]

    def _begin_item(self, item: Item) -> list[str]:
        index = len(self.items)
        self.items.append(item)
        told = event(
            self._new_id, "response.output_item.added", response_id=self.id, output_index=index, item=item.body
        )
        if self._conversation is None:
            return [told]
        before = self._conversation.append(item)
        return [told, event(self._new_id, "conversation.item.added", previous_item_id=before, item=item.body)]

    def _close_item(self, item: Item, index: int, status: str) -> list[str]:
        item.body["status"] = status
        done = event(self._new_id, "response.output_item.done", response_id=self.id, output_index=index, item=item.body)
        if self._conversation is None or item.id not in self._conversation:
            return [done]
        before = self._conversation.before(item.id)
        return [done, event(self._new_id, "conversation.item.done", previous_item_id=before, item=item.body)]

    def _opened(self) -> _Open:
        assert self._open is not None
        return self._open

    def _where(self) -> Json:
        opened = self._opened()
        return {
            "response_id": self.id,
            "item_id": opened.item.id,
            "output_index": opened.index,
            "content_index": 0,
        }

    def _body(self, details: Json | None, usage: Json | None) -> Json:
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": self.status,
            "status_details": details,
            "output": [item.body for item in self.items],
            "conversation_id": self._conversation_id,
            "output_modalities": list(self.wanted.modalities),
            "max_output_tokens": self.wanted.max_tokens,
            "audio": {"output": dict(self.wanted.output)},
            "usage": usage,
            "metadata": self.wanted.metadata,
        }

    def _output_tokens(self) -> int:
        written = "" if self._open is None else self._open.written
        return self._text_tokens + text_tokens(written) + spoken_tokens(self.sound_ms)

    def _usage(self) -> Json:
        if self.status == "failed":
            return usage(0, 0, 0, 0)
        return usage(*self._input_tokens, self._text_tokens, spoken_tokens(self.sound_ms))
