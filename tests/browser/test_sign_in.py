"""Signing in, being locked out, inviting and revoking, in a real browser."""

import re

from playwright.async_api import expect

from tests.browser.conftest import sign_in, window
from tests.support.process import serving
from tests.support.visitors import ADMIN, PASSWORDS


async def test_whoever_signs_in_is_back_where_they_wanted_to_be(anonymous):
    await anonymous.goto("/account?a=1")
    await expect(anonymous).to_have_title("Sign in · Offhook")
    await anonymous.keyboard.type(ADMIN)  # the cursor is there already
    await anonymous.keyboard.press("Tab")
    await anonymous.keyboard.type(PASSWORDS[ADMIN])
    await anonymous.keyboard.press("Enter")
    await expect(anonymous).to_have_url(re.compile(r"/account\?a=1$"))


async def test_wrong_passwords_lock_the_door_for_a_while(chromium, fresh, complaints):
    async with window(chromium, fresh.url, complaints) as page:
        await page.goto("/sign-in")
        for words in ["do not belong together"] * 5 + ["Try again in a minute"]:
            await page.get_by_label("Name").fill(ADMIN)
            await page.get_by_label("Password").fill("not the password")
            await page.get_by_role("button", name="Sign in").click()
            await expect(page.get_by_role("alert")).to_contain_text(words)


async def test_the_first_link_in_the_log_makes_an_admin_who_can_invite_a_viewer(chromium, tmp_path, complaints):
    async with serving(tmp_path) as service:
        link = (await service.events("no_admin_yet"))[0]["open_this_link_once"]
        async with window(chromium, service.url, complaints) as page:
            await page.goto(link)
            await page.get_by_label("New password").fill("paper kettle harbour")
            await page.get_by_label("The same again").fill("paper kettle harbour")
            await page.get_by_role("button", name="Set the password").click()
            await expect(page.get_by_role("status")).to_contain_text("Your password is set")
            await page.goto("/people")
            await page.get_by_label("Name").fill("sam@example.com")
            await page.get_by_role("button", name="Make a link").click()
            invitation = await page.locator(".code code").inner_text()
        async with window(chromium, service.url, complaints) as page:
            await page.goto(invitation)
            await page.get_by_label("New password").fill("window lantern gravel")
            await page.get_by_label("The same again").fill("window lantern gravel")
            await page.get_by_role("button", name="Set the password").click()
            await page.goto("/account")
            await expect(page.get_by_role("heading", level=1)).to_have_text("sam@example.com")
            await page.goto(invitation)
            await expect(page.get_by_role("heading")).to_contain_text("no longer works")


async def test_a_token_is_revoked_only_after_somebody_was_asked(chromium, fresh, complaints):
    async with window(chromium, fresh.url, complaints) as page:
        await sign_in(page)
        await page.goto("/account/tokens")
        await expect(page.get_by_text("No tokens yet")).to_be_visible()
        await page.get_by_label("What it is for").fill("<b>weekly</b> report")
        await page.get_by_role("button", name="Make a token").click()
        await expect(page.locator(".code code").first).to_have_text(re.compile(r"^offhook_[\w-]{43}$"))
        await expect(page.get_by_text("<b>weekly</b> report", exact=True)).to_be_visible()
        await page.get_by_role("button", name="Revoke").click()
        await page.get_by_role("button", name="Cancel").click()
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await expect(page.get_by_text("<b>weekly</b> report", exact=True)).to_be_visible()
        await page.get_by_role("button", name="Revoke").click()
        await page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        await expect(page.get_by_role("status")).to_contain_text("The token is revoked.")
        await expect(page.get_by_text("No tokens yet")).to_be_visible()


async def test_the_token_is_copied_with_a_button(chromium, fresh, complaints):
    async with window(chromium, fresh.url, complaints) as page:
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await sign_in(page)
        await page.goto("/account/tokens")
        await page.get_by_label("What it is for").fill("weekly report")
        await page.get_by_role("button", name="Make a token").click()
        await page.get_by_role("button", name="Copy").first.click()
        await expect(page.get_by_role("button", name="Copied").first).to_be_visible()
        copied = await page.evaluate("navigator.clipboard.readText()")
        assert copied == await page.locator(".code code").first.inner_text()


async def test_without_script_everything_still_works(chromium, url):
    context = await chromium.new_context(base_url=url, java_script_enabled=False)
    page = await context.new_page()
    await page.goto("/sign-in")
    await page.fill("#name", ADMIN)
    await page.fill("#password", PASSWORDS[ADMIN])
    await page.click("button[type=submit]")
    await page.click("[data-menu] summary")
    await page.click("button[value=dark]")
    assert await page.locator("html").get_attribute("data-theme") == "dark"
    await page.click("[data-menu] summary")
    await page.click("button.menu-item")
    await expect(page).to_have_title("Sign in · Offhook")
    await context.close()
