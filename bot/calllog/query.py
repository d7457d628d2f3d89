"""What people type to find a call by what was said. Whatever they type means something; nothing is a syntax error.

    open saturday        both words, anywhere in the call
    "open on saturday"   these words side by side, in one turn
    satur*               words that begin so (three letters or more)

Anything else (signs, brackets, a quote that is never closed) only separates words.
"""

import re
from dataclasses import dataclass

from bot.calllog.words import words_of

MAX_TERMS = 16
PREFIX_CHARS = 3
"""A shorter beginning is taken for a whole word: half of all calls have words that begin so."""

_PART = re.compile(r'"([^"]*)"?|([^\s"]+)')


@dataclass(frozen=True, slots=True)
class Term:
    """Words side by side, or the beginning of one word."""

    words: tuple[str, ...]
    is_prefix: bool = False


def parse(text: str) -> tuple[Term, ...]:
    """All that a call must have; empty where there is no word in the text."""
    terms: dict[Term, None] = {}
    for quoted, plain in _PART.findall(text):
        for term in _terms(plain) if plain else [Term(tuple(words_of(quoted)))]:
            if term.words:
                terms[term] = None
    return tuple(terms)[:MAX_TERMS]


def _terms(plain: str) -> list[Term]:
    """`don't` is the words don and t side by side; only the last word of `re-open*` is a beginning."""
    words = tuple(words_of(plain))
    if not (plain.endswith("*") and words and len(words[-1]) >= PREFIX_CHARS):
        return [Term(words)]
    return [Term(words[:-1]), Term(words[-1:], is_prefix=True)]
