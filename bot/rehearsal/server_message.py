"""What the server may say on a media stream, judged as strictly as Twilio judges it.

Errors carry the number under which they would stand in the account's debugger: https://www.twilio.com/docs/api/errors/31950
"""

from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True)
class Audio:
    payload: bytes


@dataclass(frozen=True, slots=True)
class Mark:
    name: str


@dataclass(frozen=True, slots=True)
class ClearRequest:
    pass


@dataclass(frozen=True, slots=True)
class Invalid:
    error: str


ServerMessage = Audio | Mark | ClearRequest | Invalid


class _Media(msgspec.Struct):
    payload: bytes


class _MarkBody(msgspec.Struct):
    name: str


class _Message(msgspec.Struct, rename="camel"):
    event: str
    stream_sid: str
    media: _Media | None = None
    mark: _MarkBody | None = None


_decoder = msgspec.json.Decoder(_Message)


def read(data: str | bytes, stream_sid: str) -> ServerMessage:
    """What one message of the server asks for; `Invalid` for what Twilio would not follow."""
    if isinstance(data, bytes):
        return Invalid("31950: a binary message on the media stream")
    try:
        message = _decoder.decode(data)
    except msgspec.ValidationError as exc:
        return Invalid(f"31924: not a media stream message: {exc}")
    except msgspec.DecodeError as exc:
        return Invalid(f"31950: malformed JSON on the media stream: {exc}")
    if message.stream_sid != stream_sid:
        return Invalid(f"31924: {message.event} for the stream {message.stream_sid!r}, which is not this one")
    return _asked(message)


def _asked(message: _Message) -> ServerMessage:
    match message:
        case _Message(event="media", media=_Media(payload)):
            return Audio(payload)
        case _Message(event="mark", mark=_MarkBody(name)):
            return Mark(name)
        case _Message(event="clear"):
            return ClearRequest()
        case _:
            return Invalid(f"31924: the server may not send {message.event!r}, or not without its body")
