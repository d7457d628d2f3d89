"""What a barge-in left behind, until it is known whether the caller meant it.

A cough, a knock or an "uh-huh" takes no turn: what it cut goes on from where the ear was. Words do, and then this is
let go.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bot.events import ToolRequested
from bot.reply import ReplyText
from bot.turn import is_backchannel
from media.playout import Cut


@dataclass(frozen=True, slots=True)
class Rest:
    """The part of one reply that the ear never had."""

    reply_id: str
    text: str
    tag: str
    unheard: bytes


@dataclass(frozen=True, slots=True)
class Interruption:
    cuts: Sequence[Cut] = ()
    texts: Mapping[str, ReplyText] = field(default_factory=dict)
    unfinished: str | None = None  # the reply that was still being made
    tool: ToolRequested | None = None  # what was to be done after those words

    def is_meant(self, text: str) -> bool:
        """Whether the caller's words want the floor, or at least an answer to the question they fell into."""
        return bool(text) and (not self.cuts or self._was_question or not is_backchannel(text))

    def rests(self) -> Iterator[Rest]:
        for cut in self.cuts:
            if (reply := self.texts.get(cut.reply_id)) is not None:
                heard = reply.heard(cut.position.heard_ms)
                yield Rest(cut.reply_id, reply.text.removeprefix(heard).strip(), reply.tag, cut.unheard)

    @property
    def was_unheard(self) -> bool:
        """Whether an answer was cut before a word of it reached the ear: its question still waits."""
        return any(
            reply.kind == "reply" and not reply.heard(cut.position.heard_ms)
            for cut in self.cuts
            if (reply := self.texts.get(cut.reply_id)) is not None
        )

    @property
    def _was_question(self) -> bool:
        return any(reply.text.rstrip().endswith("?") for reply in self.texts.values())
