"""The documents say what the code does, no more and no less."""

import ast
import re
from pathlib import Path
from typing import Any

import msgspec
import typer

from bot.__main__ import app
from bot.config import settings
from bot.events import EndReason
from bot.metrics import Metrics
from bot.turn import TRANSITIONS

ROOT = Path(__file__).parent.parent
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()


PARTS = ["Context", "Decision", "Price", "Measurement", "What would change our mind"]
SETTINGS = "| setting | default | meaning |"


def command_names(group: Any) -> list[str]:
    """Every command in a group, as it is typed."""
    return [
        f"{name} {inner}".strip()
        for name, command in group.commands.items()
        for inner in (command_names(command) if hasattr(command, "commands") else [""])
    ]


def rows_below(heading: str) -> list[list[str]]:
    """The cells of the table in docs/operations.md whose heading this is, row by row."""
    assert OPERATIONS.count(heading) == 1
    rows = []
    for line in OPERATIONS.partition(heading)[2].lstrip().splitlines()[1:]:  # below the line of dashes
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def first_columns(heading: str) -> list[str]:
    return [row[0].strip("`") for row in rows_below(heading)]


def explanations() -> set[tuple[str, str]]:
    """Every field in bot/config.py with the string that stands below it."""
    tree = ast.parse((ROOT / "bot" / "config.py").read_text())
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return {
        (field.target.id, text.value.value)
        for section in classes
        for field, text in zip(section.body, section.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
    }


def test_every_setting_is_documented_with_its_default():
    documented = [(name.strip("`"), default.strip("`")) for name, default, _ in rows_below(SETTINGS)]
    assert documented == [
        (path, "must be given" if default is msgspec.NODEFAULT else msgspec.json.encode(default).decode())
        for path, default in settings()
    ]


def test_a_setting_means_the_same_in_the_document_and_in_the_code():
    documented = {(name.strip("`").rpartition(".")[2], meaning) for name, _, meaning in rows_below(SETTINGS)}
    assert documented <= explanations()


def test_every_metric_is_documented():
    exposed = re.findall(r"^# HELP (offhook_\w+)", Metrics().exposition().decode(), re.MULTILINE)
    assert first_columns("| metric | meaning |") == [name for name in exposed if not name.endswith("_created")]


def test_every_end_reason_is_documented():
    assert first_columns("| end reason | what happened |") == [reason.value for reason in EndReason]


def test_alerts_are_on_events_that_something_logs():
    logged = {
        event
        for path in (ROOT / "bot").rglob("*.py")
        for event in re.findall(r"log\.\w+\(\s*\"(\w+)\"", path.read_text())
    }
    assert set(first_columns("| log event | what to do |")) <= logged


def test_every_command_is_documented():
    typed = first_columns("| command | what it does |")
    commands = {command.removeprefix("offhook ").removesuffix(" CALL_ID") for command in typed}
    assert commands == set(command_names(typer.main.get_command(app)))


def test_the_turn_table_is_drawn_as_it_is():
    drawn = re.findall(r"^\s*(\w+) --> (\w+): (\w+)$", ARCHITECTURE, re.MULTILINE)
    table = [(before.name, after.name, event.__name__) for (before, event), after in TRANSITIONS.items()]
    assert drawn == table


def test_decisions_say_why_and_what_would_change_them():
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [page.name[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    for page in pages:
        parts = re.findall(r"^\*\*([\w ]+)\.\*\*", page.read_text(), re.MULTILINE)
        assert parts == PARTS or page.stem == "0012-where-the-design-was-left", page.name


def test_documents_name_files_that_exist():
    named = r"`((?:bot|media|tests|benchmarks|docs)/[\w./-]+\.(?:py|md|toml))"
    for document in (ROOT / "docs").rglob("*.md"):
        for path in re.findall(named, document.read_text()):
            assert (ROOT / path).is_file(), f"{document.name} names {path}"


def test_the_readme_names_files_and_commands_that_exist():
    readme = (ROOT / "README.md").read_text()
    for path in re.findall(r"\]\(([\w./-]+)\)", readme):
        assert (ROOT / path).exists(), path
    for path in re.findall(r"python (benchmarks/\w+\.py)", readme):
        assert (ROOT / path).is_file(), path
