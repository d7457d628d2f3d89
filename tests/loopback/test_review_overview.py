"""The overview over real sockets: figures as a page and as JSON, and lists that have just the calls of a number."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest

from bot.review.roles import Role
from tests.support.api import service_with_api, whole_call
from tests.support.visitors import VIEWER, browsing

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
async def script(tmp_path):
    async with service_with_api(tmp_path) as script:
        yield script


def midnight() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def links(page: str) -> list[str]:
    return [unescape(found) for found in re.findall(r'href="(/calls\?[^"]+)"', page)]


async def count(script, address: str) -> int:
    """How many calls the page of a list shows."""
    async with browsing(script.url) as browser:
        await browser.sign_in()
        return (await browser.get(address)).text.count('class="call-link"')


async def test_the_figures_of_a_range_as_json(script):
    today, last_week = midnight(), midnight() - timedelta(days=8)
    await script.write(*whole_call("call-1", started_at=today), *whole_call("call-2", started_at=today, bot="sales"))
    await script.write(*whole_call("call-3", started_at=last_week))
    status, found = await script.get("/api/statistics")
    assert status == 200
    assert (found["figures"]["calls"], found["before"]["calls"]) == (2, 1)
    assert len(found["slots"]) == 7
    assert found["slots"][-1]["figures"]["reply_p50_ms"] == 710
    assert [bot["bot"] for bot in found["bots"]] == ["reception", "sales"]
    assert found["end_reasons"][0]["end_reason"] == "caller_hung_up"
    assert (await script.get("/api/statistics", bot="sales", range="90d"))[1]["figures"]["calls"] == 1
    assert (await script.get("/api/statistics", range="1y"))[0] == 400


async def test_a_viewer_may_read_it_and_nobody_else(script):
    async with script.of(Role.VIEWER) as viewer:
        assert (await viewer.get("/api/statistics"))[0] == 200
    async with browsing(script.url) as browser:
        assert not (await browser.get("/overview")).is_inside
        await browser.sign_in(VIEWER)
        assert (await browser.get("/overview")).status == 200


async def test_each_number_leads_to_its_calls(script):
    today = midnight()
    for number in range(3):
        await script.write(*whole_call(f"today-{number}", started_at=today + timedelta(milliseconds=number)))
    await script.write(*whole_call("last week", started_at=today - timedelta(days=7), bot="sales"))
    async with browsing(script.url) as browser:
        await browser.sign_in()
        page = (await browser.get("/overview?range=28d&bot=reception")).text
    day = f"{today:%Y-%m-%d}"
    since = f"{today - timedelta(days=27):%Y-%m-%d}"
    assert f"/calls?bot=reception&since={day}&until={day}" in links(page)
    assert f"/calls?bot=reception&end_reason=caller_hung_up&since={since}" in links(page)
    assert await count(script, f"/calls?bot=reception&since={day}&until={day}") == 3
    assert await count(script, f"/calls?bot=reception&since={since}") == 3
    assert await count(script, f"/calls?bot=sales&since={since}") == 1


async def test_an_hour_leads_to_its_calls(script):
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    await script.write(*whole_call("this hour", started_at=hour))
    await script.write(*whole_call("the hour before", started_at=hour - timedelta(milliseconds=1)))
    async with browsing(script.url) as browser:
        await browser.sign_in()
        page = (await browser.get("/overview?range=24h")).text
    before = f"{hour - timedelta(hours=1):%Y-%m-%dT%H}%3A00Z"
    [address] = {link for link in links(page) if f"since={before}" in link and "until" in link}
    assert await count(script, address) == 1


async def test_what_nobody_has_judged_or_read_needs_a_look(script):
    await script.write(*whole_call("call-1", started_at=midnight(), from_number="+15550007777"))
    async with browsing(script.url) as browser:
        await browser.sign_in()
        page = (await browser.get("/overview")).text
        assert "+15550007777" in page
        message = (await script.get("/api/calls/call-1"))[1]["messages"][0]["message_id"]
        assert (await script.ask("PUT", f"/api/messages/{message}", json={"is_read": True}))[0] == 204
        assert "+15550007777" not in (await browser.get("/overview")).text


async def test_without_any_call_it_says_what_to_do_next(script):
    async with browsing(script.url) as browser:
        await browser.sign_in()
        assert "Nothing to sum up yet" in (await browser.get("/overview")).text
        await script.write(*whole_call("long ago", started_at=midnight() - timedelta(days=40)))
        page = (await browser.get("/overview?range=24h")).text
        assert "No call in this range" in page
        assert 'href="/overview?range=90d"' in page


async def test_hostile_names_are_shown_as_text(script):
    await script.write(*whole_call("call-1", started_at=midnight(), bot=HOSTILE, from_number=HOSTILE))
    async with browsing(script.url) as browser:
        await browser.sign_in()
        page = await browser.get("/overview?range=7d&bot=%3Cimg%20src=x%20onerror=alert(1)%3E&bot=x")
        assert page.status == 200
        assert "<img" not in page.text
        assert (await browser.get("/overview?range=%00&bot=%00")).status == 200


async def test_who_looks_at_the_same_time_is_answered_from_one_count(script):
    await script.write(*whole_call("call-1", started_at=midnight()))
    assert (await script.get("/api/statistics"))[1]["figures"]["calls"] == 1
    await script.write(*whole_call("call-2", started_at=midnight()))
    assert (await script.get("/api/statistics"))[1]["figures"]["calls"] == 1  # a moment ago
    assert (await script.get("/api/statistics", range="28d"))[1]["figures"]["calls"] == 2
