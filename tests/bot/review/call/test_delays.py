"""Where the time before replies went, and what a call cost."""

import pytest

from bot.calllog.records import TimelineEvent
from bot.review.call.delays import MOST_SHOWN, delays_of
from bot.review.call.spending import spending_of
from tests.support.calls import turn


def reply(index, sum_ms, *parts):
    names = ("endpointing_ms", "transcription_ms", "response_ms", "synthesis_ms")
    return turn(index=index, reply_ms=sum_ms, **dict(zip(names, parts, strict=False)))


def test_the_parts_follow_each_other_and_what_is_left_is_the_carriers():
    [delay] = delays_of([reply(0, 1000, 300, 200, 350, 100)]).shown
    assert [(part.name, part.from_ms, part.ms) for part in delay.parts] == [
        ("endpointing", 0, 300),
        ("transcription", 300, 200),
        ("response", 500, 350),
        ("synthesis", 850, 100),
        ("rest", 950, 50),
    ]


def test_parts_that_overlap_are_no_longer_than_the_whole():
    [delay] = delays_of([reply(0, 500, 300, 400, None, 100)]).shown
    assert [part.ms for part in delay.parts] == [300, 200, None, 0, 0]


def test_the_slowest_reply_is_marked_and_all_bars_have_its_scale():
    delays = delays_of([reply(0, 500, 500), turn(index=1), reply(2, 900, 700), reply(3, 700, 700)])
    assert [(delay.sum_ms, delay.is_slowest) for delay in delays.shown] == [(500, False), (900, True), (700, False)]
    assert (delays.scale_ms, delays.count, delays.names) == (900, 3, ["endpointing", "rest"])


def test_of_very_many_replies_the_slowest_are_shown_in_their_order():
    delays = delays_of([reply(index, 100 + index % 500) for index in range(1000)])
    assert len(delays.shown) == MOST_SHOWN
    assert delays.count == 1000
    assert min(delay.sum_ms for delay in delays.shown) == 500
    assert [delay.index for delay in delays.shown] == sorted(delay.index for delay in delays.shown)


def test_a_call_without_replies_has_none():
    assert delays_of([turn()]).shown == []


def used(**data):
    return TimelineEvent("call-1", 0, "tokens_used", data)


def test_tokens_and_money_are_added_up_by_model_the_dearest_first():
    spending = spending_of(
        [
            used(model="small", cost_usd=0.001, text_in=10, text_out=0),
            TimelineEvent("call-1", 0, "ended", {}),
            used(model="large", cost_usd=0.02, audio_in=5),
            used(model="small", cost_usd=0.002, text_in=7, text_out=1),
        ]
    )
    assert [(each.model, each.requests, each.tokens) for each in spending.models] == [
        ("large", 1, {"audio_in": 5}),
        ("small", 2, {"text_in": 17, "text_out": 1}),
    ]
    assert spending.tokens == 23
    assert spending.microdollars == pytest.approx(23_000)


def test_what_is_no_number_costs_nothing():
    spending = spending_of([used(model="m", cost_usd="free", text_in="many")])
    assert (spending.tokens, spending.microdollars) == (0, 0)
