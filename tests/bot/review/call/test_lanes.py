"""Lanes under the waveform, and the list of everything that happened."""

from typing import Any

from bot.calllog.detail import CallDetail, CallSummary, StoredMessage
from bot.calllog.records import TimelineEvent, TurnRecord
from bot.review.call.happenings import everything, facts_of, lines_of
from bot.review.call.lanes import MOST_MARKS, lanes_of
from bot.review.call.said import turns_said
from bot.review.strings import Strings
from tests.support.calls import NOON, turn

STRINGS = Strings.load("en")


def detail(
    *events: tuple[int, str, dict[str, Any]], turns: list[TurnRecord] | None = None, **changes: Any
) -> CallDetail:
    nothing = dict.fromkeys(CallSummary.__struct_fields__)
    call = CallSummary(**(nothing | {"call_id": "call-1", "started_at": NOON}))  # type: ignore[arg-type]
    facts: dict[str, Any] = {
        "config": {},
        "counters": {},
        "turns": turns or [],
        "events": [TimelineEvent("call-1", *event) for event in events],
        "messages": [],
        "recordings": [],
        "tags": [],
        "reviews": [],
    }
    return CallDetail(call=call, **(facts | changes))


def lanes(call: CallDetail, length_ms: int = 10_000) -> dict[str, list[tuple[int, int, str]]]:
    found = lanes_of(everything(call, turns_said(call.turns, length_ms)), length_ms)
    return {lane.name: [(mark.from_ms, mark.to_ms, mark.about) for mark in lane.marks] for lane in found}


def test_each_kind_of_thing_has_its_lane_and_empty_lanes_are_left_out():
    call = detail(
        (100, "speech_started", {}),
        (2000, "reply_cut", {"heard_ms": 900}),
        (2001, "playout_cleared", {}),
        (3000, "voice_warned", {"message": "slow"}),
        (4000, "digit_pressed", {"digit": "5"}),
        (5000, "operator_spoke", {"text": "Hello", "by": "ada"}),
        turns=[turn(started_ms=500, ended_ms=1900), turn(index=1, role="caller", started_ms=1900, ended_ms=2800)],
    )
    assert lanes(call) == {
        "caller": [(1900, 2800, "We are open.")],
        "bot": [(500, 1900, "")],  # nothing of it was heard
        "cuts": [(2000, 2000, "")],
        "clears": [(2001, 2001, "")],
        "troubles": [(3000, 3000, "slow")],
        "keys": [(4000, 4000, "5")],
        "operator": [(5000, 5000, "Hello")],
    }


def test_a_tool_lasts_from_its_beginning_to_its_end_or_to_the_calls():
    call = detail(
        (900, "tool_requested", {"name": "look_up"}),
        (1000, "tool_began", {"job": 1, "name": "look_up", "arguments": "{}"}),
        (1200, "tool_began", {"job": 2, "name": "book", "arguments": "{}"}),
        (1700, "tool_ended", {"job": 1, "output": "yes"}),
        (2000, "tool_requested", {"name": "hang_up"}),
    )
    assert lanes(call) == {"tools": [(1000, 1700, "look_up"), (1200, 10_000, "book"), (2000, 2000, "hang_up")]}


def test_what_lies_too_close_together_becomes_one_mark_that_says_how_many():
    call = detail(*((at * 2, "playout_cleared", {}) for at in range(5000)))
    [lane] = lanes_of(everything(call, []), 10_000)
    assert len(lane.marks) == MOST_MARKS
    assert sum(mark.count for mark in lane.marks) == 5000


def test_everything_is_in_one_list_by_time():
    message = StoredMessage(
        message_id=1, turn_index=0, at_ms=700, duration_ms=50, text="Call me.", from_number="", read_at=None
    )
    call = detail(
        (400, "speech_started", {}), (900, "ended", {"reason": "idle"}), turns=[turn(started_ms=500, ended_ms=800)],
        messages=[message],
    )  # fmt: skip
    lines = lines_of(everything(call, turns_said(call.turns, 1000)), STRINGS)
    assert [(line.n, line.at_ms, line.what) for line in lines] == [
        (0, 400, "The caller began to speak"),
        (1, 500, "The bot spoke"),
        (2, 700, "A message was left"),
        (3, 900, "The call ended"),
    ]
    assert lines[1].facts == [("text", ""), ("unheard", "We are open.")]


def test_a_kind_that_nobody_described_is_shown_by_its_name_and_values_are_short_text():
    happened = everything(detail((1, "new\x07kind", {"a": {"b": [1]}, "c": "x" * 500, "\x00d": None})), [])
    [line] = lines_of(happened, STRINGS)
    assert line.what == "new\ufffdkind"
    assert line.facts == [("a", '{"b":[1]}'), ("c", "x" * 159 + "…"), ("\ufffdd", "null")]
    assert facts_of(happened[0], 1000)[1] == ("c", "x" * 500)
