"""A call's transcript as files: plain text, subtitles (SubRip, WebVTT), JSON.

Subtitles hold what was heard, in pieces that fit a screen, each with its own time. What was said may hold anything, so
nothing of it can end a cue or be taken for markup: SubRip knows no escape, there `<` becomes `‹`.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC
from typing import Any

import msgspec

from bot.calllog.detail import CallDetail
from bot.review.call.said import Said, word_end_ms, word_ms
from bot.review.formats import printable

CUE_CHARS = 84  # two lines of a subtitle

Names = Mapping[str, str]
"""How each side is called in words: by "caller", "bot" and "unheard"."""

_SPACE = re.compile(r"\s+")
_FOR_SUBRIP = str.maketrans({"<": "‹", ">": "›", "{": "(", "}": ")"})
_FOR_VTT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def text_file(detail: CallDetail, said: Sequence[Said], names: Names) -> str:
    call = detail.call
    lines = [
        f"{call.started_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
        f"{names['caller']}: {one_line(call.from_number)}",
        f"{names['bot']}: {one_line(call.bot)}, {one_line(call.to_number)}",
        "",
    ]
    for turn in said:
        unheard = f" [{names['unheard']}: {one_line(turn.unheard)}]" if turn.unheard.strip() else ""
        lines.append(f"[{_clock(turn.from_ms, '.')}] {names[turn.role]}: {one_line(turn.heard)}{unheard}")
    return "\n".join(lines) + "\n"


def srt_file(said: Sequence[Said], names: Names) -> str:
    """SubRip: numbered cues, an empty line between them."""
    cues = enumerate(_cues(said), start=1)
    return "\n".join(
        f"{number}\n{_clock(from_ms, ',')} --> {_clock(to_ms, ',')}\n"
        f"{names[turn.role]}: {words.translate(_FOR_SUBRIP)}\n"
        for number, (turn, from_ms, to_ms, words) in cues
    )


def vtt_file(said: Sequence[Said], names: Names) -> str:
    """WebVTT (W3C), each cue with its speaker as a voice span."""
    cues = (
        f"{_clock(from_ms, '.')} --> {_clock(to_ms, '.')}\n"
        f"<v {names[turn.role].translate(_FOR_VTT)}>{words.translate(_FOR_VTT)}\n"
        for turn, from_ms, to_ms, words in _cues(said)
    )
    return "\n".join(["WEBVTT\n", *cues])


def json_file(detail: CallDetail, said: Sequence[Said], _: Names) -> str:
    call = detail.call
    values = {
        "call_id": call.call_id,
        "bot": call.bot,
        "carrier": call.carrier,
        "from_number": call.from_number,
        "to_number": call.to_number,
        "started_at": call.started_at,
        "duration_ms": call.duration_ms,
        "turns": [_turn(turn) for turn in said],
    }
    return msgspec.json.format(msgspec.json.encode(values), indent=2).decode() + "\n"


def _turn(turn: Said) -> dict[str, Any]:
    """A turn with its words themselves, where their times are known."""
    words = [
        {"text": turn.heard[word.letter : word.letter + word.letters], "from_ms": word.from_ms, "to_ms": word.to_ms}
        for word in turn.words
    ]
    return {**msgspec.structs.asdict(turn), "words": words}


FILES: Mapping[str, tuple[str, Callable[[CallDetail, Sequence[Said], Names], str]]] = {
    "txt": ("text/plain", text_file),
    "srt": ("application/x-subrip", lambda _, said, names: srt_file(said, names)),
    "vtt": ("text/vtt", lambda _, said, names: vtt_file(said, names)),
    "json": ("application/json", json_file),
}
"""By the ending of its name: the media type of a file, and what writes it."""


def one_line(text: str) -> str:
    return printable(_SPACE.sub(" ", text).strip())


def _cues(said: Sequence[Said]) -> Iterator[tuple[Said, int, int, str]]:
    """Turn, beginning, end and words of each cue; no cue is shorter than a player shows."""
    for turn in said:
        for start, end, words in _pieces(turn.heard):
            from_ms = word_ms(turn, start)
            yield turn, from_ms, max(word_end_ms(turn, end), from_ms + 200), words


def _pieces(text: str) -> Iterator[tuple[int, int, str]]:
    """Where each piece begins and ends in a text, and its words on one line; a word is never cut."""
    words = list(re.finditer(r"\S+", text))
    start = 0
    for at, word in enumerate(words):
        is_last = at + 1 == len(words)
        if is_last or words[at + 1].end() - words[start].start() > CUE_CHARS:
            begins, ends = words[start].start(), word.end()
            yield begins, ends, one_line(text[begins:ends])
            start = at + 1


def _clock(ms: int, point: str) -> str:
    """`3723004` → `01:02:03.004`."""
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}{point}{ms % 1000:03}"
