"""How pages look and can be used: nothing that axe-core objects to, nothing wider than the screen, targets that fit."""

import pytest

from tests.browser.conftest import DESKTOP, PHONE, sign_in, window
from tests.support.accessible import violations
from tests.support.visitors import ADMIN, VIEWER

PAGES = {
    ADMIN: ["/account", "/account/tokens", "/people", "/access-log", "/access-log?who=nobody", "/nowhere"],
    VIEWER: ["/account", "/people"],
    None: ["/sign-in", "/welcome/of-no-use", "/nowhere"],
}
EVERYWHERE = [(name, path) for name, paths in PAGES.items() for path in paths]

SMALL_TARGETS = """() => [...document.querySelectorAll("a, button, input:not([type=hidden]), select, summary")]
    .filter((element) => element.checkVisibility() && !element.closest("p, td, th, .skip, svg"))
    .map((element) => [element.outerHTML.slice(0, 90), element.getBoundingClientRect()])
    .filter(([, box]) => box.height < 37.5 || box.width < 37.5)
    .map(([html, box]) => `${html} ${box.width} x ${box.height}`)"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_axe_finds_no_violation(chromium, url, complaints, size, dark):
    found = {}
    async with window(chromium, url, complaints, size=size, dark=dark) as page:
        for name, paths in sorted(PAGES.items(), key=lambda item: item[0] is not None):  # signed out first
            if name is not None:
                await page.context.clear_cookies()
                await sign_in(page, name)
            for path in paths:
                await page.goto(path)
                found[f"{name} {path}"] = await violations(page)
        await page.locator(".bar [data-menu] summary").click()
        found["the menu"] = await violations(page)
    assert {where: problems for where, problems in found.items() if problems} == {}


async def test_on_a_phone_nothing_is_wider_than_the_screen_or_too_small_for_a_finger(chromium, url, complaints):
    found = {}
    async with window(chromium, url, complaints, size=PHONE) as page:
        await sign_in(page, ADMIN)
        for path in PAGES[ADMIN]:
            await page.goto(path)
            found[path] = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
            found[f"{path} targets"] = await page.evaluate(SMALL_TARGETS)
    assert {where: wrong for where, wrong in found.items() if wrong} == {}


async def test_the_chosen_colours_stay_and_are_there_at_once(admin):
    ground = "getComputedStyle(document.body).backgroundColor"
    light = await admin.evaluate(ground)
    await admin.locator(".bar [data-menu] summary").click()
    await admin.get_by_role("button", name="Dark").click()
    dark = await admin.evaluate(ground)
    assert dark != light
    await admin.goto("/people")
    assert await admin.locator("html").get_attribute("data-theme") == "dark"  # written by the server: no flash
    assert await admin.evaluate(ground) == dark
    await admin.locator(".bar [data-menu] summary").click()
    await admin.get_by_role("button", name="As the system has it").click()
    assert await admin.evaluate(ground) == light


async def test_times_are_the_visitors_own(admin):
    await admin.goto("/account")
    assert await admin.locator("time").first.inner_text() in ("now", "1 minute ago")
    title = await admin.locator("time").first.get_attribute("title")
    assert title is not None
    assert title.endswith(("CET", "CEST"))  # these browsers are in Berlin


async def test_the_first_tab_stop_leads_to_the_content(admin):
    await admin.goto("/account")
    await admin.keyboard.press("Tab")
    assert await admin.evaluate("document.activeElement.textContent") == "Skip to the content"
    await admin.keyboard.press("Enter")
    assert await admin.evaluate("document.activeElement.id") == "main"


async def test_escape_closes_the_menu_and_gives_the_focus_back(admin):
    await admin.locator(".bar [data-menu] summary").click()
    await admin.keyboard.press("Tab")
    await admin.keyboard.press("Escape")
    assert await admin.locator(".bar [data-menu]").get_attribute("open") is None
    assert await admin.evaluate("document.activeElement.tagName") == "SUMMARY"
