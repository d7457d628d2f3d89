"""Transcripts as text files: SubRip (srt), WebVTT (vtt) and plain text, byte for byte as OpenAI writes them.

Hours are always printed; a comma stands before SRT's milliseconds and a point before VTT's; lines end with LF; a blank
line follows each cue; text is stripped, as Whisper's own writers do (openai/whisper, `whisper/utils.py`).
"""

from collections.abc import Iterable
from typing import Protocol


class Cue(Protocol):
    """Some words and when they are said, in seconds from the beginning."""

    @property
    def start_s(self) -> float: ...
    @property
    def end_s(self) -> float: ...
    @property
    def text(self) -> str: ...


def plain_text(text: str) -> str:
    return f"{text.strip()}\n"


def srt(cues: Iterable[Cue]) -> str:
    return "".join(
        f"{number}\n{clock(cue.start_s, ',')} --> {clock(cue.end_s, ',')}\n{_line(cue.text)}\n\n"
        for number, cue in enumerate(cues, start=1)
    )


def vtt(cues: Iterable[Cue]) -> str:
    return "WEBVTT\n\n" + "".join(
        f"{clock(cue.start_s, '.')} --> {clock(cue.end_s, '.')}\n{_line(cue.text)}\n\n" for cue in cues
    )


def clock(seconds: float, mark: str) -> str:
    """00:01:02,345 with the mark given; times below zero are zero."""
    ms = max(0, round(seconds * 1000))
    minutes, ms = divmod(ms, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{ms // 1000:02d}{mark}{ms % 1000:03d}"


def _line(text: str) -> str:
    """One line, since a blank one would end the cue, and without the arrow that stands between times."""
    return " ".join(text.split()).replace("-->", "->")
