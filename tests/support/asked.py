"""What callers ask, from `tests/data/facts`, and how a responder fares with it."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.speech.links import Role, Said, Say
from bot.speech.matching import Fact

FOLDER = Path(__file__).parents[1] / "data" / "facts"
SAMPLE = Path(__file__).parents[2] / "bot" / "rehearsal" / "sample_business.toml"
DEVELOPMENT = ("development", "development-second", "development-bakery")
HELD_BACK = ("held-back", "held-back-veterinary")


@dataclass(frozen=True, slots=True)
class Asked:
    """One file of questions: what is to be answered with which answers, and what to be refused."""

    facts: Sequence[Fact]
    answered: Sequence[tuple[str, Sequence[str]]]
    refused: Sequence[str]


@dataclass(slots=True)
class Tally:
    right: int = 0
    wrong: int = 0  # answered with another fact
    silent: int = 0  # not answered, though the answer is known
    false: int = 0  # answered, though nothing in the facts does
    refused: int = 0

    def count(self, said: Sequence[str], wanted: Sequence[str]) -> None:
        if not wanted:
            self.false, self.refused = self.false + bool(said), self.refused + (not said)
        elif not said:
            self.silent += 1
        elif list(said) == list(wanted):
            self.right += 1
        else:
            self.wrong += 1


def load(name: str) -> Asked:
    questions = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    business = questions if "facts" in questions else tomllib.loads(SAMPLE.read_text(encoding="utf-8"))["bots"][0]
    facts = [Fact(tuple(fact["ask"]), fact["answer"]) for fact in business["facts"]]
    answers = {fact.ask[0]: fact.answer for fact in facts}
    single = [(asked, [answers[key]]) for key, ways in questions["answered"].items() for asked in ways]
    double = [(asked, [answers[key] for key in keys]) for asked, keys in questions["two"].items()]
    return Asked(facts, [*single, *double], [asked for kind in questions["refused"].values() for asked in kind])


def caller_says(text: str) -> list[Said]:
    return [Said(Role.CALLER, text)]


def answers_in(parts: Sequence[object], facts: Sequence[Fact]) -> list[str]:
    """Which facts' answers were said, whole and in their order."""
    said = " ".join(part.text for part in parts if isinstance(part, Say) and part.tag == "answer")
    found = [fact.answer for fact in facts if fact.answer in said]
    return sorted(found, key=said.index)
