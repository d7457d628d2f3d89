"""One response of a model of tones, message by message, in the order in which the real service sends them.

`run` yields the messages one after the other, and between them how long to wait; whoever keeps the clock goes on with
it when that is over. `cancel` ends what was begun.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from bot.rehearsal.tone_items import Item, ToneItems
from bot.rehearsal.tone_script import Complain, Exhaust, Fail, FunctionCall, Part, Pause, Stall, Tone, Words
from bot.rehearsal.tone_wire import FORMATS, ToneWire, tone_pieces

MS_PER_AUDIO_TOKEN = 50  # of the model's own sound; the caller's costs half as much
LETTERS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Sound:
    """A message that carries sound."""

    message: str
    ms: float


Step = str | Sound | float
"""A message, or seconds to wait."""


@dataclass(slots=True)
class _Open:
    """The item that is being said."""

    item: Item
    index: int
    transcript: str = ""


class ToneResponse:
    def __init__(
        self,
        wire: ToneWire,
        items: ToneItems,
        settings: Mapping[str, Any],
        *,
        conversation_id: str,
        metadata: Mapping[str, Any] | None,
        input_tokens: Mapping[str, Any],
        piece_ms: int,
        pace: float,
    ) -> None:
        """`pace` is how many times faster than it sounds speech is sent; 0: all at once."""
        self.id = wire.new_id("resp")
        self.status = "in_progress"
        self.sent_ms = 0.0
        self._wire = wire
        self._items = items
        self._settings = settings
        self._conversation_id = conversation_id
        self._metadata = metadata
        self._input_tokens = input_tokens
        self._piece_ms = piece_ms
        self._pace = pace
        self._output: list[Item] = []
        self._open: _Open | None = None
        self._text_tokens = 0

    def run(self, parts: Sequence[Part], delay_ms: float) -> Iterator[Step]:
        """The whole response; `delay_ms` go by between its beginning and its first output."""
        yield self._wire.event("response.created", response=self._body(None))
        if delay_ms:
            yield delay_ms / 1000
        for part in parts:
            match part:
                case Fail(code, message, kind):
                    error = {"type": kind, "code": code, "message": message}
                    yield from self._end("failed", {"type": "failed", "error": error})
                    return
                case Exhaust():
                    yield from self._end("incomplete", {"type": "incomplete", "reason": "max_output_tokens"})
                    return
                case _:
                    yield from self._part(part)
        yield from self._end("completed", None)

    def cancel(self, reason: str) -> list[str]:
        """Close what is open; `reason` is turn_detected or client_cancelled."""
        closing = self._close("incomplete") if self._open is not None else []
        return [*closing, *self._end("cancelled", {"type": "cancelled", "reason": reason})]

    def _part(self, part: Part) -> Iterator[Step]:
        match part:
            case Tone():
                yield from self._speak(part)
            case Words(text):
                yield from self._write(text)
            case FunctionCall():
                yield from self._call(part)
            case Pause(ms):
                yield ms / 1000
            case Stall():
                yield math.inf
            case Complain(code, message, kind):
                error = {"type": kind, "code": code, "message": message, "param": None, "event_id": None}
                yield self._wire.event("error", error=error)

    def _speak(self, tone: Tone) -> Iterator[Step]:
        yield from self._begin({"type": "message", "role": "assistant", "content": []}, "audio")
        assert self._open is not None
        speaking, words = self._open, tone.transcript.split(" ")
        audio_format = FORMATS[self._settings["audio"]["output"]["format"]["type"]]
        pieces = tone_pieces(tone.hz, tone.ms, audio_format, self._piece_ms)
        for index, (delta, ms) in enumerate(pieces):
            # The text runs ahead of the sound: all of it is there when half of the sound is.
            until = math.ceil(len(words) * 2 * (index + 1) / len(pieces))
            said, words = words[:until], words[until:]
            for word in said:
                text = f" {word}" if speaking.transcript else word
                speaking.transcript += text
                yield self._delta("response.output_audio_transcript.delta", text)
            speaking.item.generated_ms += ms
            self.sent_ms += ms
            yield Sound(self._delta("response.output_audio.delta", delta), ms)
            if self._pace and index + 1 < len(pieces):
                yield ms / 1000 / self._pace
        yield from self._close("completed")

    def _write(self, text: str) -> Iterator[Step]:
        yield from self._begin({"type": "message", "role": "assistant", "content": []}, "text")
        assert self._open is not None
        self._open.transcript = text
        yield self._delta("response.output_text.delta", text)
        yield from self._close("completed")

    def _call(self, call: FunctionCall) -> Iterator[Step]:
        call_id = call.call_id or self._wire.new_id("call")
        arguments = call.arguments
        if not isinstance(arguments, str):
            arguments = msgspec.json.encode(arguments).decode()
        yield from self._begin({"type": "function_call", "name": call.name, "call_id": call_id, "arguments": ""}, None)
        assert self._open is not None
        self._open.item.body["arguments"] = arguments
        where = {**self._where(), "call_id": call_id}
        del where["content_index"]
        yield self._wire.event("response.function_call_arguments.delta", **where, delta=arguments)
        yield self._wire.event("response.function_call_arguments.done", **where, name=call.name, arguments=arguments)
        yield from self._close("completed")

    def _begin(self, body: dict[str, Any], content: str | None) -> list[str]:
        """Open an item; `content` is the kind of its only part, if it has one."""
        before = self._items.last_id
        body = {"id": self._wire.new_id("item"), **body, "status": "in_progress"}
        item = self._items.append(body, is_sound=content == "audio")
        self._output.append(item)
        self._open = _Open(item, len(self._output) - 1)
        begun = [
            self._wire.event(
                "response.output_item.added", response_id=self.id, output_index=self._open.index, item=body
            ),
            self._wire.event("conversation.item.added", previous_item_id=before, item=body),
        ]
        if content:
            part = {"type": "audio", "transcript": ""} if content == "audio" else {"type": "text", "text": ""}
            begun.append(self._wire.event("response.content_part.added", **self._where(), part=part))
        return begun

    def _close(self, status: str) -> list[str]:
        assert self._open is not None
        closed, body = self._open, self._open.item.body
        ending: list[str] = []
        if body["type"] == "message":
            ending, content = self._close_content(closed)
            body["content"] = [content]
        body["status"] = status
        self._text_tokens += math.ceil(len(closed.transcript or body.get("arguments", "")) / LETTERS_PER_TOKEN)
        before = self._items.before(body["id"])
        self._open = None
        return [
            *ending,
            self._wire.event("response.output_item.done", response_id=self.id, output_index=closed.index, item=body),
            self._wire.event("conversation.item.done", previous_item_id=before, item=body),
        ]

    def _close_content(self, closed: _Open) -> tuple[list[str], dict[str, Any]]:
        text = closed.transcript
        done, where = self._wire.event, self._where()
        if not closed.item.is_sound:
            part = {"type": "text", "text": text}
            ending = [done("response.output_text.done", **where, text=text)]
            content = {"type": "output_text", "text": text}
        else:
            part = {"type": "audio", "transcript": text}
            ending = [
                done("response.output_audio.done", **where),
                done("response.output_audio_transcript.done", **where, transcript=text),
            ]
            content = {"type": "output_audio", "transcript": text}
        return [*ending, done("response.content_part.done", **where, part=part)], content

    def _end(self, status: str, details: Mapping[str, Any] | None) -> list[str]:
        self.status = status
        limit = {"name": "tokens", "limit": 40000, "remaining": 38490, "reset_seconds": 2.265}
        return [
            self._wire.event("response.done", response=self._body(details)),
            self._wire.event("rate_limits.updated", rate_limits=[limit]),
        ]

    def _where(self) -> dict[str, Any]:
        assert self._open is not None
        item_id = self._open.item.body["id"]
        return {"response_id": self.id, "item_id": item_id, "output_index": self._open.index, "content_index": 0}

    def _delta(self, kind: str, delta: str) -> str:
        return self._wire.event(kind, **self._where(), delta=delta)

    def _body(self, details: Mapping[str, Any] | None) -> dict[str, Any]:
        output = self._settings["audio"]["output"]
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": self.status,
            "status_details": details,
            "output": [item.body for item in self._output],
            "conversation_id": self._conversation_id,
            "output_modalities": self._settings["output_modalities"],
            "max_output_tokens": self._settings["max_output_tokens"],
            "audio": {"output": {"format": output["format"], "voice": output["voice"]}},
            "usage": None if self.status == "in_progress" else self._usage(),
            "metadata": self._metadata,
        }

    def _usage(self) -> dict[str, Any]:
        if self.status == "failed":
            return usage(0, 0, 0, 0, 0)
        return usage(**self._input_tokens, text_out=self._text_tokens, audio_out=self.audio_tokens)

    @property
    def item_ids(self) -> list[str]:
        return [item.body["id"] for item in self._output]

    @property
    def audio_tokens(self) -> int:
        return math.ceil(self.sent_ms / MS_PER_AUDIO_TOKEN)


def usage(text_in: int, audio_in: int, audio_cached: int, text_out: int, audio_out: int) -> dict[str, Any]:
    """What a response is charged for: tokens, with every detail that the service gives."""
    return {
        "total_tokens": text_in + audio_in + text_out + audio_out,
        "input_tokens": text_in + audio_in,
        "output_tokens": text_out + audio_out,
        "input_token_details": {
            "text_tokens": text_in,
            "audio_tokens": audio_in,
            "image_tokens": 0,
            "cached_tokens": audio_cached,
            "cached_tokens_details": {"text_tokens": 0, "audio_tokens": audio_cached, "image_tokens": 0},
        },
        "output_token_details": {"text_tokens": text_out, "audio_tokens": audio_out},
    }
