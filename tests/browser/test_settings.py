"""The page of settings in a real browser."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import DESKTOP, PHONE, sign_in, window
from tests.browser.test_look import SMALL_TARGETS
from tests.support.accessible import violations


async def test_an_admin_checks_and_reads_what_to_do(admin):
    await admin.goto("/settings")
    await admin.get_by_role("button", name="Check").click()
    findings = admin.get_by_role("list", name="What the check found").first
    await expect(findings).to_contain_text("cannot be reached")
    await expect(findings).to_contain_text("Check the network and api_base")
    await expect(admin.locator(".summary-line")).to_contain_text("Checked")
    await admin.get_by_role("link", name="Try it: tones").click()
    await expect(admin).to_have_url("/phone?bot=tones")


async def test_a_webhook_is_copied(admin):
    await admin.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await admin.goto("/settings")
    await admin.get_by_role("button", name="Copy").first.click()
    copied = await admin.evaluate("navigator.clipboard.readText()")
    assert copied.endswith("/twilio/voice")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_it_can_be_used_by_everybody(chromium, url, complaints, size, dark):
    found = {}
    async with window(chromium, url, complaints, size=size, dark=dark) as page:
        await sign_in(page)
        await page.goto("/settings")
        for state in ("before", "after"):
            found[state] = await violations(page)
            found[f"{state}, wide"] = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
            found[f"{state}, targets"] = await page.evaluate(SMALL_TARGETS) if size is PHONE else []
            await page.get_by_role("button", name="Check").click()
            await page.wait_for_selector(".findings")
    assert {where: wrong for where, wrong in found.items() if wrong} == {}
