"""A message that the caller leaves: after the tone, or in the words of a voice that was told it. No I/O.

While one is left a silence must be longer to end what is said, for people think in the midst of a message.
"""

from bot.events import CallerSaid, Command, KeepMessage, ListenPatiently, ToolRequested

TAKE_MESSAGE = "take_message"
"""The tool that asks for one."""
_UNWRITTEN = "(not written down: listen to the recording)"


class Message:
    def __init__(self, hangover_ms: int) -> None:
        """`hangover_ms` is the silence that ends it."""
        self._hangover_ms = hangover_ms
        self._said_ms = (0, 0)
        self.is_being_left = False

    def utterance(self, start_ms: int, end_ms: int) -> None:
        """Where the caller's last words lie on the call's clock."""
        self._said_ms = (start_ms, end_ms)

    def begin(self) -> list[Command]:
        """The tone was heard: what is said next is the message."""
        self.is_being_left = True
        return [ListenPatiently(self._hangover_ms)]

    def end(self) -> list[Command]:
        """The caller says that it is complete."""
        return [ListenPatiently(0)] if self.is_being_left else []

    def drop(self) -> None:
        """Something else is said now."""
        self.is_being_left = False

    def keep(self, said: CallerSaid | None) -> list[Command]:
        """It is complete; where there were no words there is nothing to keep."""
        self.is_being_left = False
        return [*_kept(said), ListenPatiently(None)]

    def keep_late(self, said: CallerSaid) -> list[Command]:
        """The caller hung up on it; what they had said by then is still for somebody to read."""
        return _kept(said) if self.is_being_left else []

    def dictated(self, tool: ToolRequested) -> list[Command]:
        """A voice that converses has asked for the message itself: that one, with who left it. Else nothing."""
        text = tool.arguments.get("message") if tool.name == TAKE_MESSAGE else None
        if not text:
            return []
        details = [tool.arguments.get(name) for name in ("caller_name", "callback_number")]
        return [KeepMessage(" — ".join([text, *(detail for detail in details if detail)]), *self._said_ms)]


def text_of(said: CallerSaid | None) -> str:
    """What is kept of it: somebody must learn of a message although nobody could write it down."""
    if said is None:
        return ""
    return said.text or (_UNWRITTEN if said.is_unwritten else "")


def _kept(said: CallerSaid | None) -> list[Command]:
    text = text_of(said)
    return [KeepMessage(text, said.start_ms, said.end_ms)] if said is not None and text else []
