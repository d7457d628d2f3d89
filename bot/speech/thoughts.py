"""What a reasoning model thinks aloud, taken out of a text that is still being written: callers must not hear it.

Most servers send thoughts apart; where one does not, open models put them between <think> and </think>.
"""

_BEGIN, _END = "<think>", "</think>"


class Thoughts:
    def __init__(self) -> None:
        self._held = ""
        self._is_thinking = False

    def push(self, text: str) -> str:
        """What of the text so far is meant to be heard; a piece that may be the beginning of a mark is held back."""
        self._held += text
        said = ""
        while True:
            mark = _END if self._is_thinking else _BEGIN
            before, found, after = self._held.partition(mark)
            if not found:
                break
            said += "" if self._is_thinking else before
            self._held, self._is_thinking = after, not self._is_thinking
        kept = _beginning_of(mark, self._held)
        rest, self._held = self._held[: len(self._held) - kept], self._held[len(self._held) - kept :]
        return said + ("" if self._is_thinking else rest)

    def flush(self) -> str:
        """What was held back and turns out to be text."""
        rest, self._held = self._held, ""
        return "" if self._is_thinking else rest


def _beginning_of(mark: str, text: str) -> int:
    """How many of the last characters may be the mark's first ones."""
    return next((size for size in range(min(len(mark) - 1, len(text)), 0, -1) if text.endswith(mark[:size])), 0)
