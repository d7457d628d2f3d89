"""How late a Whisper finds words, which differs from model to model.

A word's time is where the model looks at the sound when it writes the word, and each model's alignment heads have a
habit of their own: those of tiny.en look at the middle of a word's first syllable, those of base just before it.
Measured inside sentences against a forced aligner (`python -m benchmarks.recordings --hour`). A model is known by its
heads, since a folder may have any name; of one that was not measured nothing is corrected.
"""

from pathlib import Path

import msgspec

Heads = tuple[tuple[int, int], ...]

_LATE_S: dict[Heads, float] = {
    ((1, 0), (2, 0), (2, 5), (3, 0), (3, 1), (3, 2), (3, 3), (3, 4)): 0.1,  # tiny.en
    ((3, 1), (4, 2), (4, 3), (4, 7), (5, 1), (5, 2), (5, 4), (5, 6)): -0.04,  # base
}


class _Settings(msgspec.Struct):
    alignment_heads: Heads = ()  # layer and head of each


def lateness_s(settings: bytes) -> float:
    """Of the model whose config.json this is, in CTranslate2's format; negative is early, 0 for one not measured.

    Raises `msgspec.MsgspecError` for what is no such file.
    """
    return _LATE_S.get(tuple(sorted(msgspec.json.decode(settings, type=_Settings).alignment_heads)), 0.0)


def lateness_in(folder: Path) -> float:
    """The same, of the model in a folder."""
    return lateness_s((folder / "config.json").read_bytes())
