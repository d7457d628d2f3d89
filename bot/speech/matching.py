"""Which of the business's facts a question asks for, if any. Pure computation; no wording of replies here.

Two ways to compare. By meaning, with a small sentence model: how near the question is to the nearest way to ask for a
fact, to the nearest sentence of its answer, and how near the *least* near word of either is to any word of the other.
The last keeps "Do you rent cars?" away from "Do you rent bikes?", whose sentences are nearly the same. And by words
alone, where the model is not installed. Thresholds and weights were chosen on `tests/data/facts/development*.toml`;
`benchmarks/facts.py` prints what they do on questions kept back.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from bot.local.sentences import Meaning, SentenceEncoder, Vectors

MARGIN = 0.03
"""By so much the best fact must be better than the second: otherwise the question could mean either."""

_ANSWER_WEIGHT = 0.3
_FOREIGN_WEIGHT = 0.6  # the question's word that the fact knows least
_MISSING_WEIGHT = 0.5  # the word of asking for the fact that the question knows least
_FILLERS = re.compile(
    r"\b(?:u+m+|u+h+|er+m*|hm+|hi|hey|hello|yeah|well|so|like|okay|ok|please|guys|you know|i mean|i was wondering)\b"
)
_EMPTY_WORDS = frozenset(
    re.findall(
        r"\S+",
        """a an the is are am was were be been do does did i you we they he she it its me my your our us them to of in
        on at for with by from and or if that this there these those can could would will should may might have has had
        what which when where who whom how much many long please some any just get got let know tell want need looking
        wondering like about as so up out off not no yes while here then than too also into s m ve d re ll t""",
    )
)


@dataclass(frozen=True, slots=True)
class Fact:
    """Something the bot knows: ways to ask for it, and the answer, which is said word for word."""

    ask: tuple[str, ...]
    answer: str


class Matcher(Protocol):
    name: str
    threshold: float

    def scores(self, question: str) -> Sequence[float]:
        """How well each fact answers the question, 0 to 1, in the order of the facts."""


def best(matcher: Matcher, question: str) -> int | None:
    """The index of the one fact that clearly answers the question; None where it is not clear, or none does."""
    scores = matcher.scores(question)
    first, second, *_ = [*sorted(scores, reverse=True), 0.0, 0.0]
    if first < matcher.threshold or first - second < MARGIN:
        return None
    return list(scores).index(first)


class MeaningMatcher:
    name = "meaning"
    threshold = 0.58

    def __init__(self, facts: Sequence[Fact], encoder: "SentenceEncoder") -> None:
        self._encoder = encoder
        self._known = [_KnownMeaning.of(fact, encoder) for fact in facts]

    def scores(self, question: str) -> Sequence[float]:
        asked = self._encoder.encode(plain(question))
        return [known.score(asked) for known in self._known]


@dataclass(frozen=True, slots=True)
class _KnownMeaning:
    """One fact, encoded once."""

    asks: "Sequence[Meaning]"
    answer: "Sequence[Meaning]"

    @staticmethod
    def of(fact: Fact, encoder: "SentenceEncoder") -> "_KnownMeaning":
        return _KnownMeaning(
            [encoder.encode(plain(ask)) for ask in fact.ask],
            [encoder.encode(plain(sentence)) for sentence in sentences(fact.answer)],
        )

    def score(self, asked: "Meaning") -> float:
        nearest_ask = max((float(asked.sentence @ ask.sentence) for ask in self.asks), default=0.0)
        nearest_answer = max((float(asked.sentence @ part.sentence) for part in self.answer), default=0.0)
        foreign = _least_known(asked, np.concatenate([part.word_vectors for part in (*self.asks, *self.answer)]))
        missing = max((_least_known(ask, asked.word_vectors) for ask in self.asks), default=0.0)
        total = nearest_ask + _ANSWER_WEIGHT * nearest_answer + _FOREIGN_WEIGHT * foreign + _MISSING_WEIGHT * missing
        return total / (1 + _ANSWER_WEIGHT + _FOREIGN_WEIGHT + _MISSING_WEIGHT)


def _least_known(said: "Meaning", known: "Vectors") -> float:
    """How near the telling word that is farthest from all the known ones is to the nearest of them."""
    if not len(known) or not said.words:
        return 0.0
    nearness = (said.word_vectors @ known.T).max(axis=1)
    telling = [near for word, near in zip(said.words, nearness, strict=True) if word not in _EMPTY_WORDS]
    return float(min(telling)) if telling else float(nearness.mean())


class WordMatcher:
    """Shared word stems, rare ones counting more: the cosine of the question with the nearest way to ask."""

    name = "words"
    threshold = 0.74

    def __init__(self, facts: Sequence[Fact]) -> None:
        self._asks = [[_stems(ask) for ask in fact.ask] for fact in facts]
        self._spread = Counter(stem for asks in self._asks for stem in set().union(*asks))

    def scores(self, question: str) -> Sequence[float]:
        asked = _stems(question)
        return [max((self._cosine(asked, ask) for ask in asks), default=0.0) for asks in self._asks]

    def _cosine(self, one: frozenset[str], other: frozenset[str]) -> float:
        size = sqrt(self._weight(one) * self._weight(other))
        return self._weight(one & other) / size if size else 0.0

    def _weight(self, stems: frozenset[str]) -> float:
        return sum(log((len(self._asks) + 1) / (self._spread[stem] + 0.5)) ** 2 for stem in stems)


def plain(text: str) -> str:
    """Lower case, without what people say while they think."""
    text = _FILLERS.sub(" ", text.lower().replace("’", "'"))
    return " ".join(re.sub(r"\s*,\s*", " ", text).split())


def sentences(text: str) -> list[str]:
    """The sentences of a text, each with its full stop; a decimal point or "Dr." ends none."""
    return [
        part for part in re.split(r"(?<=[.!?])(?<!\bDr\.)(?<!\bMr\.)(?<!\bMrs\.)(?<!\bMs\.)\s+", text.strip()) if part
    ]


def questions(text: str) -> list[str]:
    """What may be several questions in one breath, apart."""
    parts = re.split(
        r"(?<=[.!?])\s+|,?\s+and\s+(?=(?:also|do|does|can|could|are|is|where|when|how|what|who|which|will|would)\b)",
        text.strip(),
        flags=re.IGNORECASE,
    )
    return [part for part in parts if part.strip(" ,.!?")]


def _stems(text: str) -> frozenset[str]:
    words = re.findall(r"[a-z0-9]+", plain(text))
    telling = [word for word in words if word not in _EMPTY_WORDS]
    return frozenset(_stem(word) for word in telling or words)


def _stem(word: str) -> str:
    stem = re.sub(r"(?:ing|ed|es|s|er|ly|e)$", "", word) if len(word) > 3 else word
    return stem if len(stem) >= 3 else word
