"""A call on the terminal, line by line as it happens, from the records it leaves."""

from rich.console import Console
from rich.markup import escape

from bot.calllog.records import CallEnded, MessageTaken, Record, RecordingWritten, TurnRecord

_WHY = {
    "caller_hung_up": "the caller hung up",
    "bot_hung_up": "the bot hung up, after its last words were heard",
    "idle": "nobody said anything",
    "max_duration": "the call reached its longest length",
    "voice_failed": "an engine failed",
    "carrier_error": "the carrier's stream made no sense",
    "drained": "the service was stopped",
    "server_error": "an error in the service",
    "transferred": "the caller was put through to somebody",
}


class CallPrinter:
    """Prints what the caller said, and what of each reply was heard, with the delays that people notice."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._recording = ""
        self._told: set[int] = set()

    def __call__(self, record: Record) -> None:
        match record:
            case TurnRecord(role="caller", ended_ms=int(), text=text, started_ms=at_ms):
                self._line(at_ms, "caller", escape(text))
            case TurnRecord(role="bot", ended_ms=int(), kind=kind, index=index) if kind != "tone":
                if index not in self._told:  # what was heard of it is known more exactly a moment later
                    self._told.add(index)
                    self._bot_turn(record)
            case MessageTaken(text=text, at_ms=at_ms):
                self._line(at_ms, "", f"[green]message taken: {escape(text)}[/]")
            case RecordingWritten(path=path, duration_ms=duration_ms) if duration_ms:
                self._recording = path
            case CallEnded():
                self._end(record)

    def _bot_turn(self, turn: TurnRecord) -> None:
        heard = turn.heard_text or ""
        unheard = turn.text.removeprefix(heard).strip()
        words = escape(heard) + (f" [dim]not heard: [strike]{escape(unheard)}[/strike][/dim]" if unheard else "")
        delay = "" if turn.reply_ms is None else f"  [cyan]answered after {turn.reply_ms} ms[/]"
        self._line(turn.started_ms, "bot", words + delay)
        if turn.interrupted and turn.ended_ms is not None:
            self._line(turn.ended_ms, "", "[yellow]the caller spoke over it: silenced[/]")

    def _end(self, call: CallEnded) -> None:
        self._console.print(f"\n{_WHY.get(call.end_reason, call.end_reason).capitalize()}.", highlight=False)
        if call.reply_p50_ms is not None:
            self._console.print(
                f"Reply delay, from the caller's last sound to the first one in their ear: "
                f"median {call.reply_p50_ms} ms, 95 in 100 within {call.reply_p95_ms} ms."
            )
        if self._recording:
            self._console.print(f"Recording (caller left, bot as heard right): {escape(self._recording)}")

    def _line(self, at_ms: int, who: str, words: str) -> None:
        self._console.print(f"[dim]{at_ms / 1000:7.2f}[/]  [bold]{who:<6}[/]  {words}", highlight=False)
