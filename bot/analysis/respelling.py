"""What may be taken of a text that a model has corrected: other spellings, and nothing else. Pure.

A text model that is asked to spell names right may also drop a stammer, finish a sentence or answer a question in it.
So its text is compared with the original word by word. Words take the place of others only where the letters are much
the same ("zinc tricks", "ZyntriQix"); nothing is added or left out; and where it changed more than a few words in a
hundred, or the length, none of it is taken.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

_MOST_CHANGED = 0.3  # of the words
_ALWAYS = 3  # words may change in the shortest text
_LONGEST = 4  # words that a name may have been heard as
_LITTLE = frozenset(
    "a an and are at be but by can do for from has have i if in is it my no not of on or our she he so that the they "  # noqa: SIM905
    "this to us was we were will with yes you your".split()
)
_ALIKE = 0.5  # of the letters, so that it is another spelling and not another word


@dataclass(frozen=True, slots=True)
class Edit:
    """The original's words `begin` to `end`, and what stands in their place."""

    begin: int
    end: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Respelt:
    text: str
    taken: tuple[Edit, ...] = ()
    refused: tuple[Edit, ...] = ()


def respelt(original: str, proposed: str) -> Respelt:
    """The original with those of the proposed words that are other spellings of its own."""
    words, offered = original.split(), proposed.split()
    edits = list(_edits(words, offered))
    changed = sum(max(edit.end - edit.begin, len(edit.after.split())) for edit in edits if not _same(edit))
    if changed > max(_ALWAYS, _MOST_CHANGED * len(words)):
        return Respelt(original, refused=tuple(edits))
    taken = tuple(edit for edit in edits if is_spelling(edit.before, edit.after))
    refused = tuple(edit for edit in edits if edit not in taken)
    return Respelt(applied(original, taken), taken, refused)


def applied(original: str, edits: Sequence[Edit]) -> str:
    """The space around the text, and between its words, stays as it was."""
    pieces = re.findall(r"\s*\S+", original)
    for edit in sorted(edits, key=lambda edit: edit.begin, reverse=True):
        space = pieces[edit.begin][: len(pieces[edit.begin]) - len(pieces[edit.begin].lstrip())]
        pieces[edit.begin : edit.end] = [space + edit.after]
    return "".join(pieces) + original[len(original.rstrip()) :]


def is_spelling(before: str, after: str) -> bool:
    """Whether one may be the other, spelt otherwise: much the same letters, and none where there was a word."""
    old, new = letters(before), letters(after)
    if not old or not new or len(before.split()) > _LONGEST or len(after.split()) > _LONGEST:
        return False
    return SequenceMatcher(None, old, new, autojunk=False).ratio() >= _ALIKE


def letters(text: str) -> str:
    return "".join(re.findall(r"[^\W_]", text.lower()))


def _edits(words: Sequence[str], offered: Sequence[str]) -> Iterator[Edit]:
    """Where the two differ, a word at a time where as many stand for as many."""
    keys, offered_keys = [letters(word) for word in words], [letters(word) for word in offered]
    for kind, a, b, c, d in SequenceMatcher(None, keys, offered_keys, autojunk=False).get_opcodes():
        if kind == "equal" or (b - a == d - c and all(map(is_spelling, words[a:b], offered[c:d]))):
            for at, new in zip(range(a, b), offered[c:d], strict=True):
                if words[at] != new:
                    yield Edit(at, at + 1, words[at], new)
        else:
            begin, end = _own(keys, a, b, offered_keys[c:d])
            yield Edit(begin, end, " ".join(words[begin:end]), " ".join(offered[c:d]))


def _own(keys: Sequence[str], begin: int, end: int, offered: Sequence[str]) -> tuple[int, int]:
    """Without the little words at either end, which belong to the sentence: "zinc tricks is" was no name as a whole."""
    while end - begin > 1 and keys[begin] in _LITTLE and keys[begin] not in offered:
        begin += 1
    while end - begin > 1 and keys[end - 1] in _LITTLE and keys[end - 1] not in offered:
        end -= 1
    return begin, end


def _same(edit: Edit) -> bool:
    """Only capitals or punctuation differ."""
    return letters(edit.before) == letters(edit.after)
