"""A call's own records for the call log: that it began, where its recording is, what it came to."""

from datetime import UTC, datetime

import msgspec

from bot.calllog.records import CallEnded, CallStarted, RecordingWritten
from bot.config import without_secrets
from bot.recordings import CHANNELS, Recording
from bot.runner import Summary
from bot.session import Session
from bot.tickets import Ticket


def started(ticket: Ticket) -> CallStarted:
    return CallStarted(
        call_id=ticket.call_id,
        carrier=ticket.carrier,
        carrier_call_id=ticket.carrier_call_id,
        bot=ticket.bot.name,
        from_number=ticket.from_number,
        to_number=ticket.to_number,
        started_at=datetime.now(UTC),
        config=msgspec.to_builtins(without_secrets(ticket.bot)),
    )


def recorded(ticket: Ticket, recording: Recording) -> RecordingWritten:
    return RecordingWritten(
        call_id=ticket.call_id,
        path=str(recording.path),
        rate_hz=recording.rate_hz,
        channels=CHANNELS,
        duration_ms=recording.duration_ms,
        size_bytes=recording.size_bytes,
    )


def ended(ticket: Ticket, summary: Summary, session: Session) -> CallEnded:
    return CallEnded(
        call_id=ticket.call_id,
        ended_at=datetime.now(UTC),
        duration_ms=summary.duration_ms,
        end_reason=summary.reason.value,
        turns=summary.turns,
        interruptions=summary.interruptions,
        reply_p50_ms=session.timeline.reply_percentile_ms(50),
        reply_p95_ms=session.timeline.reply_percentile_ms(95),
        counters=dict(summary.counters),
    )
