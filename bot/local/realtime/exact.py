"""Requests for one text word for word: those a responder without a language model can follow as well.

They come as the response's instructions, or as the last text that it is given to read.
"""

from collections.abc import Sequence

from bot.local.realtime.items import Item
from bot.voice.realtime_wire import EXACTLY


def exact_text(instructions: str) -> str | None:
    """The text, without quotes around it; None for instructions of any other kind."""
    if not instructions.startswith(EXACTLY):
        return None
    text = instructions.removeprefix(EXACTLY).strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def given_text(context: Sequence[Item] | None) -> str | None:
    """The same for the last item of a response's own context, if that was written: nobody says such a thing aloud."""
    match context[-1].body if context else None:
        case {"role": "user", "content": [{"type": "input_text", "text": text}]}:
            return exact_text(text)
        case _:
            return None
