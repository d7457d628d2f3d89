"""Records of calls for tests: complete, and changed where a test says so."""

from datetime import UTC, datetime
from typing import Any

from bot.calllog.records import CallEnded, CallStarted, MessageTaken, RecordingWritten, TurnRecord

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def started(call_id: str = "call-1", **changes: Any) -> CallStarted:
    facts = {
        "carrier": "twilio",
        "carrier_call_id": f"CA-{call_id[:20]}",
        "bot": "reception",
        "from_number": "+15550001111",
        "to_number": "+15550002222",
        "started_at": NOON,
    }
    return CallStarted(call_id=call_id, **(facts | changes))


def turn(call_id: str = "call-1", index: int = 0, **changes: Any) -> TurnRecord:
    facts = {"role": "bot", "kind": "reply", "started_ms": 1000 * index, "text": "We are open.", "heard_text": ""}
    return TurnRecord(call_id=call_id, index=index, **(facts | changes))


def message(call_id: str = "call-1", **changes: Any) -> MessageTaken:
    facts = {
        "turn_index": 3,
        "at_ms": 9000,
        "duration_ms": 2500,
        "text": "Please call me back.",
        "from_number": "+15550001111",
    }
    return MessageTaken(call_id=call_id, **(facts | changes))


def recording(call_id: str = "call-1", **changes: Any) -> RecordingWritten:
    facts = {"path": "call-1.wav", "rate_hz": 8000, "channels": 2, "duration_ms": 12_000, "size_bytes": 384_044}
    return RecordingWritten(call_id=call_id, **(facts | changes))


def ended(call_id: str = "call-1", **changes: Any) -> CallEnded:
    facts = {
        "ended_at": datetime(2026, 11, 20, 12, 0, 12, tzinfo=UTC),
        "duration_ms": 12_000,
        "end_reason": "caller_hung_up",
        "turns": 2,
        "interruptions": 1,
        "reply_p50_ms": 700,
        "reply_p95_ms": 900,
    }
    return CallEnded(call_id=call_id, **(facts | changes))
