"""What the caller said and nobody has answered yet. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    text: str
    start_ms: int
    pcm: bytes = b""  # their sound, 16-bit at 8,000 Hz, where it may be listened to again


class Unanswered:
    def __init__(self) -> None:
        self.words: tuple[Words, ...] = ()

    def add(self, words: Words) -> None:
        self.words = (*self.words, words)

    def take(self) -> Sequence[Words]:
        """All of it is answered now."""
        taken, self.words = self.words, ()
        return taken

    def give_back(self, words: Sequence[Words]) -> None:
        """It was not answered after all."""
        self.words = (*words, *self.words)


def text_of(words: Sequence[Words]) -> str:
    return " ".join(one.text for one in words if one.text)
