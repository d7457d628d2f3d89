"""What an HTTP tool's endpoint is asked, as a value: the same bytes for every try. No I/O.

Requests are signed as https://www.standardwebhooks.com describes, so that the receiver can check them with that
project's library in its own language: HMAC-SHA256 over `id.timestamp.payload`. The payload is the body of a POST, and
of a GET the query as it stands on the request line.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from yarl import URL

from bot.config import SECRET_PREFIX, ToolConfig
from bot.tools.spec import ToolContext


@dataclass(frozen=True, slots=True)
class ToolRequest:
    method: str
    url: URL
    headers: Mapping[str, str]
    body: bytes | None  # None for a GET


def tool_request(
    tool: ToolConfig, arguments: Mapping[str, Any], context: ToolContext, request_id: str, timestamp_s: int
) -> ToolRequest:
    """`request_id` is new for each use of a tool and the same for each try; `timestamp_s` is Unix time."""
    url, body = URL(tool.url), None
    headers = {"Accept": "application/json, text/plain", **tool.headers, "Idempotency-Key": request_id}
    if tool.method == "GET":
        # The call's own facts go last: no argument of a model can take their place.
        query = {name: _as_text(value) for name, value in arguments.items()} | asdict(context)
        url = url.update_query(query)
        payload = url.raw_query_string.encode()
    else:
        told = {"name": tool.name, "arguments": arguments, **asdict(context)}
        payload = body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
        headers["Content-Type"] = "application/json"
    if tool.secret:
        headers |= signature(tool.secret, request_id, timestamp_s, payload)
    return ToolRequest(tool.method, url, headers, body)


def signature(secret: str, request_id: str, timestamp_s: int, payload: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks 1.0; `secret` is whsec_ and base64."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = hmac.digest(key, f"{request_id}.{timestamp_s}.".encode() + payload, hashlib.sha256)
    return {
        "webhook-id": request_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": "v1," + base64.b64encode(signed).decode(),
    }


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
