"""A text in the pieces that are spoken one after the other: sentences, and of very long ones parts. Pure."""

import re
from collections.abc import Iterator

from bot.speech.matching import sentences

LONGEST = 250
"""Characters; about 15 s of sound. A piece is made in one go, so it must not be long."""


def passages(text: str) -> Iterator[str]:
    """Each without line breaks; what holds no letter and no digit is left out, since there is nothing to say."""
    for paragraph in re.split(r"\n\s*\n|\n(?=\s*(?:[-*•]|\d+\.)\s)", text):
        for sentence in sentences(" ".join(paragraph.split())):
            yield from (part for part in _parts(sentence) if re.search(r"[^\W_]", part))


def _parts(sentence: str) -> Iterator[str]:
    """Cut at the last punctuation that fits, else at the last space, else anywhere."""
    while len(sentence) > LONGEST:
        head = sentence[:LONGEST]
        cut = max(head.rfind(mark) for mark in (", ", "; ", ": ", " - ", " – ")) + 1 or head.rfind(" ") or LONGEST
        cut = cut if cut > 0 else LONGEST
        yield sentence[:cut].strip()
        sentence = sentence[cut:].strip()
    if sentence:
        yield sentence
