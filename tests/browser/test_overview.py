"""The overview in a real browser: some weeks of calls, charts by keyboard, numbers that lead to their calls."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, service_of, sign_in, window
from tests.browser.test_look import SMALL_TARGETS
from tests.support.accessible import violations
from tests.support.weeks import write_weeks

RANGES = ("24h", "7d", "28d", "90d")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def busy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """Where a service with some weeks of calls listens."""
    folder = tmp_path_factory.mktemp("busy")
    await write_weeks(f"sqlite+aiosqlite:///{folder}/log.db", days=20)
    async with service_of(folder) as service:
        yield service.url


@pytest_asyncio.fixture(loop_scope="session")
async def page(chromium, busy, complaints) -> AsyncIterator[Page]:
    async with window(chromium, busy, complaints) as page:
        await sign_in(page)
        yield page


def tile(page: Page, name: str):
    return page.locator(".tile", has=page.get_by_role("heading", name=name, exact=True))


async def rows_of_list(page: Page) -> int:
    """How many calls the list says it has."""
    return int((await page.locator(".list-count span").first.inner_text()).split()[0].replace(",", ""))


async def test_each_tile_leads_to_the_calls_it_counts(page):
    await page.goto("/overview?range=28d")
    calls = tile(page, "Calls").locator(".tile-value a")
    counted = int((await calls.inner_text()).replace(",", ""))
    await calls.click()
    await page.wait_for_url("**/calls?since=*")
    assert await rows_of_list(page) == counted


async def test_a_bar_leads_to_the_calls_of_its_day(page):
    await page.goto("/overview?range=28d")
    bar = page.locator(".figure.calls .chart-plot a").nth(-3)
    says = await bar.get_attribute("aria-label")
    await bar.click()
    await page.wait_for_url("**/calls?since=*&until=*")
    assert await rows_of_list(page) == int(says.rpartition(" ")[2])


async def test_an_hour_leads_to_the_calls_of_that_hour(page):
    await page.goto("/overview?range=24h")
    bars = page.locator(".figure.calls .chart-plot a:has(.chart-bar)")
    says = await bars.first.get_attribute("aria-label")
    await bars.first.click()
    await page.wait_for_url("**/calls?since=*T*&until=*T*")
    assert await rows_of_list(page) == int(says.rpartition(" ")[2])


async def test_an_end_reason_leads_to_the_calls_that_ended_so(page):
    await page.goto("/overview?range=28d")
    row = page.locator(".ends tbody tr", has_text="The bot hung up")
    counted = int(await row.locator("a").inner_text())
    await row.locator("a").click()
    await expect(page.locator(".chip", has_text="Ended: The bot hung up")).to_be_visible()
    assert await rows_of_list(page) == counted


async def test_the_range_and_the_bot_are_in_the_address(page):
    await page.goto("/overview")
    await expect(page.get_by_role("link", name="7 days")).to_have_attribute("aria-current", "page")
    await page.get_by_label("Bot", exact=True).select_option("bookings")
    await page.get_by_role("button", name="Show").click()
    await page.wait_for_url("**/overview?range=7d&bot=bookings")
    await page.get_by_role("link", name="28 days").click()
    await page.wait_for_url("**/overview?range=28d&bot=bookings")
    await expect(page.locator(".bots tbody tr")).to_have_count(1)
    await page.reload()
    await expect(page.get_by_label("Bot", exact=True)).to_have_value("bookings")


async def test_a_chart_is_one_stop_of_the_tab_key_and_is_walked_by_arrows(page):
    await page.goto("/overview?range=28d")
    slots = page.locator(".figure.calls .chart-plot a")
    await slots.last.focus()
    await page.keyboard.press("ArrowLeft")
    await expect(slots.nth(-2)).to_be_focused()
    await page.keyboard.press("Home")
    await expect(slots.first).to_be_focused()
    await page.keyboard.press("ArrowLeft")
    await expect(slots.first).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.locator(".figure.calls summary")).to_be_focused()
    await page.keyboard.press("Shift+Tab")
    await expect(slots.first).to_be_focused()
    await page.keyboard.press("End")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/calls?since=*&until=*")


async def test_the_table_behind_a_chart_has_its_numbers(page):
    await page.goto("/overview?range=28d")
    figure = page.locator(".figure.reply")
    await figure.locator("summary").click()
    await expect(figure.locator("tbody tr")).to_have_count(28)
    newest = figure.locator("tbody tr").nth(1)
    says = await figure.locator(".chart-plot a").nth(-2).get_attribute("aria-label")
    typical, slow = await newest.locator("td").all_inner_texts()
    assert says.endswith(f"Typical {typical}, Slow {slow}")


async def test_what_needs_a_look_opens_its_call(page):
    await page.goto("/overview")
    first = page.locator(".look-link").first
    address = await first.get_attribute("href")
    assert address.startswith("/calls/call-")
    await page.get_by_role("link", name="Slow reply", exact=True).click()
    await page.wait_for_url("**/calls?verdict=none&flag=slow_reply")
    assert await rows_of_list(page) > 0


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_it_can_be_used_by_everybody(chromium, busy, complaints, size, dark):
    found = {}
    async with window(chromium, busy, complaints, size=size, dark=dark) as page:
        await sign_in(page)
        for range_ in RANGES:
            await page.goto(f"/overview?range={range_}")
            for summary in await page.locator(".behind summary").all():
                await summary.click()
            found[range_] = await violations(page)
            found[f"{range_} wide"] = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
            found[f"{range_} targets"] = await page.evaluate(SMALL_TARGETS) if size is PHONE else []
        await page.goto("/overview?bot=nobody")
        found["nobody"] = await violations(page)
    assert {where: wrong for where, wrong in found.items() if wrong} == {}
