"""The documents say what the code does, no more and no less."""

import re
from pathlib import Path

import msgspec

from bot.config import settings
from bot.events import EndReason
from bot.metrics import Metrics
from bot.turn import TRANSITIONS

ROOT = Path(__file__).parent.parent
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()


def first_columns(heading: str) -> list[str]:
    """What stands in the first column of the table whose heading this is."""
    rows = OPERATIONS.partition(heading)[2].lstrip().splitlines()
    names = []
    for row in rows[1:]:  # below the line of dashes
        if not row.startswith("|"):
            break
        names.append(row.split("|")[1].strip().strip("`"))
    return names


def test_every_setting_is_documented_with_its_default():
    rows = re.findall(r"^\| `([\w.\[\]]+)` \| (must be given|`.*?`) \| \S.* \|$", OPERATIONS, re.MULTILINE)
    documented = {name: default.strip("`") for name, default in rows}
    expected = {
        path: "must be given" if default is msgspec.NODEFAULT else msgspec.json.encode(default).decode()
        for path, default in settings()
    }
    assert documented == expected


def test_every_metric_is_documented():
    exposed = re.findall(r"^# HELP (offhook_\w+)", Metrics().exposition().decode(), re.MULTILINE)
    assert first_columns("| metric | meaning |") == [name for name in exposed if not name.endswith("_created")]


def test_every_end_reason_is_documented():
    assert first_columns("| end reason | what happened |") == [reason.value for reason in EndReason]


def test_the_turn_table_is_drawn_as_it_is():
    drawn = re.findall(r"^\s*(\w+) --> (\w+): (\w+)$", ARCHITECTURE, re.MULTILINE)
    table = [(before.name, after.name, event.__name__) for (before, event), after in TRANSITIONS.items()]
    assert drawn == table


def test_the_readme_names_files_and_commands_that_exist():
    readme = (ROOT / "README.md").read_text()
    for path in re.findall(r"\]\(([\w./-]+)\)", readme):
        assert (ROOT / path).exists(), path
    for path in re.findall(r"python (benchmarks/\w+\.py)", readme):
        assert (ROOT / path).is_file(), path
