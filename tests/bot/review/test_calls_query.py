"""The fields of the call list's form, which are its address too, as a filter."""

from datetime import UTC, datetime

import pytest

from bot.calllog.filters import CallFilter
from bot.calllog.schema import TOP
from bot.review.calls_query import calls_meant, read


def meant(*fields: tuple[str, str], is_admin: bool = False) -> CallFilter:
    return calls_meant(read(fields), is_admin=is_admin)


def test_fields_that_nobody_filled_in_are_no_conditions():
    query = read([("q", " "), ("bot", ""), ("since", "")])
    assert (query.is_narrowed, calls_meant(query, is_admin=True)) == (False, CallFilter())


def test_every_field_narrows():
    fields = [
        ("q", "opening hours"), ("bot", "shop"), ("carrier", "twilio"), ("end_reason", "idle"), ("tool", "transfer"),
        ("tag", "later"), ("verdict", "bad"), ("min_s", "5"), ("max_s", "60"), ("flag", "error"), ("flag", "gap"),
        ("unread", "1"), ("number", "+15550001111"), ("since", "2026-11-01"), ("until", "2026-11-02"),
    ]  # fmt: skip
    assert meant(*fields) == CallFilter(
        text="opening hours",
        bot="shop",
        carrier="twilio",
        end_reason="idle",
        tool="transfer",
        tag="later",
        verdict="bad",
        min_ms=5000,
        max_ms=60_000,
        flags=("error", "gap"),
        has_unread_message=True,
        number="+15550001111",
        since=datetime(2026, 11, 1, tzinfo=UTC),
        until=datetime(2026, 11, 3, tzinfo=UTC),  # the last day is meant whole
    )


def test_admins_find_a_number_by_a_part_of_it():
    assert meant(("number", "0001111"), is_admin=True) == CallFilter(number_part="0001111")
    assert meant(("number", "0001111")) == CallFilter(number="0001111")
    assert meant(("number", "11"), is_admin=True) == CallFilter(number="11")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("since", "yesterday"),
        ("until", "2026-13-01"),
        ("since", "0001-01-01"),
        ("min_s", "-1"),
        ("max_s", "9" * 12),
        ("verdict", "great"),
        ("q", "x" * 401),
        ("bot", "x" * 300),
    ],
)
def test_what_makes_no_sense_is_named_and_left_out(name: str, value: str):
    query = read([(name, value), ("tag", "later")])
    assert query.problems == (name,)
    assert calls_meant(query, is_admin=True) == CallFilter(tag="later")


def test_unknown_fields_and_flags_are_ignored():
    query = read([("flag", "nonsense"), ("colour", "red"), ("before", "x"), ("unread", "yes")])
    assert (query.is_narrowed, query.before) == (False, TOP)


def test_the_address_says_all_of_it_again():
    fields = [("q", "a b"), ("flag", "gap"), ("unread", "1")]
    query = read(fields)
    assert query.address("/calls") == "/calls?q=a+b&flag=gap&unread=1"
    assert query.address("/calls", without=("flag", "gap"), before=7) == "/calls?q=a+b&unread=1&before=7"
    assert read([]).address("/calls") == "/calls"


def test_a_moment_is_meant_as_it_is():
    assert meant(("since", "2026-11-20T14:00Z"), ("until", "2026-11-20T16:00+01:00")) == CallFilter(
        since=datetime(2026, 11, 20, 14, tzinfo=UTC), until=datetime(2026, 11, 20, 15, tzinfo=UTC)
    )
    assert read([("since", "2026-11-20T14:00")]).problems == ("since",)  # nobody knows whose 14:00 that is
