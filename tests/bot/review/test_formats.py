"""Moments, durations, money, sizes and callers' text as pages show them."""

from datetime import UTC, datetime, timedelta, timezone

import jinja2
import pytest

from bot.review import formats
from bot.review.roles import Role
from bot.review.visitor import Visitor

AT = datetime(2026, 11, 20, 13, 4, 5, 678_000, tzinfo=timezone(timedelta(hours=1)))


def test_a_moment_is_in_utc_with_what_scripts_need():
    assert formats.moment(AT) == (
        '<time datetime="2026-11-20T12:04:05.678Z" data-moment="minute">2026-11-20 12:04 UTC</time>'
    )
    assert "12:04:05 UTC" in formats.moment(AT.astimezone(UTC), "second")
    assert formats.moment(None) == "–"


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (formats.duration(0), "0:00"),
        (formats.duration(187_999), "3:07"),
        (formats.duration(3_723_000), "1:02:03"),
        (formats.duration(None), "–"),
        (formats.delay(840), "840 ms"),
        (formats.delay(1240), "1.2 s"),
        (formats.money(0), "$0.00"),
        (formats.money(1_234_500), "$1.23"),
        (formats.money(4_200), "$0.0042"),
        (formats.money(12), "< $0.0001"),
        (formats.money(1_234_567_000_000), "$1,234,567.00"),
        (formats.size(384_044), "384 kB"),
        (formats.size(12), "12 B"),
        (formats.size(5_300_000), "5.3 MB"),
        (formats.count(1_234_567), "1,234,567"),
    ],
)
def test_figures_are_short_and_exact_enough(shown, expected):
    assert shown == expected


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<b>&\"'", "<bdi>&lt;b&gt;&amp;&#34;&#39;</bdi>"),
        ("a\x07b\x00c\x7fd\x85", "<bdi>a\ufffdb\ufffdc\ufffdd\ufffd</bdi>"),
        ("two\nlines", "<bdi>two\nlines</bdi>"),
        ("\u202eabc", "<bdi>\u202eabc</bdi>"),  # isolated: what follows the element is not turned round
        (None, "<bdi></bdi>"),
    ],
)
def test_what_callers_say_is_text(text, shown):
    assert formats.said(text) == shown


@pytest.mark.parametrize(("role", "shown"), [(Role.ADMIN, "+15550001111"), (Role.VIEWER, "+1555•••1111")])
def test_only_admins_see_whole_numbers(role, shown):
    page = jinja2.Environment(autoescape=True)
    page.filters.update(formats.FILTERS)
    template = page.from_string("{{ number | masked }}")
    assert template.render(number="+15550001111", visitor=Visitor(role, "")) == f"<bdi>{shown}</bdi>"
    assert template.render(number="+15550001111") == "<bdi>+1555•••1111</bdi>"
