"""Watching calls as they happen, and stepping in, in a real browser."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Page, expect

from bot.rehearsal.caller import Say, ScriptedCaller, Step, Wait, WaitForReply
from bot.rehearsal.report import CallReport
from bot.rehearsal.twilio import place_call
from tests.browser.conftest import sign_in, window
from tests.support.process import Serving
from tests.support.tones import TOKEN, speech
from tests.support.visitors import ADMIN, VIEWER

CALLER = "+15550001111"


@asynccontextmanager
async def calling(service: Serving, *steps: Step) -> AsyncIterator[asyncio.Task[CallReport]]:
    """A caller of the emulated carrier, who is on the line by the time the block begins."""
    talk = [*steps, Wait(60_000)]
    call = asyncio.create_task(
        place_call(service.url, ScriptedCaller(talk), auth_token=TOKEN, from_number=CALLER, max_s=60)
    )
    try:
        await service.events("call_connected")
        yield call
    finally:
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)


@asynccontextmanager
async def watching(chromium, service: Serving, complaints: list[str], who: str = ADMIN) -> AsyncIterator[Page]:
    async with window(chromium, service.url, complaints) as page:
        await sign_in(page, who)
        await page.goto("/live")
        yield page


async def test_a_call_appears_with_what_is_said_and_goes_when_it_ends(chromium, fresh, complaints):
    async with watching(chromium, fresh, complaints) as page:
        await expect(page.get_by_text("No call at the moment")).to_be_visible()
        async with calling(fresh, WaitForReply(), Say(speech(1000)), WaitForReply()):
            item = page.locator(".live-call")
            await expect(item).to_contain_text(CALLER)
            await expect(item).to_contain_text("A greeting of tones")
            await expect(item.locator(".live-clock")).to_have_text("0:05", timeout=10_000)
        await expect(page.get_by_text("No call at the moment")).to_be_visible()


async def test_an_admin_says_a_sentence_and_hangs_up(chromium, fresh, complaints):
    async with watching(chromium, fresh, complaints) as page, calling(fresh, WaitForReply()) as call:
        await page.locator(".live-call a").click()
        await expect(page.locator(".turn.bot")).to_contain_text("A greeting of tones")
        await page.get_by_label("Say to the caller").fill("Please hold the line for me.")
        await page.get_by_role("button", name="Say it").click()
        await expect(page.get_by_role("status")).to_contain_text("Said.")
        said = page.locator(".turn.bot").nth(1)
        await expect(said).to_contain_text("Please hold the line for me.")
        await expect(said).not_to_have_class("unfinished")
        await page.get_by_role("button", name="Hang up").click()
        await page.get_by_role("dialog").get_by_role("button", name="Hang up").click()
        report = await call
        await expect(page.get_by_text("The call is over")).to_be_visible()
        await expect(page.get_by_role("button", name="Say it")).to_be_disabled()
    assert report.ended_by == "bot"
    assert len(report.stretches) == 2  # the greeting and the sentence
    assert (await fresh.events("call_ended"))[0]["reason"] == "operator_hung_up"


async def test_somebody_listens_in(chromium, fresh, complaints):
    async with watching(chromium, fresh, complaints, VIEWER) as page, calling(fresh, WaitForReply()):
        await page.locator(".live-call a").click()
        await page.evaluate(COUNT_SOUND)
        await page.get_by_role("button", name="Listen in").click()
        await page.wait_for_function("() => window.heardBytes > 16000")
        await page.get_by_role("button", name="Stop listening").click()
        await expect(page.get_by_role("button", name="Listen in")).to_be_visible()
    async with watching(chromium, fresh, complaints) as page:
        await page.goto("/access-log")
        await expect(page.get_by_text("Listened in")).to_be_visible()


async def test_a_viewer_sees_a_masked_number_and_cannot_step_in(chromium, fresh, complaints):
    async with watching(chromium, fresh, complaints, VIEWER) as page, calling(fresh, WaitForReply()) as call:
        await expect(page.locator(".live-caller")).to_have_text("+1555•••1111")
        await page.locator(".live-call a").click()
        await expect(page.get_by_text("Admins can speak here")).to_be_visible()
        await expect(page.get_by_role("button", name="Hang up")).to_have_count(0)
        token = await page.locator("meta[name=csrf-token]").get_attribute("content")
        refused = await page.request.post(
            page.url + "/hang-up", headers={"X-CSRF-Token": token, "Origin": fresh.url}, data={}
        )
        assert refused.status == 403
        assert not call.done()


async def test_a_call_that_is_over_says_so(chromium, fresh, complaints):
    async with watching(chromium, fresh, complaints) as page:
        async with calling(fresh, WaitForReply()):
            await expect(page.locator(".live-call")).to_be_visible()
        call_id = (await fresh.events("call_ended"))[0]["call_id"]
        token = await page.locator("meta[name=csrf-token]").get_attribute("content")
        late = await page.request.post(
            f"/live/{call_id}/hang-up", headers={"X-CSRF-Token": token, "Origin": fresh.url}, data={}
        )
        assert late.status == 404
        assert (await late.json())["error"]["message"] == "This call is over."


COUNT_SOUND = """() => {
  window.heardBytes = 0;
  const post = MessagePort.prototype.postMessage;
  MessagePort.prototype.postMessage = function (message, ...rest) {
    if (message instanceof Int16Array) window.heardBytes += message.byteLength;
    return post.call(this, message, ...rest);
  };
}"""
