"""What a model is to read before it listens to the next part: the operator's own prompt, and the last words heard.

Whisper reads the last 224 tokens of a prompt and forgets the rest. So the words before the cut come last, and only as
many of them as leave room for the operator's prompt; of that, if it alone is too long, the end is kept.
"""

from typing import Protocol

from tokenizers import Tokenizer

from bot.local.models import whisper_folder
from bot.speech.model_table import PROMPT_TOKENS


class Tokens(Protocol):
    def count(self, text: str) -> int: ...

    def last(self, text: str, count: int) -> str:
        """The end of a text, whole words only, in at most so many tokens."""


class EnglishTokens:
    """GPT-2's, with which OpenAI counts prompts in English; in other languages it finds more tokens than Whisper."""

    def __init__(self) -> None:
        """Raises `VoiceError` where the local models' packages are missing."""
        self._tokenizer = Tokenizer.from_file(str(whisper_folder("whisper-tiny.en") / "tokenizer.json"))

    def count(self, text: str) -> int:
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def last(self, text: str, count: int) -> str:
        places = self._tokenizer.encode(text, add_special_tokens=False).offsets
        if len(places) <= count:
            return text.strip()
        if count <= 1:
            return ""
        start = places[1 - count][0]  # one less: without the space before it, a word may be a token more
        is_inside = not text[start].isspace() and not text[start - 1].isspace()
        kept = text[start:]
        return (kept.partition(" ")[2] if is_inside else kept).strip()


def prompt_with(own: str, before: str, tokens: Tokens, room: int = PROMPT_TOKENS) -> str:
    """The operator's own prompt, then the end of what was said before; together no more tokens than there is room."""
    own = tokens.last(own, room)
    tail = tokens.last(before, room - tokens.count(own) - 1)  # and one for the space between them
    return " ".join(filter(None, [own, tail]))
