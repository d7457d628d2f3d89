"""`offhook calls`: what an operator sees, and what a hostile caller cannot make them see."""

import asyncio
import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from bot.calllog import export, terminal
from bot.calllog.cli import app, moment
from bot.calllog.records import TimelineEvent
from bot.calllog.store import CallLog
from tests.support.calls import NOON, ended, message, recording, started, turn

HOSTILE = '=HYPERLINK("http://example.com") [red]\x1b[2J\u202e'


def write(url, *records):
    async def run():
        log = await CallLog.open(url)
        for record in records:
            log.write(record)
        await log.close()

    asyncio.run(run())


def offhook(url, *arguments):
    return CliRunner().invoke(app, [*arguments, "--database", url], env={"COLUMNS": "200"})


@pytest.fixture
def empty(tmp_path):
    url = f"sqlite:///{tmp_path}/calls.db"
    write(url)
    return url


@pytest.fixture
def two_calls(empty):
    write(
        empty,
        started("earlier", started_at=NOON - timedelta(days=30), bot="sales"),
        ended("earlier", end_reason="idle"),
        started("later", config={"language": "en"}),
        turn("later", 0, role="caller", kind="speech", text="When are you open?", heard_text=None),
        turn(
            "later", 1, text="We are open from nine to six.", heard_text="We are open", interrupted=True, reply_ms=812,
            endpointing_ms=500, synthesis_ms=90,
        ),
        TimelineEvent("later", 1000, "mark", {"name": "m1"}),
        message("later"),
        recording("later"),
        ended("later", counters={"frames_in": 600}),
    )  # fmt: skip
    return empty


def test_the_list_shows_the_newest_call_first_with_masked_numbers(two_calls):
    shown = offhook(two_calls, "list")
    lines = shown.stdout.splitlines()
    assert shown.exit_code == 0
    assert lines[0].split()[:2] == ["call", "started"]
    assert [line.split()[0] for line in lines[1:]] == ["later", "earlier"]
    assert "+1555•••1111" in lines[1]
    assert "+15550001111" not in shown.stdout
    for word in ("0:12.0", "caller_hung_up", "700 ms", "1 (1 unread)"):
        assert word in lines[1]


def test_full_numbers_are_shown_when_asked_for(two_calls):
    for command in (["list"], ["show", "later"]):
        assert "+15550001111" in offhook(two_calls, *command, "--full-numbers").stdout


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--bot", "sales"], ["earlier"]),
        (["--reason", "caller_hung_up"], ["later"]),
        (["--since", "2026-11-01"], ["later"]),
        (["--until", "2026-11-20T12:00"], ["earlier"]),
        (["--number", "+15550002222", "--limit", "1"], ["later"]),
        (["--number", "1111", "--bot", "sales"], ["earlier"]),
        (["--limit", "1"], ["later"]),
        (["--text", "OPEN whe*"], ["later"]),
        (["--text", "'; DROP TABLE calls"], []),
    ],
)
def test_the_list_can_be_narrowed(two_calls, options, found):
    calls = json.loads(offhook(two_calls, "list", "--format", "json", *options).stdout)
    assert [call["call_id"] for call in calls] == found


def test_a_call_is_shown_with_what_was_heard_and_what_was_not(two_calls):
    shown = offhook(two_calls, "show", "later").stdout
    assert "0:00.0  caller  When are you open?" in shown
    assert "0:01.0  bot     We are open [not heard: from nine to six.]  (interrupted)" in shown
    assert "heard 812 ms after the caller's last sound (endpointing 500, synthesis 90 ms)" in shown
    assert "Please call me back." in shown
    assert "(unread)" in shown
    assert "call-1.wav" in shown
    assert "+15550001111" not in shown


def test_a_call_as_json_is_whole(two_calls):
    call = json.loads(offhook(two_calls, "show", "later", "--format", "json").stdout)
    assert call["turns"][1]["heard_text"] == "We are open"
    assert call["events"] == [{"at_ms": 1000, "kind": "mark", "data": {"name": "m1"}}]
    assert call["messages"][0]["read_at"] is None
    assert call["recordings"][0]["path"] == "call-1.wav"
    assert (call["config"], call["counters"]) == ({"language": "en"}, {"frames_in": 600})
    assert call["started_at"] == "2026-11-20T12:00:00Z"


def test_a_call_as_csv_has_a_line_for_each_turn(two_calls):
    rows = list(csv.DictReader(io.StringIO(offhook(two_calls, "show", "later", "--format", "csv").stdout)))
    assert [(row["index"], row["role"], row["reply_ms"]) for row in rows] == [("0", "caller", ""), ("1", "bot", "812")]


def test_calls_are_exported_whole_or_a_line_each(two_calls, tmp_path):
    lines = offhook(two_calls, "export").stdout.splitlines()
    whole = [json.loads(line) for line in lines]
    assert [(call["call_id"], len(call["turns"])) for call in whole] == [("later", 2), ("earlier", 0)]

    assert json.loads(offhook(two_calls, "export", "--format", "json").stdout) == whole

    out = tmp_path / "calls.csv"
    assert offhook(two_calls, "export", "--format", "csv", "--out", str(out), "--bot", "sales").exit_code == 0
    [row] = csv.DictReader(out.open(newline=""))
    assert (row["call_id"], row["from_number"], row["turns"]) == ("earlier", "+15550001111", "2")


def test_a_file_that_cannot_be_written_is_explained(two_calls, tmp_path):
    shown = offhook(two_calls, "export", "--out", str(tmp_path / "no folder" / "calls.csv"))
    assert (shown.exit_code, shown.stderr.startswith("cannot write")) == (1, True)


def test_an_empty_call_log_says_how_to_get_a_call(empty):
    for command in (["list"], ["export"]):
        shown = offhook(empty, *command)
        assert (shown.exit_code, shown.stdout) == (1, "")
        assert "holds no calls yet" in shown.stderr


def test_an_empty_list_is_still_json_and_csv(empty):
    assert json.loads(offhook(empty, "list", "--format", "json").stdout) == []
    assert offhook(empty, "list", "--format", "csv").stdout.startswith("call_id,")


def test_filters_that_no_call_fits_are_named_as_the_reason(two_calls):
    shown = offhook(two_calls, "list", "--bot", "nobody")
    assert (shown.exit_code, "leave out a filter" in shown.stderr) == (1, True)


def test_a_call_that_is_not_there_says_where_to_look(two_calls):
    shown = offhook(two_calls, "show", "nobody")
    assert (shown.exit_code, "offhook calls list" in shown.stderr) == (1, True)


def test_a_missing_call_log_is_explained(tmp_path):
    shown = offhook(f"sqlite:///{tmp_path}/none.db", "list")
    assert (shown.exit_code, "there is no call log at" in shown.stderr) == (1, True)


def test_the_environment_names_the_call_log(two_calls):
    shown = CliRunner().invoke(app, ["list"], env={"OFFHOOK_STORAGE_DATABASE": two_calls, "COLUMNS": "200"})
    assert "later" in shown.stdout


def test_a_caller_cannot_write_to_the_operators_terminal(empty):
    write(
        empty, started(from_number=HOSTILE, bot=HOSTILE), turn(text=HOSTILE, heard_text=HOSTILE), message(text=HOSTILE)
    )
    for command in (["list"], ["show", "call-1"]):
        shown = offhook(empty, *command, "--full-numbers").stdout
        assert "[red]" in shown
        assert not {"\x1b", "\u202e"} & set(shown)


def test_a_caller_cannot_put_a_formula_into_an_export(empty):
    write(empty, started(from_number=HOSTILE), ended(end_reason="@SUM(1)"))
    [row] = csv.DictReader(io.StringIO(offhook(empty, "export", "--format", "csv").stdout))
    assert row["from_number"] == "'" + HOSTILE
    assert row["end_reason"] == "'@SUM(1)"


@given(st.lists(st.text() | st.sampled_from(["=1", " =1", "-1", "+1-1", "@x", "\t=1", "+15550002222"]), min_size=1))
def test_every_cell_is_itself_or_has_an_apostrophe_before_a_formula(cells):
    # A lone "" is written as an empty line's two quotes and read back the same.
    [read] = csv.reader(io.StringIO(export.csv_line(cells), newline=""))
    for before, after in zip(cells, read, strict=True):
        assert after in (before, "'" + before)
        is_number = after[1:].isdigit() and after.isascii()
        assert not after.lstrip().startswith(("=", "+", "-", "@")) or is_number


@given(st.text())
def test_nothing_printable_controls_a_terminal(text):
    shown = terminal.printable(text)
    assert len(shown) == len(text)
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in shown)


def test_a_time_is_utc_unless_it_says_otherwise():
    assert moment("2026-11-20") == datetime(2026, 11, 20, tzinfo=UTC)
    assert moment("2026-11-20T10:30+02:00") == datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
    assert timedelta(hours=23, minutes=59) < datetime.now(UTC) - moment("24h") < timedelta(hours=24, minutes=1)


def test_a_time_that_is_none_is_refused(two_calls):
    shown = offhook(two_calls, "list", "--since", "yesterday")
    assert (shown.exit_code, "is no time" in shown.stderr) == (2, True)
