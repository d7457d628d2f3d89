"""What is done once the words before it were heard, and what becomes of it if they never are."""

import pytest

from bot.errands import BY_OPERATOR, Errands
from bot.events import ReportTool, ToolRequested, TransferCall


@pytest.fixture
def errands() -> Errands:
    return Errands()


def test_an_errand_is_done_once(errands: Errands):
    errands.waiting = tool = ToolRequested("hang_up")
    assert errands.take() is tool
    assert errands.take() is None


def test_a_voice_that_has_a_name_for_its_request_learns_that_it_was_dropped(errands: Errands):
    errands.waiting = ToolRequested("hang_up", request_id="call_1")
    [report] = errands.drop()
    assert isinstance(report, ReportTool)
    assert (report.request_id, report.wants_reply) == ("call_1", False)
    assert errands.drop() == []


def test_a_voice_without_one_is_not_told(errands: Errands):
    errands.waiting = ToolRequested("hang_up")
    assert errands.drop() == []
    assert errands.waiting is None


@pytest.mark.parametrize(("asked_by", "is_decided"), [(BY_OPERATOR, True), ("", False), ("call_1", False)])
def test_only_what_an_operator_wants_is_not_up_for_discussion(errands: Errands, asked_by: str, is_decided: bool):
    errands.put_through("desk", asked_by)
    assert errands.is_decided is is_decided


def test_a_transfer_is_under_way_until_it_fails(errands: Errands):
    tool = ToolRequested("transfer", {"destination": "desk"}, "call_1")
    assert errands.transfer(tool) == TransferCall("desk")
    assert errands.is_transferring
    assert errands.transfer_failed() is tool
    assert not errands.is_transferring


def test_after_the_last_thing_to_try_nothing_else_is_tried(errands: Errands):
    errands.put_through("desk")
    tool = errands.take()
    assert tool is not None
    errands.transfer(tool)
    assert errands.transfer_failed() is tool
    assert errands.is_transferring
