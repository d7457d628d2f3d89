"""`offhook calls`: list, show and export what the call log holds. It reads only, also beside a running service."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.console import Console, RenderableType

from bot.calllog import export, terminal
from bot.calllog.detail import CallSummary
from bot.calllog.filters import CallFilter
from bot.calllog.reader import CallReader
from bot.config import StorageConfig
from bot.errors import StoreError

app = typer.Typer(name="calls", help="Look at past and present calls.", no_args_is_help=True)

PIPE_WIDTH = 200  # what rich takes for the width of a pipe, 80, would fold every line
PROGRESS_EVERY = 100
_AGO = re.compile(r"(\d+)([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class ExportFormat(StrEnum):
    JSONL = "jsonl"
    CSV = "csv"
    JSON = "json"


def moment(text: str) -> datetime:
    """A time in UTC unless it names its zone (`2026-11-20`, `2026-11-20T10:30`), or how long ago (`24h`, `7d`)."""
    if ago := _AGO.fullmatch(text):
        return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        time = datetime.fromisoformat(text)
    except ValueError as exc:
        raise typer.BadParameter(f"{text!r} is no time: write 2026-11-20, 2026-11-20T10:30, or 24h or 7d ago") from exc
    return time if time.tzinfo else time.replace(tzinfo=UTC)


Database = Annotated[
    str | None,
    typer.Option(metavar="URL", help="The call log; else OFFHOOK_STORAGE_DATABASE, else data/offhook.db here."),
]
Bot = Annotated[str | None, typer.Option(help="Only calls that this bot answered.")]
Since = Annotated[
    datetime | None,
    typer.Option(parser=moment, metavar="TIME", help="Only calls since: 2026-11-20T10:30 (UTC), 24h, 7d."),
]
Until = Annotated[datetime | None, typer.Option(parser=moment, metavar="TIME", help="Only calls before this time.")]
Reason = Annotated[str | None, typer.Option(help="Only calls that ended for this reason.")]
Number = Annotated[str | None, typer.Option(help="Only calls from or to +15550002222, or to a number with 2222 in it.")]
Text = Annotated[str | None, typer.Option(help='Only calls in which this was said: words, "phrases", begin*.')]
FullNumbers = Annotated[bool, typer.Option("--full-numbers", help="Do not mask telephone numbers in the table.")]


def database_url(option: str | None) -> str:
    """Which call log is meant."""
    return option or os.environ.get("OFFHOOK_STORAGE_DATABASE") or StorageConfig().database


@app.command("list")
def list_(
    database: Database = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many calls, the newest.")] = 20,
    bot: Bot = None,
    since: Since = None,
    until: Until = None,
    reason: Reason = None,
    number: Number = None,
    text: Text = None,
    format_: Annotated[Format, typer.Option("--format")] = Format.TABLE,
    full_numbers: FullNumbers = False,
) -> None:
    """List calls, the newest first."""
    filters = _filters(bot, since, until, reason, number, text)

    async def run(reader: CallReader) -> None:
        page = await reader.list_calls(filters, limit)
        match format_:
            case Format.TABLE if page:
                _print(terminal.call_table(page, full_numbers=full_numbers))
            case Format.JSON:
                await _write(export.json_array(_each(page)), sys.stdout)
            case Format.CSV:
                await _write(export.csv_lines(_each(page)), sys.stdout)
        if not page:
            raise StoreError(_nothing_found(filters))

    _read(database, run)


@app.command()
def show(
    call_id: Annotated[str, typer.Argument(help="The call's id, as `offhook calls list` shows it.")],
    database: Database = None,
    format_: Annotated[Format, typer.Option("--format", help="csv has a line for each turn.")] = Format.TABLE,
    full_numbers: FullNumbers = False,
) -> None:
    """Show one call: what was said, what was heard of it, how long it took, what was left behind."""

    async def run(reader: CallReader) -> None:
        detail = await reader.get_call(call_id)
        if detail is None:
            raise StoreError(f"there is no call {terminal.printable(call_id)!r}: `offhook calls list` shows the calls")
        match format_:
            case Format.TABLE:
                _print(terminal.call_page(detail, full_numbers=full_numbers))
            case Format.JSON:
                sys.stdout.write(export.json_call(detail) + "\n")
            case Format.CSV:
                sys.stdout.write(export.csv_turns(detail))

    _read(database, run)


@app.command("export")
def export_(
    database: Database = None,
    format_: Annotated[
        ExportFormat, typer.Option("--format", help="jsonl and json hold calls whole; csv has a line for each call.")
    ] = ExportFormat.JSONL,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write here, not to the terminal.")] = None,
    bot: Bot = None,
    since: Since = None,
    until: Until = None,
    reason: Reason = None,
    number: Number = None,
    text: Text = None,
) -> None:
    """Write all calls, or those that are meant, for another program. Telephone numbers are written in full."""
    filters = _filters(bot, since, until, reason, number, text)

    async def run(reader: CallReader) -> None:
        if not await reader.list_calls(filters, limit=1):
            raise StoreError(_nothing_found(filters))
        if out is None:
            await _write(_exported(reader, filters, format_), sys.stdout)
            return
        try:
            with out.open("w", encoding="utf-8", newline="") as file:
                await _write(_exported(reader, filters, format_), file, progress_to=out)
        except OSError as exc:
            raise StoreError(f"cannot write {out}: {exc.strerror}") from exc

    _read(database, run)


def _filters(
    bot: str | None,
    since: datetime | None,
    until: datetime | None,
    reason: str | None,
    number: str | None,
    text: str | None,
) -> CallFilter:
    is_whole = number is not None and number.startswith(("+", "sip:", "sips:"))
    return CallFilter(
        bot=bot,
        since=since,
        until=until,
        end_reason=reason,
        number=number if is_whole else None,
        number_part=None if is_whole else number,
        text=text,
    )


def _exported(reader: CallReader, filters: CallFilter, format_: ExportFormat) -> AsyncIterator[str]:
    match format_:
        case ExportFormat.JSONL:
            return export.json_lines(reader.iter_details(filters))
        case ExportFormat.JSON:
            return export.json_array(reader.iter_details(filters))
        case ExportFormat.CSV:
            return export.csv_lines(reader.iter_calls(filters))


def _read(database: str | None, run: Callable[[CallReader], Awaitable[None]]) -> None:
    """Open the call log, read, close; what goes wrong is said on the error output, with exit code 1."""

    async def main() -> None:
        reader = await CallReader.open(database_url(database))
        try:
            await run(reader)
        finally:
            await reader.close()

    try:
        asyncio.run(main())
    except StoreError as exc:
        typer.echo(str(exc), err=True)
        raise typer.Exit(1) from exc


async def _write(pieces: AsyncIterator[str], file: TextIO, progress_to: Path | None = None) -> None:
    """Write piece by piece; on a terminal, say beside it how far we are."""
    with Console(stderr=True).status("reading the call log") if progress_to else nullcontext() as status:
        done = 0
        async for piece in pieces:
            file.write(piece)
            done += 1
            if status is not None and done % PROGRESS_EVERY == 0:
                status.update(f"{done:,} calls in {progress_to}")


async def _each(page: Iterable[CallSummary]) -> AsyncIterator[CallSummary]:
    for call in page:
        yield call


def _print(what: RenderableType) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=PIPE_WIDTH)
    console.print(what)


def _nothing_found(filters: CallFilter) -> str:
    if filters == CallFilter():
        return "the call log holds no calls yet: `offhook demo` places one, and so does `offhook call`"
    return "no call is like that: leave out a filter, or look at all with `offhook calls list`"
