"""A text that is still being written, as the sentences in it, each as soon as it is whole.

Joined, the pieces are the text unchanged: what a listener must not hear of it (the marks of Markdown) is taken away by
`plain` afterwards. Whether a full stop ends a sentence shows in what follows it, so a piece is given out when the
next one begins. What never ends is cut at a comma, or between two words.
"""

import re
from collections.abc import Iterator
from typing import Final

LONGEST: Final = 280
"""Characters; about 18 s of speech. A caller should not wait for the sound of more."""

_MARKS: Final = ".!?…。！？؟।"
_CLOSING: Final = "\"'”’»)]*_`"
_END = re.compile(rf"[。！？][{re.escape(_CLOSING)}]*|[{_MARKS}]+[{re.escape(_CLOSING)}]*(?=\s)|\n")
_ABBREVIATIONS: Final = frozenset(
    "dr mr mrs ms prof st str vs approx e.g i.e bzw ca evtl ggf inkl vgl z.b d.h u.a".split()  # noqa: SIM905
)
_BEFORE_NUMBERS: Final = frozenset(
    "no nos nr ext fig vol mon tue tues wed thu thurs fri sat sun "  # noqa: SIM905
    "jan feb mar apr jun jul aug sep sept oct nov dec".split()
)
"""Abbreviations only before a number: else "No." is an answer, and "Sun." may end a sentence."""
_WORD_BEFORE = re.compile(r"[\w.]*$")
_LIST_NUMBER = re.compile(r"(?:^|\n)\s*\d{1,3}$")
_CLAUSE = re.compile(r"[,;:–—]\s+")


class Sentences:
    """One text on its way."""

    def __init__(self) -> None:
        self._held = ""

    def push(self, text: str) -> Iterator[str]:
        """The sentences that are whole now that this has been added."""
        self._held += text
        while (end := self._end()) is not None:
            piece, self._held = self._held[:end], self._held[end:]
            yield piece

    def flush(self) -> str:
        """What is left when nothing more will come; empty where nothing is."""
        rest, self._held = self._held, ""
        return rest

    def _end(self) -> int | None:
        for found in _END.finditer(self._held):
            if found.end() > LONGEST:
                break
            if self._held[: found.start()].strip() and _is_end(self._held, found):
                return found.end()
            if self._held[found.end() :].strip() == "":
                break  # what follows will tell
        return _cut(self._held) if len(self._held.strip()) > LONGEST else None


def sentences(text: str) -> list[str]:
    """A whole text; joined, the pieces are the text unchanged."""
    splitter = Sentences()
    pieces = list(splitter.push(text))
    rest = splitter.flush()
    return [*pieces, rest] if rest else pieces


def _is_end(text: str, mark: re.Match[str]) -> bool:
    """Whether a mark that is followed by space, a line's end or a mark of a script without spaces ends a sentence."""
    if mark[0] == "\n" or mark[0][0] in "!?。！？؟।":
        return True
    following = text[mark.end() :].lstrip()
    if not following or following[0].islower():
        return False
    if mark[0][0] == "…" or mark[0].startswith(".."):
        return True
    before = text[: mark.start()]
    word = _WORD_BEFORE.findall(before)[0].lower()
    if word in _ABBREVIATIONS or _LIST_NUMBER.search(before) or (len(word) == 1 and word.isalpha() and word != "i"):
        return False  # the last is somebody's initial; two sentences in one piece do no harm, half a one does
    return word not in _BEFORE_NUMBERS or not following[0].isdigit()


def _cut(text: str) -> int:
    """Where a piece of at most `LONGEST` characters ends that is no sentence."""
    start = len(text) - len(text.lstrip())
    window = text[: start + LONGEST]
    clauses = [found.end() for found in _CLAUSE.finditer(window) if found.end() - start > LONGEST // 3]
    if clauses:
        return clauses[-1]
    space = window.rstrip().rfind(" ")
    return space + 1 if space > start else len(window)


_FENCE = re.compile(r"^\s*```.*$", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)\s]*\)")
_LINE_START = re.compile(r"^\s*(?:#{1,6}\s+|[-*+•]\s+|>\s*)+", re.MULTILINE)
_RULE = re.compile(r"^\s*(?:[-*_]\s*){3,}$", re.MULTILINE)
_EMPHASIS = re.compile(r"(?<!\w)(\*{1,3}|_{1,3}|~~|`+)(?=\S)|(?<=\S)(\*{1,3}|_{1,3}|~~|`+)(?!\w)")
_PICTURES = re.compile(r"[\U0001F000-\U0001FAFF\u2600-\u27BF\u2B00-\u2BFF\uFE0F\u200D]")
_TABLE_EDGE = re.compile(r"^\s*\|\s*|\s*\|\s*$", re.MULTILINE)


def plain(text: str) -> str:
    """What a listener gets of a sentence: without Markdown's marks, pictures, and line ends."""
    text = _RULE.sub("", _FENCE.sub("", text))
    text = _LINE_START.sub("", _LINK.sub(r"\1", text))
    text = _TABLE_EDGE.sub("", text).replace(" | ", ", ")
    text = _PICTURES.sub("", _EMPHASIS.sub("", text))
    return " ".join(text.split())
