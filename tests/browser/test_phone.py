"""Calling a bot from the page, in a real browser whose microphone plays speech."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from bot.calllog.reader import CallReader
from bot.rehearsal.studio import CallerVoice
from bot.speech.local import LocalSpeaker
from media.wav import wav_bytes
from tests.browser.conftest import service_of, sign_in, window
from tests.support.process import Serving

LINE_HZ = 8000
GREETING_S, ANSWER_S = 7.0, 30.0
BUSINESS = (Path(__file__).parents[2] / "bot" / "rehearsal" / "sample_business.toml").read_text()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def question(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the microphone hears: a greeting's silence, a question, and the silence of an answer."""
    speaker = LocalSpeaker()
    await speaker.start()
    asked = await CallerVoice(speaker).say("What are your opening hours?")
    await speaker.close()
    before, after = (bytes(round(seconds * LINE_HZ) * 2) for seconds in (GREETING_S, ANSWER_S))
    path = tmp_path_factory.mktemp("microphone") / "question.wav"
    path.write_bytes(wav_bytes(before + asked + after, LINE_HZ))
    return path


@asynccontextmanager
async def browser(chromium_path: str, *options: str) -> AsyncIterator[Browser]:
    always = ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=chromium_path, args=[*always, *options])
        yield opened
        await opened.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def speaking(chromium_path: str, question: Path) -> AsyncIterator[Browser]:
    """A browser whose microphone asks the question."""
    fake = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    async with browser(chromium_path, *fake, f"--use-file-for-fake-audio-capture={question}%noloop") as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def business(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Serving, Path]]:
    folder = tmp_path_factory.mktemp("business")
    async with service_of(folder, bots=BUSINESS) as service:
        yield service, folder


@asynccontextmanager
async def phone(chromium: Browser, service: Serving, complaints: list[str]) -> AsyncIterator[Page]:
    async with window(chromium, service.url, complaints) as page:
        await sign_in(page)
        await page.goto("/phone")
        yield page


async def loudest_level(page: Page, meter: str) -> float:
    """The highest that a meter shows, from now until it has shown something."""
    await page.wait_for_function(f"() => document.getElementById('{meter}').value > 0.2")
    return await page.evaluate(f"document.getElementById('{meter}').value")


async def test_a_question_asked_in_the_browser_is_understood_and_its_answer_heard(speaking, business, complaints):
    service, folder = business
    async with phone(speaking, service, complaints) as page:
        page.set_default_timeout(60_000)
        await page.get_by_role("button", name="Call", exact=True).click()
        await expect(page.get_by_role("status").first).to_contain_text("Connected")
        assert await loudest_level(page, "level-them") > 0.2  # the greeting sounds
        caller = page.locator(".turn.caller")
        await expect(caller).to_contain_text("opening hours", timeout=60_000, ignore_case=True)
        answer = page.locator(".turn.bot:not(.unfinished)").nth(1)
        await expect(answer).to_contain_text("nine", timeout=60_000)
        await page.get_by_role("button", name="Hang up").click()
        await expect(page.get_by_role("status").first).to_contain_text("over")
        call_id = (await service.events("call_ended"))[0]["call_id"]
        await page.request.get(f"/live/{call_id}/events")  # answered when everything is written
    reader = await CallReader.open(f"sqlite+aiosqlite:///{folder}/log.db")
    call = await reader.get_call(call_id)
    await reader.close()
    assert call is not None
    assert (call.call.carrier, call.call.end_reason) == ("browser", "caller_hung_up")
    left, right = heard(Path(call.recordings[0].path))
    said = next(turn for turn in call.turns if turn.role == "caller")
    assert rms(left, said.started_ms, said.ended_ms or 0) > 300
    told = next(turn for turn in call.turns if turn.kind == "reply")
    assert rms(right, told.started_ms, told.ended_ms or 0) > 300
    assert call.counters["starved_ms"] == 0


async def test_keys_are_pressed_and_the_microphone_muted(speaking, fresh, complaints):
    async with phone(speaking, fresh, complaints) as page:
        await page.get_by_role("button", name="Call", exact=True).click()
        await page.get_by_role("button", name="Key 5").click()
        await page.keyboard.press("#")
        await page.get_by_role("button", name="Mute").click()
        await expect(page.get_by_role("button", name="Unmute")).to_have_attribute("aria-pressed", "true")
        await page.get_by_role("button", name="Hang up").click()
        call_id = (await fresh.events("call_ended"))[0]["call_id"]
        answer = await page.request.get(f"/live/{call_id}/events")
        assert "event: ended" in await answer.text()


async def test_a_refused_microphone_is_explained(chromium_path, business, complaints):
    refusing = ("--use-fake-device-for-media-stream", "--deny-permission-prompts")
    async with browser(chromium_path, *refusing) as opened, phone(opened, business[0], complaints) as page:
        await page.get_by_role("button", name="Call", exact=True).click()
        await expect(page.get_by_role("alert")).to_contain_text("Allow it beside the address")


async def test_a_browser_without_a_microphone_is_explained(chromium_path, business, complaints):
    deaf = "--use-fake-ui-for-media-stream"
    async with browser(chromium_path, deaf) as opened, phone(opened, business[0], complaints) as page:
        await page.get_by_role("button", name="Call", exact=True).click()
        await expect(page.get_by_role("alert")).to_contain_text("No microphone was found")


def heard(path: Path) -> tuple[np.ndarray, np.ndarray]:
    samples = np.frombuffer(path.read_bytes()[44:], "<i2").reshape(-1, 2)
    return samples[:, 0], samples[:, 1]


def rms(channel: np.ndarray, start_ms: int, end_ms: int) -> float:
    part = channel[start_ms * LINE_HZ // 1000 : end_ms * LINE_HZ // 1000].astype(float)
    return float(np.sqrt(np.mean(part * part))) if len(part) else 0.0
