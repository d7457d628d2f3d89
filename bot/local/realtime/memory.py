"""What the server remembers across sessions: which kind of sentence the responder meant each of its sentences to be.

A client that comes back after a lost connection tells the conversation so far as plain text; a "yes" can only be
understood by whoever knows that "Would you like to leave one?" was an offer.
"""

from collections.abc import Mapping

from bot.speech.links import Say


class Memory:
    def __init__(self, most: int = 1000) -> None:
        """So many sentences, the newest."""
        self._most = most
        self._tags: dict[str, str] = {}

    @property
    def tags(self) -> Mapping[str, str]:
        return self._tags

    def remember(self, say: Say) -> None:
        self._tags.pop(say.text, None)
        self._tags[say.text] = say.tag
        if len(self._tags) > self._most:
            del self._tags[next(iter(self._tags))]
