"""What an error of the Realtime API is worth. Most leave the session usable: the code decides, never the type."""

from enum import Enum

from bot.voice.realtime_wire import Fault


class Severity(Enum):
    BENIGN = "benign"  # a race, or a truncation that came too late: nothing is lost
    NOTED = "noted"  # somebody should know; the session goes on
    RETRYABLE = "retryable"  # another session, or the same request in a moment, may do
    FATAL = "fatal"  # it will be no different the next time


_BENIGN = frozenset(
    {
        "response_cancel_not_active",
        "input_audio_buffer_commit_empty",
        "item_truncate_invalid_item_id",
        "item_delete_invalid_item_id",
        "item_retrieve_invalid_item_id",
    }
)
_RETRYABLE = frozenset(
    {"session_expired", "rate_limit_exceeded", "inference_rate_limit_exceeded", "server_error", "overloaded_error"}
)
_FATAL = frozenset(
    {
        "invalid_api_key",
        "insufficient_quota",
        "account_deactivated",
        "billing_hard_limit_reached",
        "billing_not_active",
        "model_not_found",
        "model_not_supported",
        "organization_restricted",
    }
)
_HARMLESS_WORDS = ("already shorter than", "Only model output audio messages can be truncated")
FINAL_STATUSES = frozenset({400, 401, 403, 404})
"""HTTP statuses of a refused upgrade that will be the same the next time; 429 and 5xx may not."""
FINAL_CLOSE_CODES = frozenset({1008, 3000})
"""Close codes that say the same (1008: policy, 3000: unauthorised)."""


def severity(fault: Fault) -> Severity:
    code = fault.code or ""
    if code in _FATAL:
        return Severity.FATAL
    if code in _RETRYABLE:
        return Severity.RETRYABLE
    if code in _BENIGN or any(words in (fault.message or "") for words in _HARMLESS_WORDS):
        return Severity.BENIGN
    return Severity.RETRYABLE if fault.type == "server_error" else Severity.NOTED


def describe(fault: Fault) -> str:
    return f"{fault.code or fault.type or 'error'}: {fault.message or 'no message'}"
