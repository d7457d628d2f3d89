"""Text as search sees it: words without case and accents, in any script, each with its place in the text.

Both databases are given words that were taken apart here, so that they agree on what a word is, and the page that shows
hits agrees with both. No language is assumed: nothing is stemmed and nothing is left out. Scripts that put no spaces
between words (Chinese, Japanese, Thai, …) are taken a character at a time, which a search then wants side by side.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

WORD_CHARS = 64
"""What is longer is cut: nobody says it, and databases refuse to index it."""

_ASCII_WORD = re.compile(r"[a-z0-9]+")
_UNSPACED = (  # first and last code points
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # Hiragana, Katakana
    (0x3400, 0x9FFF),  # Chinese characters
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
_ACCENTS = range(0x0300, 0x0370)  # combining marks of Latin, Greek and Cyrillic; in other scripts marks are vowels


class Span(NamedTuple):
    """One word, and where the text has it."""

    word: str
    start: int
    end: int


def words_of(text: str) -> list[str]:
    """The words of a text, in order."""
    if text.isascii():
        return [word[:WORD_CHARS] for word in _ASCII_WORD.findall(text.lower())]
    return [span.word for span in _spans(text)]


def spans_of(text: str) -> Iterator[Span]:
    """The same words with their places in the text."""
    if text.isascii():
        for found in _ASCII_WORD.finditer(text.lower()):
            yield Span(found[0][:WORD_CHARS], *found.span())
    else:
        yield from _spans(text)


def _spans(text: str) -> Iterator[Span]:
    word, start = "", 0
    for at, character in enumerate(text):
        folded = _folded(character)
        if word and folded != "" and (folded is None or _is_unspaced(character) or _is_unspaced(word[0])):
            yield Span(word[:WORD_CHARS], start, at)
            word = ""
        if folded:
            start = start if word else at
            word += folded
    if word:
        yield Span(word[:WORD_CHARS], start, len(text))


@lru_cache(4096)
def _folded(character: str) -> str | None:
    """What a character adds to a word: nothing (an accent, an invisible mark) or letters; None ends the word."""
    if unicodedata.category(character) == "Cf":
        return ""
    folded = ""
    for part in unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold()):
        if unicodedata.category(part)[0] in "LNM":
            folded += "" if ord(part) in _ACCENTS else part
        elif not folded:
            return None
    return folded


@lru_cache(4096)
def _is_unspaced(character: str) -> bool:
    code = ord(character)
    return any(first <= code <= last for first, last in _UNSPACED)
