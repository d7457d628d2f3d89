"""A call whose turns are put together from people's recordings: where in them a new sentence begins is known exactly.

The left channel is the caller's, the right one the bot's, at 8,000 Hz, as calls are recorded.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.calllog.records import Record
from media.resample import Resampler
from media.wav import wav_bytes
from tests.support import calls
from tests.support.long_recording import Piece, piece

READ_ALOUD = "call-read-aloud"
RATE_HZ = 8000
_DATA = Path(__file__).parent.parent / "data"
_MS = RATE_HZ // 1000
_TURNS = (  # role, when the turn begins, the silence between two readings, and what is read
    ("bot", 600, 300, ("vctk-p227-024.flac", "harvard-spk1_snt1.flac")),
    ("caller", 11_500, 150, ("harvard-spk1_snt3.flac", "ls-1272-128104-0000.flac", "arctic-aew_a0003.flac")),
    ("bot", 26_000, 500, ("google-brooklyn-bridge.flac", "vctk-p225-016.flac", "jfk-inaugural.flac")),
)

Pcm = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Reading:
    """One recording in its turn: the letter that it begins at there, and when it is heard."""

    letter: int
    begin_ms: int


@dataclass(frozen=True, slots=True)
class ReadTurn:
    role: str
    text: str
    from_ms: int
    to_ms: int
    readings: tuple[Reading, ...]
    sound: Pcm


@cache
def turns() -> tuple[ReadTurn, ...]:
    return tuple(_turn(*turn) for turn in _TURNS)


def length_ms() -> int:
    return turns()[-1].to_ms + 1000


def write_recording(path: Path) -> int:
    """The file's size in bytes."""
    stereo = np.zeros((length_ms() * _MS, 2), np.int16)
    stereo[:, :] = np.random.default_rng(5).normal(0, 14, stereo.shape)  # a line is never quite silent
    for turn in turns():
        begin = turn.from_ms * _MS
        stereo[begin : begin + len(turn.sound), 0 if turn.role == "caller" else 1] += turn.sound
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(wav_bytes(stereo.tobytes(), RATE_HZ, 2))
    return path.stat().st_size


def records(at: datetime, recording: Path, size_bytes: int) -> Iterator[Record]:
    yield calls.started(READ_ALOUD, started_at=at, config={"language": "en"})
    for index, turn in enumerate(turns()):
        heard = {"heard_text": turn.text} if turn.role == "bot" else {"heard_text": None, "kind": "speech"}
        yield calls.turn(
            READ_ALOUD, index, role=turn.role, text=turn.text, started_ms=turn.from_ms, ended_ms=turn.to_ms, **heard
        )
    length = length_ms()
    yield calls.recording(READ_ALOUD, path=str(recording), size_bytes=size_bytes, duration_ms=length)
    yield calls.ended(READ_ALOUD, ended_at=at + timedelta(milliseconds=length), duration_ms=length)


def _turn(role: str, from_ms: int, pause_ms: int, names: tuple[str, ...]) -> ReadTurn:
    text, sound, readings = "", np.zeros(0, np.int16), []
    for name in names:
        read = _piece(name)
        readings.append(Reading(len(text), from_ms + len(sound) // _MS))
        text += f"{read.text} "
        sound = np.concatenate([sound, _spoken(read), np.zeros(pause_ms * _MS, np.int16)])
    sound = sound[: len(sound) - pause_ms * _MS]
    return ReadTurn(role, text.strip(), from_ms, from_ms + len(sound) // _MS, tuple(readings), sound)


def _piece(name: str) -> Piece:
    files = json.loads((_DATA / "manifest.json").read_text(encoding="utf-8"))["files"]
    text = next(file["transcript"] for file in files if file["file"] == f"speech-en/{name}")
    found = piece(_DATA / "speech-en" / name, text.capitalize() if text.isupper() else text)
    assert found is not None, f"nobody speaks in {name}"
    return found


def _spoken(read: Piece) -> Pcm:
    """From the first sound of speech to the last one, at the rate of a telephone."""
    spoken = read.pcm[round(read.begin_s * 16_000) : round(read.end_s * 16_000)]
    resampler = Resampler(16_000, RATE_HZ)
    return np.frombuffer(resampler.push(spoken.tobytes()) + resampler.flush(), "<i2") // 2
