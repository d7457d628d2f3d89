"""The messages of OpenAI's Realtime API (GA interface), as far as we read and write them. JSON, one event a message.

Unknown events and keys mean nothing, for there will be more of them. See
https://platform.openai.com/docs/api-reference/realtime.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import pybase64

from bot.voice.conversation import Kind, Line

EXACTLY = "Say exactly this, word for word:"
"""Goes before a text that the model is to speak, and not to answer; our own server keeps to it without a text model."""


class Fault(msgspec.Struct):
    type: str = ""
    code: str | None = None
    message: str | None = None
    event_id: str | None = None


class Item(msgspec.Struct):
    id: str = ""
    type: str = ""
    role: str | None = None
    status: str | None = None
    name: str | None = None
    call_id: str | None = None
    arguments: str | None = None


class Kinds(msgspec.Struct):
    """Tokens by kind."""

    text_tokens: int = 0
    audio_tokens: int = 0


class InputKinds(msgspec.Struct):
    text_tokens: int = 0
    audio_tokens: int = 0
    cached_tokens_details: Kinds | None = None


class Usage(msgspec.Struct):
    input_token_details: InputKinds | None = None
    output_token_details: Kinds | None = None
    output_tokens: int = 0
    seconds: float = 0.0  # transcription that is charged by its length


class StatusDetails(msgspec.Struct):
    reason: str | None = None
    error: Fault | None = None


class Response(msgspec.Struct):
    id: str = ""
    status: str = ""
    status_details: StatusDetails | None = None
    output: list[Item] = []
    usage: Usage | None = None
    conversation_id: str | None = None
    metadata: Mapping[str, Any] | None = None


class Format(msgspec.Struct):
    type: str = ""


class Direction(msgspec.Struct):
    format: Format | None = None


class Audio(msgspec.Struct):
    input: Direction | None = None
    output: Direction | None = None


class SessionInfo(msgspec.Struct):
    id: str = ""
    expires_at: float | None = None  # seconds since the epoch
    audio: Audio | None = None


class RateLimit(msgspec.Struct):
    name: str = ""
    limit: float = 0
    remaining: float = 0
    reset_seconds: float = 0


class Logprob(msgspec.Struct):
    logprob: float = 0.0


class ServerEvent(msgspec.Struct):
    """Any server event: `type` says which of the others it has."""

    type: str
    item_id: str = ""
    previous_item_id: str | None = None
    response_id: str = ""
    audio_start_ms: float = 0
    audio_end_ms: float = 0
    delta: str = ""  # text, or audio in base64
    transcript: str = ""
    logprobs: list[Logprob] | None = None  # of the transcript's tokens
    item: Item | None = None
    response: Response | None = None
    session: SessionInfo | None = None
    error: Fault | None = None
    usage: Usage | None = None
    rate_limits: list[RateLimit] = []

    @property
    def sound(self) -> bytes:
        """Of a piece of audio; nothing where it is not base64, for a server's fault must not end the call."""
        try:
            return pybase64.b64decode(self.delta, validate=True)
        except ValueError:
            return b""


_decoder = msgspec.json.Decoder(ServerEvent)
_encode = msgspec.json.Encoder().encode


def decode(message: str | bytes) -> ServerEvent | None:
    """The event; None for one whose shape is none that we know."""
    try:
        return _decoder.decode(message)
    except msgspec.DecodeError:
        return None


def append(audio: bytes) -> bytes:
    return b'{"type":"input_audio_buffer.append","audio":"' + pybase64.b64encode(audio) + b'"}'


def commit(event_id: str = "") -> bytes:
    return _encode({"type": "input_audio_buffer.commit", **({"event_id": event_id} if event_id else {})})


def update_session(session: Mapping[str, Any], event_id: str) -> bytes:
    return _encode({"type": "session.update", "event_id": event_id, "session": session})


def create_response(event_id: str, instructions: str = "") -> bytes:
    """Empty instructions are the session's; others take their place for this one response."""
    response = {"instructions": instructions} if instructions else {}
    return _encode({"type": "response.create", "event_id": event_id, "response": response})


def create_beside(event_id: str, text: str, metadata: Mapping[str, str]) -> bytes:
    """A spoken response to one text, outside the conversation, which it neither reads nor changes.

    Others may be under way at the same time: the metadata, which come back, tell them apart.
    """
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
    response = {"conversation": "none", "output_modalities": ["audio"], "input": [item], "metadata": metadata}
    return _encode({"type": "response.create", "event_id": event_id, "response": response})


def cancel_response(response_id: str) -> bytes:
    return _encode({"type": "response.cancel", **({"response_id": response_id} if response_id else {})})


def truncate(item_id: str, audio_end_ms: int) -> bytes:
    return _encode(
        {"type": "conversation.item.truncate", "item_id": item_id, "content_index": 0, "audio_end_ms": audio_end_ms}
    )


def create_item(line: Line) -> bytes:
    """A line of the conversation as an item of its own."""
    return _encode({"type": "conversation.item.create", "item": {"id": line.item_id, **_content(line)}})


def _content(line: Line) -> Mapping[str, Any]:
    match line.kind:
        case Kind.CALLER:
            return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": line.text}]}
        case Kind.BOT:
            return {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": line.text}]}
        case Kind.TOOL_CALL:
            return {"type": "function_call", "call_id": line.call_id, "name": line.tool, "arguments": line.text}
        case Kind.TOOL_OUTPUT:
            return {"type": "function_call_output", "call_id": line.call_id, "output": line.text}
