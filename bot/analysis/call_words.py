"""What is asked and told of the words of a call: which turns there are, and when each of their words was said.

Values only: whoever asks needs none of the packages that find it (`word_finding.py`).
"""

from typing import Literal

import msgspec


class SaidTurn(msgspec.Struct, frozen=True):
    """What was heard of a turn, and when, on the recording's clock."""

    index: int
    role: Literal["caller", "bot"]
    from_ms: int
    to_ms: int
    text: str


class Order(msgspec.Struct, frozen=True):
    """A recording with the caller on the left channel; `model` is a local Whisper's name or folder."""

    recording: str
    model: str
    language: str
    turns: list[SaidTurn]


class WordTime(msgspec.Struct, frozen=True):
    """A word with its punctuation: where it stands in the turn's text (in code points), and when it was said."""

    letter: int
    letters: int
    from_ms: int
    to_ms: int


class TurnWords(msgspec.Struct, frozen=True):
    """Empty where the words were not found in the sound."""

    index: int
    words: list[WordTime]
