"""A call log with something in it: past calls of several kinds, two with a recording, one that is hostile text."""

import wave
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.calllog.records import TurnRecord
from bot.calllog.store import CallLog
from media.g711 import decode_ulaw
from tests.support import calls, spoken_call
from tests.support.virtual_call import voiced

BOOKED = "call-booked"
HOSTILE = "call-hostile"
HOSTILE_TEXT = "<img src=x onerror=alert(1)> '; DROP TABLE calls;-- \u202eback to front\u202c \x07 =1+1"


async def seed(database: str, recordings: Path) -> None:
    """Write the calls; the newest began a few minutes ago."""
    log = await CallLog.open(database)
    now = datetime.now(UTC).replace(microsecond=0)
    try:
        for number in range(12):
            _write_short_call(log, f"call-{number:02}", now - timedelta(hours=7 * number + 2))
        _write_booked_call(log, now - timedelta(minutes=9), recordings)
        _write_spoken_call(log, now - timedelta(minutes=17), recordings)
        _write_hostile_call(log, now - timedelta(minutes=30))
    finally:
        await log.close()


def _write_short_call(log: CallLog, call_id: str, at: datetime) -> None:
    log.write(calls.started(call_id, started_at=at))
    log.write(_greeting(call_id, "Thank you for calling."))
    log.write(calls.turn(call_id, 1, role="caller", kind="speech", text="When are you open?", heard_text=None))
    log.write(calls.turn(call_id, 2, heard_text="We are open."))
    log.write(calls.ended(call_id, ended_at=at + timedelta(seconds=12)))


def _write_booked_call(log: CallLog, at: datetime, recordings: Path) -> None:
    path = recordings / f"{BOOKED}.wav"
    samples_s = 12
    log.write(calls.started(BOOKED, started_at=at, from_number="+15550007788"))
    log.write(_greeting(BOOKED, "How can I help?"))
    log.write(calls.turn(BOOKED, 1, role="caller", kind="speech", text="A table for four, please.", heard_text=None))
    log.write(
        calls.turn(
            BOOKED,
            2,
            text="A table for four on Friday. Anything else?",
            heard_text="A table for four",
            interrupted=True,
        )
    )
    log.write(calls.message(BOOKED))
    log.write(calls.recording(BOOKED, path=str(path), size_bytes=_write_recording(path, samples_s)))
    log.write(calls.ended(BOOKED, ended_at=at + timedelta(seconds=samples_s)))


def _write_spoken_call(log: CallLog, at: datetime, recordings: Path) -> None:
    path = recordings / f"{spoken_call.SPOKEN}.wav"
    size_bytes = spoken_call.write_recording(path)
    for record in spoken_call.records(at, path, size_bytes):
        log.write(record)


def _greeting(call_id: str, text: str) -> TurnRecord:
    return calls.turn(call_id, 0, kind="greeting", text=text, heard_text=text)


def _write_hostile_call(log: CallLog, at: datetime) -> None:
    log.write(calls.started(HOSTILE, started_at=at, from_number=HOSTILE_TEXT))
    log.write(calls.turn(HOSTILE, 0, role="caller", kind="speech", text=HOSTILE_TEXT, heard_text=None))
    log.write(calls.ended(HOSTILE, ended_at=at + timedelta(seconds=12)))


def _write_recording(path: Path, seconds: int) -> int:
    """Two channels of 16 bits at 8 kHz: the caller speaks first, then the bot."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = decode_ulaw(voiced(seconds * 500))
    silence = bytes(len(half))
    left, right = half + silence, silence + half
    frames = b"".join(left[at : at + 2] + right[at : at + 2] for at in range(0, len(left), 2))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(frames)
    return path.stat().st_size
