"""Which way of matching questions to facts answers best, and how often it answers what it should refuse.

    $ python -m benchmarks.facts

Each method gets the threshold that serves it best on the development questions (a wrong answer costs as much as four
right ones are worth), and is then counted on the questions kept back. "ours" are the matchers of
`bot/speech/matching.py` at their own fixed thresholds, through the whole responder, which also takes two questions in
one breath. Times are for one question, on one core.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from zlib import crc32

import numpy as np

from bot.local.sentences import SentenceEncoder
from bot.speech.facts import FactsResponder
from bot.speech.matching import MARGIN, Fact, Matcher, MeaningMatcher, WordMatcher, best, plain
from tests.support.asked import DEVELOPMENT, HELD_BACK, Asked, Tally, answers_in, caller_says, load

WRONG_COSTS = 4
Make = Callable[[Sequence[Fact]], Matcher]


class ByVectors:
    """The nearest way to ask, by the cosine of sentence vectors."""

    name, threshold = "", 0.0

    def __init__(self, facts: Sequence[Fact], encode: Callable[[str], np.ndarray]) -> None:
        self._encode = encode
        self._asks = [np.array([encode(plain(ask)) for ask in fact.ask]) for fact in facts]

    def scores(self, question: str) -> Sequence[float]:
        asked = self._encode(plain(question))
        return [float((ways @ asked).max()) for ways in self._asks]


def letter_runs(text: str) -> np.ndarray:
    """Runs of three and four letters, hashed."""
    vector = np.zeros(4096)
    padded = f" {text} "
    for size in (3, 4):
        for start in range(len(padded) - size + 1):
            vector[crc32(padded[start : start + size].encode()) % 4096] = 1
    return vector / (np.linalg.norm(vector) or 1)


def wordllama() -> Callable[[str], np.ndarray]:
    """The weights and tokenizer inside the package: its own loader wants the network."""
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    folder = Path(str(resources.files("wordllama")))
    table = next(iter(load_file(folder / "weights" / "l2_supercat_256.safetensors").values())).astype(np.float32)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizers" / "l2_supercat_tokenizer_config.json"))

    def encode(text: str) -> np.ndarray:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        mean = table[ids].mean(axis=0) if ids else np.zeros(table.shape[1], np.float32)
        return mean / (np.linalg.norm(mean) or 1)

    return encode


def tally(matcher: Matcher, asked: Asked, threshold: float) -> Tally:
    matcher.threshold = threshold
    result = Tally()
    for question, wanted in [*asked.answered, *((question, ()) for question in asked.refused)]:
        if len(wanted) < 2:  # a matcher alone does not take questions apart
            index = best(matcher, question)
            result.count([] if index is None else [asked.facts[index].answer], wanted)
    return result


def worth(results: Sequence[Tally]) -> int:
    return sum(result.right - WRONG_COSTS * (result.wrong + result.false) for result in results)


def chosen_threshold(make: Make) -> float:
    sets = [(make(asked.facts), asked) for asked in map(load, DEVELOPMENT)]
    return max(
        (float(threshold) for threshold in np.arange(0.40, 0.92, 0.02)),
        key=lambda threshold: worth([tally(matcher, asked, threshold) for matcher, asked in sets]),
    )


def show(name: str, threshold: float, results: Sequence[Tally], each_ms: float) -> None:
    right, wrong, silent, false, refused = (
        sum(getattr(result, field) for result in results) for field in ("right", "wrong", "silent", "false", "refused")
    )
    known, unknown = right + wrong + silent, false + refused
    print(
        f"{name:34} {threshold:9.2f} {right:4} of {known:3} {right / known:5.0%} {wrong:6}"
        f" {false:6} of {unknown:3} {false / unknown:6.1%} {each_ms:7.2f}"
    )


def compare(name: str, make: Make) -> None:
    threshold = chosen_threshold(make)
    sets = [(make(asked.facts), asked) for asked in map(load, HELD_BACK)]
    began = time.perf_counter()
    results = [tally(matcher, asked, threshold) for matcher, asked in sets]
    asked_count = sum(len(asked.answered) + len(asked.refused) for _, asked in sets)
    show(name, threshold, results, (time.perf_counter() - began) * 1000 / asked_count)


async def ours(name: str, threshold: float, *, by_meaning: bool) -> None:
    results, count, spent_s = [], 0, 0.0
    for asked in map(load, HELD_BACK):
        responder, result = FactsResponder(asked.facts), Tally()
        if by_meaning:
            await responder.start()
        began = time.perf_counter()
        for question, wanted in [*asked.answered, *((question, ()) for question in asked.refused)]:
            result.count(answers_in(responder.next_turn(caller_says(question)), asked.facts), wanted)
            count += 1
        spent_s += time.perf_counter() - began
        results.append(result)
    show(name, threshold, results, spent_s * 1000 / count)


def main() -> None:
    print(f"held-back questions of two businesses; margin to the second best fact {MARGIN}")
    print(f"{'method':34} {'threshold':>9} {'right':>17} {'wrong':>6} {'answered, though unknown':>20} {'ms':>4}")
    compare("runs of letters", lambda facts: ByVectors(facts, letter_runs))
    try:
        static = wordllama()
    except ImportError as exc:
        print(f"{'word vectors (wordllama)':34} not installed: {exc}")
    else:
        compare("word vectors (wordllama)", lambda facts: ByVectors(facts, static))
    encoder = SentenceEncoder()
    compare("sentence vectors (all-MiniLM)", lambda facts: ByVectors(facts, lambda text: encoder.encode(text).sentence))
    asyncio.run(ours("ours: words, without a model", WordMatcher.threshold, by_meaning=False))
    asyncio.run(ours("ours: sentences and least word", MeaningMatcher.threshold, by_meaning=True))


if __name__ == "__main__":
    main()
