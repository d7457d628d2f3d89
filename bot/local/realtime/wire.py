"""Messages of the Realtime protocol: names that are used once, events as JSON, what clients send read."""

import secrets
import string
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from bot.local.errors import RequestError
from media.frame import L16_24K, PCMA_8K, PCMU_8K, AudioFormat

FORMATS: Final[Mapping[str, AudioFormat]] = {"audio/pcm": L16_24K, "audio/pcmu": PCMU_8K, "audio/pcma": PCMA_8K}
LONGEST_EVENT_ID: Final = 512
APPEND: Final = "input_audio_buffer.append"

NewId = Callable[[str], str]
Json = dict[str, Any]

_BASE62 = string.digits + string.ascii_letters
_encode = msgspec.json.Encoder().encode


class Append(msgspec.Struct):
    """The one event that comes fifty times a second."""

    type: str
    audio: bytes  # base64 on the wire, undone by the decoder
    event_id: str | None = None


_read_append = msgspec.json.Decoder(Append).decode
_read_any = msgspec.json.Decoder().decode


def random_id(prefix: str) -> str:
    """As OpenAI's: a prefix, and 21 letters and digits that nothing else has."""
    return f"{prefix}_{''.join(secrets.choice(_BASE62) for _ in range(21))}"


def event(new_id: NewId, kind: str, **fields: Any) -> str:
    return _encode({"type": kind, "event_id": new_id("event"), **fields}).decode()


def error_event(new_id: NewId, error: RequestError, client_event_id: str | None) -> str:
    told = {
        "type": "invalid_request_error",
        "code": error.code,
        "message": str(error),
        "param": error.param,
        "event_id": client_event_id,
    }
    return event(new_id, "error", error=told)


def read(message: str | bytes) -> Append | Json:
    """A client's event; raises `RequestError` for what is none."""
    try:
        return _read_append(message)
    except msgspec.ValidationError:
        pass  # another event, or a wrong one
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise RequestError(f"The event could not be parsed as JSON: {exc}.", code="invalid_json") from exc
    given = _read_any(message)
    if not isinstance(given, dict):
        raise RequestError("Invalid event: expected a JSON object.", code="invalid_event")
    if not isinstance(given.get("type"), str):
        raise RequestError("Missing required parameter: 'type'.", "type", "missing_required_parameter")
    return given


def client_event_id(event: Append | Json) -> str | None:
    given = event.event_id if isinstance(event, Append) else event.get("event_id")
    return given if isinstance(given, str) and len(given) <= LONGEST_EVENT_ID else None
