import json

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


def test_what_is_less_urgent_than_the_level_is_not_printed(capsys):
    logs.configure(LogConfig(level="warning"))
    structlog.get_logger().info("call_connected")
    assert capsys.readouterr().err == ""
