"""The transcripts of a recording's parts made into that of the whole. Pure.

Parts are the JSON bodies of OpenAI's transcription and translation endpoints (`json`, `verbose_json` and
`diarized_json`), each with its place on the recording's clock in seconds. What a body holds beyond the documented
fields is kept as the first part has it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Json = dict[str, Any]

FRAMES_PER_S: Final = 100  # what Whisper's `seek` counts
# Scripts in which no space stands between two sentences.
_SPACELESS = r"[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]"


@dataclass(frozen=True, slots=True)
class PartText:
    """One part's place in the recording and the body that came back for it."""

    start_s: float
    end_s: float
    body: Json


def joined(parts: Sequence[PartText]) -> Json:
    """The body of the whole; `parts` are in order, and at least one."""
    first = parts[0].body
    whole: Json = {**first, "text": joined_text([part.body.get("text", "") for part in parts])}
    for name in ("segments", "words"):
        if any(name in part.body for part in parts):
            whole[name] = [_moved(one, part) for part in parts for one in part.body.get(name) or ()]
    for number, segment in enumerate(whole.get("segments", ())):
        segment["id"] = f"seg_{number + 1:03d}" if isinstance(segment.get("id"), str) else number
    if "logprobs" in first:
        whole["logprobs"] = [one for part in parts for one in part.body.get("logprobs") or ()]
    if "languages" in first:
        whole["languages"] = list({str(one): one for part in parts for one in part.body["languages"] or ()}.values())
    if "language" in first:
        whole["language"] = _most_spoken(parts)
    if "duration" in first:
        whole["duration"] = round(parts[-1].end_s, 3)
    if any(is_diarized(part.body) for part in parts):
        whole["text"] = speakers_text(whole["segments"])
    usages = [part.body["usage"] for part in parts if part.body.get("usage")]
    return {**whole, "usage": summed(usages)} if usages else whole


def joined_text(texts: Iterable[str]) -> str:
    """One after the other, with a space between where the script has spaces."""
    whole = ""
    for text in filter(None, (text.strip() for text in texts)):
        is_spaceless = re.search(f"{_SPACELESS}$", whole) and re.match(_SPACELESS, text)
        whole += text if not whole or is_spaceless else f" {text}"
    return whole


def is_diarized(body: Mapping[str, Any]) -> bool:
    return any("speaker" in segment for segment in body.get("segments") or ())


def speakers_text(segments: Iterable[Mapping[str, Any]]) -> str:
    """Who says what, a segment a line, as `diarized_json` has it."""
    return "\n".join(f"{segment['speaker']}: {segment['text'].strip()}" for segment in segments)


def summed(usages: Sequence[Json]) -> Json:
    """Numbers added up, also inside; what is no number is as in the first."""
    whole: Json = dict(usages[0])
    for name, value in usages[0].items():
        same = [usage.get(name) for usage in usages]
        if isinstance(value, dict):
            whole[name] = summed([one for one in same if isinstance(one, dict)])
        elif isinstance(value, int | float) and not isinstance(value, bool):
            whole[name] = sum(one for one in same if isinstance(one, int | float))
    return whole


def _moved(one: Mapping[str, Any], part: PartText) -> Json:
    """A segment or word on the recording's clock, inside its part: models sometimes end after the sound does."""
    longest_s = part.end_s - part.start_s
    moved = dict(one)
    for name in ("start", "end"):
        moved[name] = round(part.start_s + min(max(one[name], 0.0), longest_s), 3)
    if "seek" in one:
        moved["seek"] = one["seek"] + round(part.start_s * FRAMES_PER_S)
    return moved


def _most_spoken(parts: Sequence[PartText]) -> str:
    seconds: Counter[str] = Counter()
    for part in parts:
        seconds[part.body.get("language") or ""] += round(part.end_s - part.start_s)
    return max(seconds, key=lambda language: (bool(language), seconds[language]))
