"""What the call does for its voice, or for whoever watches, once the words before it were heard. No I/O.

An errand *waits* for those words, and is dropped where the caller speaks into them. Of a transfer it is remembered who
asked for it, since it is over only when the caller is gone, or when the carrier could not take them anywhere.
"""

from bot.events import Command, ReportTool, ToolRequested, TransferCall
from bot.message import TAKE_MESSAGE

BY_OPERATOR = "operator"
"""Who asked for a transfer that no voice did."""


class Errands:
    def __init__(self) -> None:
        self.waiting: ToolRequested | None = None
        self._transfer: ToolRequested | None = None  # asked of the carrier

    @property
    def is_transferring(self) -> bool:
        return self._transfer is not None

    @property
    def is_decided(self) -> bool:
        """Whether an operator wants it, so that the caller cannot talk it down."""
        return self.waiting is not None and self.waiting.request_id == BY_OPERATOR

    @property
    def is_message(self) -> bool:
        return self.waiting is not None and self.waiting.name == TAKE_MESSAGE

    def put_through(self, destination: str, asked_by: str = "") -> None:
        """The caller is to be handed over; if nobody asked for it, it is the last thing to try."""
        self.waiting = ToolRequested("transfer", {"destination": destination}, asked_by)

    def take(self) -> ToolRequested | None:
        """The words before it were heard."""
        tool, self.waiting = self.waiting, None
        return tool

    def drop(self) -> list[Command]:
        """The caller speaks on, so nobody hangs up on them or hands them over; a voice that asked for it is told."""
        tool = self.take()
        if tool is None or not tool.request_id:
            return []
        return [ReportTool("", tool.name, "not done: the caller went on speaking", tool.request_id, wants_reply=False)]

    def transfer(self, tool: ToolRequested) -> Command:
        self._transfer = tool
        return TransferCall(tool.arguments.get("destination", ""))

    def transfer_failed(self) -> ToolRequested | None:
        """The transfer that came to nothing. One that was the last thing to try is not taken back."""
        tool = self._transfer
        if tool is not None and tool.request_id:
            self._transfer = None
        return tool
