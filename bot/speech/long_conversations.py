"""What is left out of a conversation that has outgrown its model. No I/O.

A model reads a limited number of tokens, and servers refuse more. Who talks for so long is better served by a bot that
has forgotten how the call began than by none; so the older half goes, and the rest begins where the caller speaks.
"""

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from bot.errors import RequestFailedError

T = TypeVar("T")

_TOO_LONG = re.compile(r"context[ _](length|size|window)|(prompt|input|request) (is )?too (long|large)", re.IGNORECASE)
"""How OpenAI, vLLM, llama.cpp and others say so; most have no code for it."""


def is_too_long(refused: RequestFailedError) -> bool:
    if refused.code == "context_length_exceeded" or refused.status == 413:
        return True
    return refused.status in (400, 422) and _TOO_LONG.search(str(refused)) is not None


def newer_half(turns: Sequence[T], is_caller: Callable[[T], bool], size: Callable[[T], int]) -> Sequence[T]:
    """The last turns, half of what all are by `size`, or less; at least what the caller said last and what follows.

    All of them where there is nothing to leave out.
    """
    starts = [
        number
        for number, turn in enumerate(turns)
        if number and is_caller(turn) and not is_caller(turns[number - 1])  # not within words that belong together
    ]
    sizes = [size(turn) for turn in turns]
    if not starts:
        return turns
    return turns[next((start for start in starts if sum(sizes[start:]) * 2 <= sum(sizes)), starts[-1]) :]
