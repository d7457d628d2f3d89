"""A receptionist without a language model: answers from the business's own facts, word for word, or takes a message.

It cannot invent anything: all it ever says is in `SENTENCES` or in a fact's answer. What to say next depends on the
conversation so far alone; the tag of what it said last ("offer_message", "anything_else", …) tells what a "yes" means.
`intents.py` reads yes, no and goodbye, `matching.py` finds the fact.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final

import structlog

from bot.errors import VoiceError
from bot.local.models import MINILM, Package
from bot.speech.intents import Heard, Intent, hear
from bot.speech.links import Role, Said, Say, UseTool
from bot.speech.matching import Fact, Matcher, MeaningMatcher, WordMatcher, best, questions, sentences

__all__ = ["Fact", "FactsResponder"]

log = structlog.get_logger()

Part = Say | UseTool

SENTENCES: Final = {
    "hello": "Hello.",
    "hello_business": "Hello, this is {business}.",
    "how_can_i_help": "How can I help you?",
    "ask_away": "Of course. What would you like to know?",
    "not_heard": "I'm sorry, I didn't hear you. Could you say that again?",
    "unknown": "I'm not certain about that, but I can take a message for the team.",
    "offer_message": "Would you like to leave one?",
    "leave_message": "Please leave your message after the tone.",
    "no_person": "I can't put you through, but I can take a message for the team.",
    "transfer": "One moment, I'll put you through.",
    "transfer_failed": "I'm sorry, nobody is answering, but I can take a message for the team.",
    "message_taken": "Thank you. I'll pass your message on to the team.",
    "message_empty": "I'm sorry, I didn't hear a message.",
    "all_right": "All right.",
    "welcome": "You're welcome.",
    "anything_else": "Is there anything else I can help you with?",
    "goodbye": "Thank you for calling. Goodbye.",
}
"""Every sentence of its own, in one place: a translation is another such table, and one for `intents.py`."""

_CLOSING_TAGS = frozenset({"anything_else", "message_taken"})  # after these a "no" means that the call is over


class FactsResponder:
    name = "facts"

    def __init__(
        self, facts: Sequence[Fact], business: str = "", can_transfer: bool = False, model: Package = MINILM
    ) -> None:
        """`business` is the name said in answer to a hello; without `can_transfer` those who ask for a person may
        leave a message. `model` is the package with the sentence model."""
        self._facts = tuple(facts)
        self._business = business
        self._can_transfer = can_transfer
        self._model = model
        self._matcher: Matcher = WordMatcher(self._facts)

    async def start(self) -> None:
        """Compares by meaning from now on if the model is installed, and by words, with a warning, if it is not."""
        try:
            self._matcher = await asyncio.to_thread(_load_matcher, self._facts, self._model)
        except VoiceError as exc:
            log.warning("facts_matched_by_words", reason=str(exc))

    async def close(self) -> None:
        """Let go of the model."""
        self._matcher = WordMatcher(self._facts)

    def answers(self, question: str) -> Sequence[str]:
        """What clearly answers a question, or several in one text, word for word; nothing where nothing does."""
        return [self._facts[index].answer for index in self._found(question, hear(question).rest or question)]

    async def respond(self, history: Sequence[Said]) -> AsyncIterator[Part]:
        """The receptionist's next sentences, and what to do after them."""
        for part in await asyncio.to_thread(self.next_turn, history):  # matching takes some milliseconds
            yield part

    def next_turn(self, history: Sequence[Said]) -> Sequence[Part]:
        """A pure function of the conversation, which ends with what a caller or a tool said."""
        last = history[-1]
        if last.role is Role.TOOL:
            return self._after_tool(last, history[:-1])
        if not last.text.strip():
            return [_say("not_heard", "not_heard")]
        return self._after_words(hear(last.text), last.text, history[:-1])

    def _after_words(self, heard: Heard, text: str, before: Sequence[Said]) -> Sequence[Part]:
        tag = _last_tag(before)
        if heard.has(Intent.PERSON):
            return self._person()
        if heard.has(Intent.MESSAGE):
            return _take_message()
        if heard.rest and (answers := self._answers(text, heard.rest)):
            return answers
        if heard.has(Intent.REPEAT):
            return self._repeat(before)
        if heard.rest and not _is_all_said(heard, tag):
            return [_say("unknown", "offer_message"), _say("offer_message", "offer_message")]
        return self._courtesy(heard, tag)

    def _courtesy(self, heard: Heard, tag: str) -> Sequence[Part]:
        """The answer to words that ask for nothing."""
        is_offered, is_closing = tag == "offer_message", tag in _CLOSING_TAGS
        is_no = heard.has(Intent.NO) or (heard.has(Intent.THANKS) and not heard.has(Intent.YES))
        if heard.has(Intent.GOODBYE) or (is_closing and is_no):
            return [_say("goodbye", "goodbye"), UseTool("hang_up")]
        if is_offered and not is_no and heard.has(Intent.YES, Intent.NOTED, Intent.MURMUR):
            return _take_message()
        if is_no:
            polite = "all_right" if is_offered or heard.has(Intent.NO) else "welcome"
            return [_say(polite, "anything_else"), _say("anything_else", "anything_else")]
        if (heard.has(Intent.YES) and tag != "answer") or (heard.has(Intent.NOTED) and is_closing):
            return [_say("ask_away", "ask_away")]
        if heard.has(Intent.HELLO):
            return self._hello()
        if heard.has(Intent.YES, Intent.NOTED):
            return [_say("anything_else", "anything_else")]
        return []  # a murmur: they listen, or think

    def _answers(self, text: str, rest: str) -> Sequence[Part]:
        return [
            Say(sentence, "answer")
            for index in self._found(text, rest)
            for sentence in sentences(self._facts[index].answer)
        ]

    def _found(self, text: str, rest: str) -> Sequence[int]:
        """The facts for each of several questions if all are clear, else for the whole, else for the part that is."""
        parts = questions(text)
        found = [fact for part in parts if (fact := self._fact(hear(part).rest)) is not None] if len(parts) > 1 else []
        if len(found) < len(parts):
            whole = self._fact(rest)
            found = found if whole is None else [whole]
        return list(dict.fromkeys(found))

    def _fact(self, question: str) -> int | None:
        return best(self._matcher, question) if question else None

    def _person(self) -> Sequence[Part]:
        if self._can_transfer:
            return [_say("transfer", "transfer"), UseTool("transfer")]
        return [_say("no_person", "ask_message"), *_take_message()]

    def _repeat(self, before: Sequence[Said]) -> Sequence[Part]:
        said: list[Said] = []
        for one in reversed(before):
            if one.role is not Role.BOT:
                break
            said.insert(0, one)
        return [Say(self._whole(one.text), one.tag) for one in said] or self._hello()

    def _whole(self, heard: str) -> str:
        """A sentence of an answer in full, of which only the beginning was heard."""
        known = (sentence for fact in self._facts for sentence in sentences(fact.answer))
        return next((sentence for sentence in known if heard and sentence.startswith(heard)), heard)

    def _hello(self) -> Sequence[Part]:
        hello = SENTENCES["hello_business"].format(business=self._business) if self._business else SENTENCES["hello"]
        return [Say(hello, "hello"), _say("how_can_i_help", "hello")]

    def _after_tool(self, result: Said, before: Sequence[Said]) -> Sequence[Part]:
        if result.tag == "transfer":
            return [_say("transfer_failed", "offer_message"), _say("offer_message", "offer_message")]
        if result.text.strip():
            return [_say("message_taken", "message_taken"), _say("anything_else", "anything_else")]
        failed_before = any(
            said.role is Role.TOOL and said.tag == result.tag and not said.text.strip() for said in before
        )
        if failed_before:
            return [_say("message_empty", "anything_else"), _say("anything_else", "anything_else")]
        return [_say("message_empty", "offer_message"), _say("offer_message", "offer_message")]


def _say(sentence: str, tag: str) -> Say:
    return Say(SENTENCES[sentence], tag)


def _take_message() -> Sequence[Part]:
    return [_say("leave_message", "ask_message"), UseTool("take_message")]


def _last_tag(before: Sequence[Said]) -> str:
    return next((said.tag for said in reversed(before) if said.role is Role.BOT), "")


def _is_all_said(heard: Heard, tag: str) -> bool:
    """Whether words that no fact answers are mere decoration of a yes, a no or a goodbye."""
    if tag == "offer_message":
        return heard.has(Intent.YES, Intent.NO)
    return heard.has(Intent.GOODBYE, Intent.THANKS) and len(heard.rest.split()) <= 4


def _load_matcher(facts: Sequence[Fact], model: Package) -> Matcher:
    from bot.local.sentences import SentenceEncoder

    return MeaningMatcher(facts, SentenceEncoder(model))
