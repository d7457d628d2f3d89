"""What was said in answers with audio, kept for the next turn, which names an answer by its id alone. No clock in here.

OpenAI keeps an answer's audio for about an hour; after that the transcript has to be sent instead. So it is here,
except that the words are enough for us: it is they that the conversation goes on from.
"""

import secrets
from collections import OrderedDict
from dataclasses import dataclass

KEPT_S = 3600
MOST_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class SpokenReply:
    id: str
    text: str
    expires_at: int  # seconds since 1970, as on the wire


class SpokenReplies:
    def __init__(self) -> None:
        self._replies: OrderedDict[str, SpokenReply] = OrderedDict()

    def new_id(self) -> str:
        return f"audio_{secrets.token_hex(16)}"

    def keep(self, audio_id: str, text: str, now: float) -> SpokenReply:
        """`now` is seconds since 1970. The oldest are forgotten when there are too many."""
        reply = SpokenReply(audio_id, text, int(now) + KEPT_S)
        self._replies[audio_id] = reply
        while len(self._replies) > MOST_KEPT or next(iter(self._replies.values())).expires_at <= now:
            self._replies.popitem(last=False)
        return reply

    def find(self, audio_id: str, now: float) -> SpokenReply | None:
        """None for an answer that was never given, or too long ago."""
        reply = self._replies.get(audio_id)
        return reply if reply is not None and now < reply.expires_at else None
