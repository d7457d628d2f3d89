"""What a request would have counted at OpenAI, in tokens: of sound by its length, of text by an estimate."""

import math


def text_tokens(text: str) -> int:
    """About four letters of English to a token."""
    return math.ceil(len(text) / 4)


def heard_tokens(milliseconds: float) -> int:
    """A user's sound: a token for every tenth of a second."""
    return math.ceil(milliseconds / 100)


def spoken_tokens(milliseconds: float) -> int:
    """An assistant's sound: a token for every twentieth of a second."""
    return math.ceil(milliseconds / 50)
