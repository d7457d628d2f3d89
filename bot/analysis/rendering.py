"""A transcript's JSON body as the file that was asked for: text, srt, vtt or JSON. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.local import subtitles

EXTENSIONS: Final = {
    "json": "json",
    "text": "txt",
    "srt": "srt",
    "vtt": "vtt",
    "verbose_json": "json",
    "diarized_json": "json",
}
"""Of files, by format."""
TIMED: Final = ("srt", "vtt", "verbose_json", "diarized_json")
"""Formats that need segments."""


@dataclass(frozen=True, slots=True)
class _Cue:
    start_s: float
    end_s: float
    text: str


def rendered(body: Mapping[str, Any], response_format: str) -> str:
    """Ends with a line feed; subtitles need a body with segments, and name the speakers where they are known."""
    match response_format:
        case "text":
            return subtitles.plain_text(body["text"])
        case "srt":
            return subtitles.srt(_cues(body, named="{}: {}"))
        case "vtt":
            return subtitles.vtt(_cues(body, named="<v {}>{}"))
        case _:
            return json.dumps(body, ensure_ascii=False) + "\n"


def _cues(body: Mapping[str, Any], named: str) -> list[_Cue]:
    """VTT has a way of its own to name speakers (https://www.w3.org/TR/webvtt1/#webvtt-cue-voice-span)."""
    cues = []
    for segment in body["segments"]:
        text, speaker = segment["text"].strip(), segment.get("speaker")
        cues.append(_Cue(segment["start"], segment["end"], named.format(speaker, text) if speaker else text))
    return cues
