"""A call as it might have been, spoken by the local voice: an appointment is moved, with all that a call page shows.

The bot's sentences and the caller's (the same voice, a little higher) lie in the recording where the turns say they do.
"""

import wave
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from bot.calllog.records import Record, TimelineEvent, TurnRecord
from bot.local.models import piper_files
from bot.local.piper import Piper
from media.resample import Resampler
from tests.support import calls

SPOKEN = "call-spoken"
RATE_HZ = 8000
CUT_AFTER = 0.62  # of the sentence in which the caller cuts in
_HIGHER = 24000 / 22050
_MS = RATE_HZ // 1000

Pcm = np.ndarray[Any, np.dtype[np.int16]]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One turn; `wait_ms` after the end of the turn before, with the parts of a reply's delay."""

    role: str
    text: str
    wait_ms: int
    kind: str = "reply"
    parts: tuple[int, int, int, int] | None = None
    is_cut: bool = False


SENTENCES = (
    Sentence("bot", "Thank you for calling Harbour Dental. How can I help?", 400, "greeting"),
    Sentence("caller", "Hello, I would like to move my appointment on Thursday.", 700, "speech"),
    Sentence(
        "bot",
        "Of course. You are with Doctor Weber on Thursday at half past nine. "
        "I could offer you Friday at ten, Friday at two, or Monday morning.",
        1240,
        parts=(310, 240, 470, 150),
        is_cut=True,
    ),
    Sentence("caller", "Friday at two is good.", -280, "speech"),
    Sentence("bot", "Friday at two it is. Press one for a reminder by text message.", 820, parts=(300, 180, 190, 110)),
    Sentence("bot", "Done. Is there anything else?", 2600, "reply"),
    Sentence("caller", "No, that is all. Thank you.", 640, "speech"),
    Sentence("bot", "You are welcome. See you on Friday.", 690, parts=(290, 160, 120, 90)),
)


@dataclass(frozen=True, slots=True)
class Placed:
    """A sentence, where it begins and how much of it is heard."""

    sentence: Sentence
    from_ms: int
    heard_ms: int
    sound: Pcm


def write_recording(path: Path) -> int:
    """The file's size in bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stereo = np.zeros(((length_ms()) * _MS, 2), "<i2")
    noise = np.random.default_rng(5).normal(0, 14, len(stereo)).astype("<i2")
    stereo[:, 0] = noise  # a line is never quite silent
    for placed in _placed():
        at = placed.from_ms * _MS
        heard = placed.sound[: placed.heard_ms * _MS]
        stereo[at : at + len(heard), 0 if placed.sentence.role == "caller" else 1] += heard
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(stereo.tobytes())
    return path.stat().st_size


def length_ms() -> int:
    last = _placed()[-1]
    return last.from_ms + last.heard_ms + 900


def records(at: datetime, recording: Path, size_bytes: int) -> Iterator[Record]:
    """All that the call log is told of the call."""
    config = {
        "name": "reception",
        "language": "en",
        "voice": "chained",
        "greeting": SENTENCES[0].text,
        "instructions": "You answer for a dental practice. Move, make and cancel appointments.",
        "chained": {
            "transcriber": "openai:gpt-transcribe",
            "responder": "openai:gpt-4.1",
            "speaker": "local:piper-joe",
        },
        "tools": [{"name": "move_appointment", "url": "https://practice.example/appointments", "secret": "•••"}],
    }
    yield calls.started(SPOKEN, started_at=at, from_number="+442079460958", config=config)
    for index, placed in enumerate(_placed()):
        yield _turn(index, placed)
    for at_ms, kind, data in sorted(_events(), key=lambda event: event[0]):
        yield TimelineEvent(SPOKEN, at_ms, kind, data)
    yield calls.recording(SPOKEN, path=str(recording), size_bytes=size_bytes, duration_ms=length_ms())
    ended_at = at + timedelta(milliseconds=length_ms())
    yield calls.ended(
        SPOKEN, ended_at=ended_at, duration_ms=length_ms(), turns=len(SENTENCES), interruptions=1, reply_p50_ms=820,
        reply_p95_ms=1240, counters={"frames_in": length_ms() // 20, "frames_lost": 2},
    )  # fmt: skip


def _turn(index: int, placed: Placed) -> TurnRecord:
    sentence = placed.sentence
    ended_ms = placed.from_ms + placed.heard_ms
    if sentence.role == "caller":
        facts: dict[str, Any] = {"heard_text": None}
    else:
        heard = sentence.text[: sentence.text.index(", Friday at two")] if sentence.is_cut else sentence.text
        facts = {"heard_text": heard, "heard_ms": placed.heard_ms, "generated_ms": len(placed.sound) // _MS}
    if sentence.parts:
        names = ("endpointing_ms", "transcription_ms", "response_ms", "synthesis_ms")
        facts |= dict(zip(names, sentence.parts, strict=True)) | {"reply_ms": sentence.wait_ms}
    return calls.turn(
        SPOKEN, index, role=sentence.role, kind=sentence.kind, text=sentence.text, started_ms=placed.from_ms,
        ended_ms=ended_ms, interrupted=sentence.is_cut, **facts,
    )  # fmt: skip


def _events() -> Iterator[tuple[int, str, dict[str, Any]]]:
    placed = _placed()
    yield 0, "stream_started", {"stream_id": "MZ1", "encoding": "pcmu"}
    for each in placed:
        if each.sentence.role == "caller":
            yield each.from_ms, "speech_started", {"decided_ms": each.from_ms + 120}
            yield each.from_ms + each.heard_ms, "utterance_ended", {"start_ms": each.from_ms}
    offer, cut_in, press = placed[2], placed[3], placed[4]
    cut_ms = offer.from_ms + offer.heard_ms
    asked_ms = placed[1].from_ms + placed[1].heard_ms + 420
    arguments = '{"name": "Ada Reed", "day": "Thursday"}'
    yield asked_ms, "tool_requested", {"name": "find_appointment"}
    yield asked_ms, "tool_began", {"job": 1, "name": "find_appointment", "arguments": arguments}
    output = '{"doctor": "Weber", "at": "Thursday 09:30", "free": ["Friday 10:00", "Friday 14:00", "Monday 09:00"]}'
    yield asked_ms + 610, "tool_ended", {"job": 1, "output": output}
    yield cut_ms, "playout_cleared", {}
    length = {"heard_ms": offer.heard_ms, "generated_ms": len(offer.sound) // _MS}
    yield cut_ms, "reply_cut", {"reply_id": "reply-2", **length}
    yield cut_ms + 4, "reply_truncated", {"reply_id": "reply-2", "heard_ms": offer.heard_ms}
    moved_ms = cut_in.from_ms + cut_in.heard_ms + 380
    yield moved_ms, "tool_requested", {"name": "move_appointment"}
    yield moved_ms, "tool_began", {"job": 2, "name": "move_appointment", "arguments": '{"to": "Friday 14:00"}'}
    yield moved_ms + 1450, "tool_ended", {"job": 2, "output": '{"ok": true}'}
    yield press.from_ms + press.heard_ms + 900, "digit_pressed", {"digit": "1"}
    yield press.from_ms + 800, "voice_warned", {"message": "The transcriber took 1.9 s, longer than usual."}
    for at_ms, model, cost, tokens in (
        (asked_ms - 100, "gpt-transcribe", 0.000265, {}),
        (asked_ms + 700, "gpt-4.1", 0.001874, {"text_in": 812, "text_cached": 256, "text_out": 31}),
        (moved_ms + 900, "gpt-4.1", 0.002106, {"text_in": 904, "text_cached": 768, "text_out": 28}),
    ):
        yield at_ms, "tokens_used", {"model": model, "cost_usd": cost, **tokens}
    yield length_ms(), "ended", {"reason": "caller_hung_up"}


@cache
def _placed() -> tuple[Placed, ...]:
    """Spoken once a process: it takes a few seconds."""
    voice = Piper(*piper_files("piper-joe"))
    placed, at_ms = [], 0
    for sentence in SENTENCES:
        at_ms += sentence.wait_ms
        sound = _spoken(voice, sentence)
        heard_ms = round(len(sound) / _MS * (CUT_AFTER if sentence.is_cut else 1))
        placed.append(Placed(sentence, at_ms, heard_ms, sound))
        at_ms += heard_ms
    return tuple(placed)


def _spoken(voice: Piper, sentence: Sentence) -> Pcm:
    rate_hz = voice.rate_hz if sentence.role == "bot" else int(round(voice.rate_hz * _HIGHER, -2))
    resampler = Resampler(rate_hz, RATE_HZ)
    pcm = resampler.push(voice.synthesize(sentence.text)) + resampler.flush()
    return np.frombuffer(pcm, "<i2")
