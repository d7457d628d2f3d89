"""The names that a business's bots know: their keywords, and proper names in their facts. Pure.

A proper name is taken to be a word with a capital letter inside an answer, where no sentence begins; several in a row
are one name ("Millbrook Bicycles").
"""

import re
from collections.abc import Iterator, Sequence

from bot.config import BotConfig

_NO_NAMES = frozenset("I I'm I'd I'll I've Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split())  # noqa: SIM905
_MONTHS = frozenset(
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)
_BEGINS = re.compile(r"(?:^|[.!?:…]\s+)[\"'“(]*$")
_NAME = re.compile(r"[A-ZÀ-ÖØ-Þ][\w'’&-]*(?:\s+[A-ZÀ-ÖØ-Þ][\w'’&-]*)*")


def names_of(bots: Sequence[BotConfig]) -> list[str]:
    """Each once, keywords first."""
    keywords = [keyword for bot in bots for keyword in bot.chained.keywords]
    answers = [name for bot in bots for fact in bot.facts for name in _proper_names(fact.answer)]
    return list(dict.fromkeys([*keywords, *answers]))


def _proper_names(text: str) -> Iterator[str]:
    for found in _NAME.finditer(text):
        name = found[0].removesuffix("'s").removesuffix("’s")
        if _BEGINS.search(text[: found.start()]):
            _, _, name = name.partition(" ")  # the first word's capital is the sentence's
        if name and not set(name.split()) <= _NO_NAMES | _MONTHS:
            yield name
