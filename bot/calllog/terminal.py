"""Calls as a person reads them in a terminal.

Whatever callers and carriers sent is shown as text: no markup, and no control or direction character reaches the
terminal, which would obey it.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bot.calllog.detail import CallDetail, CallSummary, StoredMessage
from bot.calllog.records import RecordingWritten, TurnRecord
from bot.privacy import mask_number

_DELAYS = ("endpointing", "transcription", "response", "synthesis")
_REORDERING = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})  # Unicode annex 9


def printable(text: str) -> str:
    """The text on one line, with what a terminal would obey shown as U+FFFD."""
    return "".join(" " if c in "\t\r\n" else "\ufffd" if _is_obeyed(c) else c for c in text)


def _is_obeyed(character: str) -> bool:
    """Control codes, and the marks that reorder what follows them."""
    return unicodedata.category(character) in ("Cc", "Cs") or unicodedata.bidirectional(character) in _REORDERING


def call_table(page: Sequence[CallSummary], *, full_numbers: bool) -> RenderableType:
    """One line a call, newest first."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("call", "started (UTC)", "from", "to", "bot"):
        table.add_column(name, no_wrap=name in ("call", "started (UTC)"), overflow="fold")
    for name in ("length", "turns", "cut off", "reply p50"):
        table.add_column(name, justify="right")
    for name in ("end", "messages"):
        table.add_column(name, overflow="fold")
    for call in page:
        table.add_row(*_cells(call, full_numbers=full_numbers))
    return table


def _cells(call: CallSummary, *, full_numbers: bool) -> Iterator[Text]:
    yield Text(printable(call.call_id))
    yield Text(f"{call.started_at:%Y-%m-%d %H:%M:%S}")
    yield Text(_number(call.from_number, full_numbers=full_numbers))
    yield Text(_number(call.to_number, full_numbers=full_numbers))
    yield Text(printable(call.bot))
    yield Text("" if call.duration_ms is None else clock(call.duration_ms))
    yield Text(_count(call.turns))
    yield Text(_count(call.interruptions))
    yield Text(_ms(call.reply_p50_ms))
    yield Text("live", style="green") if call.ended_at is None else Text(printable(call.end_reason or ""))
    yield Text(_messages(call))


def call_page(detail: CallDetail, *, full_numbers: bool) -> RenderableType:
    """One call: its facts, what was said and how much of it was heard, what was left behind."""
    parts: list[RenderableType] = [_facts(detail, full_numbers=full_numbers), Text(""), _conversation(detail.turns)]
    if detail.messages:
        parts += [Text("\nMessages", style="bold"), *_message_lines(detail.messages, full_numbers=full_numbers)]
    if detail.recordings:
        parts += [Text("\nRecordings", style="bold"), *_recording_lines(detail.recordings)]
    return Group(*parts)


def _facts(detail: CallDetail, *, full_numbers: bool) -> RenderableType:
    call = detail.call
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    caller = _number(call.from_number, full_numbers=full_numbers)
    called = _number(call.to_number, full_numbers=full_numbers)
    table.add_row("call", Text(printable(f"{call.call_id} ({call.carrier} {call.carrier_call_id})")))
    table.add_row("from", Text(f"{caller} to {called}, answered by {printable(call.bot)}"))
    table.add_row("started", Text(f"{call.started_at:%Y-%m-%d %H:%M:%S} UTC"))
    table.add_row("ended", Text(_ending(call)))
    if call.reply_p50_ms is not None:
        table.add_row("replies", Text(f"p50 {_ms(call.reply_p50_ms)}, p95 {_ms(call.reply_p95_ms)}"))
    if detail.counters:
        table.add_row("counted", Text(printable(", ".join(f"{name} {n}" for name, n in detail.counters.items()))))
    table.add_row("events", Text(f"{len(detail.events)} on the timeline (--format json shows them)"))
    return table


def _ending(call: CallSummary) -> str:
    if call.ended_at is None:
        return "not yet: the call is live"
    return f"after {clock(call.duration_ms or 0)}: {printable(call.end_reason or 'no reason given')}"


def _conversation(turns: Sequence[TurnRecord]) -> RenderableType:
    if not turns:
        return Text("Nobody said anything.", style="dim")
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", style="dim", no_wrap=True)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for turn in turns:
        table.add_row(clock(turn.started_ms), turn.role, _said(turn))
        if delays := _delays(turn):
            table.add_row("", "", Text(delays, style="dim"))
    return table


def _said(turn: TurnRecord) -> Text:
    """What was heard as it is; what was generated and never heard struck out and in brackets."""
    heard = turn.text if turn.heard_text is None else turn.heard_text
    unheard = turn.text[len(heard) :] if turn.text.startswith(heard) else turn.text
    said = Text(printable(heard).strip())
    if unheard.strip() and turn.heard_text is not None:
        said.append(" " if said else "").append("[not heard: ", style="dim")
        said.append(printable(unheard).strip(), style="dim strike").append("]", style="dim")
    if turn.interrupted:
        said.append("  (interrupted)", style="yellow")
    if turn.kind not in ("speech", "reply"):
        said.append(f"  ({printable(turn.kind)})", style="dim")
    return said


def _delays(turn: TurnRecord) -> str:
    parts = [(name, getattr(turn, f"{name}_ms")) for name in _DELAYS]
    known = ", ".join(f"{name} {ms}" for name, ms in parts if ms is not None)
    reply = "" if turn.reply_ms is None else f"heard {turn.reply_ms} ms after the caller's last sound"
    return f"{reply} ({known} ms)" if reply and known else reply or (f"{known} ms" if known else "")


def _message_lines(messages: Iterable[StoredMessage], *, full_numbers: bool) -> Iterator[RenderableType]:
    for message in messages:
        state = "unread" if message.read_at is None else f"read {message.read_at:%Y-%m-%d %H:%M} UTC"
        caller = _number(message.from_number, full_numbers=full_numbers)
        head = f"{clock(message.at_ms)}, {clock(message.duration_ms)} long, from {caller} ({state})"
        yield Text(head, style="dim")
        yield Text("  " + printable(message.text))


def _recording_lines(recordings: Iterable[RecordingWritten]) -> Iterator[RenderableType]:
    for recording in recordings:
        yield Text(printable(recording.path))
        shape = f"{recording.format}, {recording.rate_hz} Hz, {recording.channels} channels"
        size = f"{clock(recording.duration_ms)}, {recording.size_bytes:,} bytes"
        yield Text(f"  {shape}, {size}", style="dim")


def clock(ms: int) -> str:
    """Minutes, seconds and tenths, as on a player: `1:02.5`."""
    tenths = ms // 100
    return f"{tenths // 600}:{tenths // 10 % 60:02d}.{tenths % 10}"


def _number(number: str, *, full_numbers: bool) -> str:
    return printable(number if full_numbers else mask_number(number))


def _ms(value: int | None) -> str:
    return "" if value is None else f"{value} ms"


def _count(value: int | None) -> str:
    return "" if value is None else str(value)


def _messages(call: CallSummary) -> str:
    if not call.messages:
        return ""
    return f"{call.messages} ({call.unread_messages} unread)" if call.unread_messages else str(call.messages)
