"""Answers from the business's own facts. See the rewrite that follows; this first form matches words."""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from bot.speech.links import Role, Said, Say, UseTool


@dataclass(frozen=True, slots=True)
class Fact:
    """Something the bot knows: ways to ask for it, and the answer, which is said word for word."""

    ask: tuple[str, ...]
    answer: str


class FactsResponder:
    name = "facts"

    def __init__(self, facts: Sequence[Fact], business: str = "", can_transfer: bool = False) -> None:
        self._facts = tuple(facts)
        self._business = business
        self._can_transfer = can_transfer

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def respond(self, history: Sequence[Said]) -> AsyncIterator[Say | UseTool]:
        last = history[-1]
        before = next((said.tag for said in reversed(history[:-1]) if said.role is Role.BOT), "")
        text = last.text.lower()
        if last.role is Role.TOOL:
            yield Say("Thank you. I will pass your message on.", "message_taken")
            yield Say("Is there anything else I can help you with?", "anything_else")
        elif before == "offer_message" and re.search(r"\b(yes|yeah|yep|sure|please|okay|ok)\b", text):
            yield Say("Please leave your message after the tone.", "ask_message")
            yield UseTool("take_message")
        elif before == "offer_message" and re.search(r"\bno\b", text):
            yield Say("All right.", "acknowledge")
            yield Say("Is there anything else I can help you with?", "anything_else")
        elif re.search(r"\b(bye|goodbye|that's all|that is all)\b", text) or (before and text.startswith("no")):
            yield Say("Thank you for calling. Goodbye.", "goodbye")
            yield UseTool("hang_up")
        else:
            for sentence in self._answer(text):
                yield sentence

    def _answer(self, text: str) -> list[Say]:
        words = _words(text)
        scores = [(max(len(words & _words(a)) / len(words | _words(a)) for a in f.ask), f) for f in self._facts]
        best, fact = max(scores, key=lambda pair: pair[0], default=(0.0, None))
        if fact is not None and best >= 0.4:
            return [Say(sentence, "answer") for sentence in re.split(r"(?<=[.!?])\s+", fact.answer)]
        return [
            Say("I'm not certain about that, but I can take a message for the team.", "offer_message"),
            Say("Would you like to leave one?", "offer_message"),
        ]


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9']+", text.lower())) or {""}
