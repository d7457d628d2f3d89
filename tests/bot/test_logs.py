import json
import logging
from pathlib import Path

import pytest
import structlog

from bot import logs
from bot.config import LogConfig


@pytest.fixture(autouse=True)
def _restore():
    yield
    structlog.reset_defaults()


def crash() -> None:
    secret = "+15550001111"
    raise ValueError(f"a bug, not to do with {len(secret)}")


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_crash_is_logged_without_the_values_of_variables(form, capsys):
    logs.configure(LogConfig(format=form))
    try:
        crash()
    except ValueError:
        structlog.get_logger().exception("call_crashed")
    printed = capsys.readouterr().err
    assert "call_crashed" in printed
    assert "ValueError: a bug" in printed
    assert "'+15550001111'" not in printed


def test_json_lines_are_one_object_each_with_the_event_and_its_keys(capsys):
    logs.configure(LogConfig(format="json"))
    with structlog.contextvars.bound_contextvars(call_id="c1"):
        structlog.get_logger().info("call_connected", bot="reception")
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["bot"], line["call_id"], line["level"]) == ("call_connected", "reception", "c1", "info")


LEVELS = ["debug", "info", "warning", "error"]


@pytest.mark.parametrize("level", LEVELS)
def test_only_what_is_as_urgent_as_the_level_is_printed(level, capsys):
    logs.configure(LogConfig(format="json", level=level))
    for urgency in LEVELS:
        getattr(structlog.get_logger(), urgency)("something")
    printed = [json.loads(line)["level"] for line in capsys.readouterr().err.splitlines()]
    assert printed == LEVELS[LEVELS.index(level) :]


def test_a_crash_is_still_one_line_of_json(capsys):
    logs.configure(LogConfig(format="json"))
    try:
        crash()
    except ValueError:
        structlog.get_logger().exception("call_crashed")
    [line] = capsys.readouterr().err.splitlines()
    assert "ValueError: a bug" in json.loads(line)["exception"]


def test_what_json_cannot_hold_is_logged_all_the_same(capsys):
    logs.configure(LogConfig(format="json"))
    structlog.get_logger().info("call_connected", path=Path("here"))
    assert "here" in json.loads(capsys.readouterr().err)["path"]


@pytest.fixture
def configure_anew(monkeypatch):
    """Configure with the root logger as a new process has it, without the handlers of pytest."""
    root = logging.getLogger()
    level = root.level

    def configure(config: LogConfig) -> None:
        monkeypatch.setattr(root, "handlers", [])
        logs.configure(config)

    yield configure
    root.setLevel(level)


def test_a_librarys_warning_looks_like_our_own_lines(configure_anew, capsys):
    configure_anew(LogConfig(format="json"))
    logging.getLogger("some.library").info("of no interest")
    try:
        crash()
    except ValueError:
        logging.getLogger("some.library").exception("it went %s", "wrong")
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["level"], line["logger"]) == ("it went wrong", "error", "some.library")
    assert "ValueError: a bug" in line["exception"]


def test_a_librarys_lines_obey_the_level_too(configure_anew, capsys):
    configure_anew(LogConfig(format="json", level="error"))
    logging.getLogger("some.library").warning("of no interest")
    logging.getLogger("some.library").error("of interest")
    assert json.loads(capsys.readouterr().err)["event"] == "of interest"
