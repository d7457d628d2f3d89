"""Finding a call in the list, in a real browser."""

import csv
import io
import json
import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import PHONE, sign_in, window
from tests.support.accessible import violations
from tests.support.seeded import BOOKED, HOSTILE
from tests.support.spoken_call import SPOKEN


async def test_a_call_is_found_by_a_spoken_word(admin):
    await admin.goto("/calls")
    await admin.keyboard.press("/")
    await admin.keyboard.type("please")
    await admin.keyboard.press("Enter")
    await expect(admin).to_have_url(re.compile(r"/calls\?q=please$"))
    await expect(admin.locator("tr[data-row]")).to_have_count(1)
    await expect(admin.locator("mark")).to_have_text(re.compile("please", re.IGNORECASE))
    await expect(admin.locator(".call-link")).to_have_attribute("href", f"/calls/{BOOKED}")


async def test_a_hit_leads_to_where_it_was_said(admin):
    await admin.goto("/calls?q=reminder")
    hit = admin.get_by_role("link", name=re.compile("^Go to 0:1[0-9] Bot .*reminder"))
    await expect(hit).to_have_attribute("href", re.compile(rf"^/calls/{SPOKEN}#t=\d+\.\d{{3}}&word=4\.\d+$"))
    await admin.locator(".call-link").focus()
    await admin.keyboard.press("Tab")
    await expect(hit).to_be_focused()
    await admin.keyboard.press("Enter")
    await expect(admin.locator(".turn[aria-current] .word.now")).to_have_text("reminder")


async def test_filters_are_in_the_address_and_can_be_taken_away_one_by_one(admin):
    await admin.goto("/calls")
    await admin.get_by_text("Filters", exact=True).click()
    await admin.get_by_label("With an unread message").check()
    await admin.get_by_label("At least, seconds").fill("5")
    await admin.get_by_role("button", name="Apply").click()
    await expect(admin).to_have_url(re.compile(r"/calls\?min_s=5&unread=1$"))
    await expect(admin.locator("tr[data-row]")).to_have_count(1)
    await admin.get_by_role("link", name="Take away: Unread message").click()
    await expect(admin).to_have_url(re.compile(r"/calls\?min_s=5$"))
    assert await admin.locator("tr[data-row]").count() > 1


async def test_the_list_is_walked_by_keyboard(admin):
    await admin.goto("/calls")
    await admin.keyboard.press("j")
    await admin.keyboard.press("j")
    second = admin.locator(".call-link").nth(1)
    await expect(second).to_be_focused()
    await admin.keyboard.press("k")
    await expect(admin.locator(".call-link").first).to_be_focused()


async def test_what_makes_no_sense_is_said_and_the_rest_still_counts(admin):
    await admin.goto("/calls?since=yesterday&q=please")
    await expect(admin.get_by_text("This was left out, because it makes no sense: since.")).to_be_visible()
    await expect(admin.locator("tr[data-row]")).to_have_count(1)


async def test_no_call_fits_and_says_what_to_do(admin):
    await admin.goto("/calls?q=zeppelin")
    await expect(admin.get_by_role("heading", name="No call fits")).to_be_visible()
    await admin.get_by_role("link", name="Clear all").last.click()
    await expect(admin).to_have_url(re.compile("/calls$"))


async def test_hostile_words_are_shown_as_text(admin):
    await admin.goto("/calls?q=table")
    row = admin.locator("tr[data-row]", has=admin.locator(f'a[href="/calls/{HOSTILE}"]'))
    await expect(row).to_contain_text("<img src=x onerror=alert(1)>")
    await expect(admin.locator(f'a.excerpt[href^="/calls/{HOSTILE}#t="]')).to_contain_text(
        "<img src=x onerror=alert(1)>"
    )
    assert await admin.locator("img").count() == 0


async def test_an_admin_exports_the_selection_and_formulas_are_defused(admin):
    await admin.goto("/calls?q=table")
    await admin.get_by_text("Export", exact=True).click()
    async with admin.expect_download() as downloading:
        await admin.get_by_role("link", name="CSV, a line for each call").click()
    download = await downloading.value
    rows = list(csv.DictReader(io.StringIO((await download.path()).read_text(encoding="utf-8"))))
    assert {row["call_id"] for row in rows} == {BOOKED, HOSTILE}
    cells = [value for row in rows for value in row.values() if value[:1] in "=+-@\t\r" and value]
    assert all(re.fullmatch(r"\+[0-9]+", cell) for cell in cells)  # a telephone number is no formula
    answer = await admin.request.get("/api/calls/export?q=table&format=jsonl")
    assert {json.loads(line)["call_id"] for line in (await answer.text()).splitlines()} == {BOOKED, HOSTILE}


async def test_a_viewer_sees_masked_numbers_and_no_export(viewer):
    await viewer.goto("/calls")
    await expect(viewer.locator(".call-link").first).to_have_text("+1555•••7788")
    await expect(viewer.get_by_text("Export", exact=True)).to_have_count(0)
    assert (await viewer.request.get("/api/calls/export?format=csv")).status == 403


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("path", ["/calls", "/calls?q=table", "/calls?q=zeppelin", "/live", "/phone"])
async def test_axe_finds_nothing(chromium, url, complaints, path, dark):
    async with window(chromium, url, complaints, dark=dark) as page:
        await sign_in(page)
        await page.goto(path)
        assert await violations(page) == []
        await page.set_viewport_size(PHONE)
        assert await violations(page) == []
