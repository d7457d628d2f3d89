"""`offhook doctor`: looks at everything that answering calls needs, and says what is wrong and what to do."""

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot.config import load
from bot.doctor.examination import examine
from bot.doctor.findings import AREAS, Finding, Report
from bot.doctor.machine import sample_finding
from bot.errors import ConfigError
from bot.serving import completed

_MARKS = {"ok": "[green]✓[/]", "warning": "[yellow]![/]", "problem": "[red]✗[/]"}
PIPE_WIDTH = 160


def doctor(
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", envvar="OFFHOOK_CONFIG", help="The TOML file; none: defaults."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Check the settings: carrier, engines, storage, network. Changes nothing; exits 1 if something is wrong."""
    report = _report(config)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(_answer(report))).decode())
    else:
        _print(report)
    if report.problems:
        sys.exit(1)


def _report(path: Path | None) -> Report:
    try:
        config = load(path, os.environ)
    except ConfigError as exc:
        return Report(
            at=datetime.now(UTC),
            findings=[Finding("configuration", _where(path), "problem", str(exc), "correct that first")],
        )
    report = asyncio.run(examine(completed(config)))
    found = [Finding("configuration", _where(path), "ok", "every setting is known and makes sense")]
    if not config.bots:
        found.append(sample_finding())
    return msgspec.structs.replace(report, findings=[*found, *report.findings])


def _where(path: Path | None) -> str:
    return "defaults and environment" if path is None else str(path)


def _answer(report: Report) -> dict[str, object]:
    return {
        "at": report.at,
        "problems": report.problems,
        "warnings": report.warnings,
        "findings": report.findings,
    }


def _print(report: Report) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    table = Table(box=None, show_header=False, padding=(0, 1))
    table.add_column(width=1)
    table.add_column(style="dim")
    table.add_column(overflow="fold", ratio=1)
    for area in AREAS:
        for finding in report.of(area):
            remedy = f"\n[dim]→ {escape(finding.remedy)}[/]" if finding.remedy else ""
            table.add_row(_MARKS[finding.level], finding.area, escape(finding.says) + remedy)
    console.print(table)
    console.print(_summary(report))


def _summary(report: Report) -> str:
    if not report.problems and not report.warnings:
        return "[green]All is well.[/]"
    counted = [(report.problems, "problem", "red"), (report.warnings, "warning", "yellow")]
    return ", ".join(f"[{colour}]{n} {name}{'' if n == 1 else 's'}[/]" for n, name, colour in counted if n) + "."
