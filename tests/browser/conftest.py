"""A real browser (Debian's Chromium) on the pages of a real `offhook serve` with a seeded call log.

All tests in this folder share one event loop, one browser and, unless they ask for a service of their own (`fresh`),
one service. A page on which the browser complains (a script error, something the Content-Security-Policy forbids) fails
its test.
"""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright

from tests.support.process import Serving, serving
from tests.support.seeded import seed
from tests.support.visitors import ADMIN, HASHES, PASSWORDS, VIEWER

DESKTOP = {"width": 1280, "height": 800}
TIMEOUT_MS = 15_000
PHONE = {"width": 390, "height": 844}
_FOLDER = Path(__file__).parent
_NOT_A_COMPLAINT = "Failed to load resource"  # what the browser says of every answer that is an error, ours too


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(_FOLDER):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("no Chromium: apt-get install chromium")
    return path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium(chromium_path: str) -> AsyncIterator[Browser]:
    options = ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    options += ["--use-fake-device-for-media-stream", "--autoplay-policy=no-user-gesture-required"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path, args=options)
        yield browser
        await browser.close()


@asynccontextmanager
async def service_of(folder: Path, *options: str, **environment: str) -> AsyncIterator[Serving]:
    """`offhook serve` with a seeded call log, an admin and a viewer."""
    await seed(f"sqlite+aiosqlite:///{folder}/log.db", folder / "recordings")
    accounts = {f"OFFHOOK_REVIEW_{name.upper()}_PASSWORD_HASH": HASHES[name] for name in (ADMIN, VIEWER)}
    async with serving(folder, *options, **(accounts | environment)) as service:
        yield service


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """Where the service that these tests share listens."""
    async with service_of(tmp_path_factory.mktemp("service")) as service:
        yield service.url


@pytest_asyncio.fixture(loop_scope="session")
async def fresh(tmp_path: Path) -> AsyncIterator[Serving]:
    """A service for one test, which may change whatever it likes."""
    async with service_of(tmp_path) as service:
        yield service


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What the browser has complained of; empty when the test ends."""
    found: list[str] = []
    yield found
    assert found == []


@asynccontextmanager
async def window(
    chromium: Browser, url: str, complaints: list[str], *, size: dict[str, int] | None = None, dark: bool = False
) -> AsyncIterator[Page]:
    """A page with cookies of its own, nobody signed in."""
    context: BrowserContext = await chromium.new_context(
        base_url=url, viewport=size or DESKTOP, color_scheme="dark" if dark else "light", locale="en-GB",
        timezone_id="Europe/Berlin", reduced_motion="reduce",
    )  # fmt: skip
    context.set_default_timeout(TIMEOUT_MS)
    page = await context.new_page()

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(_NOT_A_COMPLAINT):
            complaints.append(f"{page.url}: {message.text}")

    page.on("console", heard)
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    try:
        yield page
    finally:
        await context.close()


async def sign_in(page: Page, name: str = ADMIN) -> None:
    """As somebody would: with the form."""
    await page.goto("/sign-in")
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password").fill(PASSWORDS[name])
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url(lambda there: "/sign-in" not in there)


@pytest_asyncio.fixture(loop_scope="session")
async def anonymous(chromium: Browser, url: str, complaints: list[str]) -> AsyncIterator[Page]:
    """A page on which nobody is signed in."""
    async with window(chromium, url, complaints) as page:
        yield page


@pytest_asyncio.fixture(loop_scope="session")
async def admin(chromium: Browser, url: str, complaints: list[str]) -> AsyncIterator[Page]:
    """A page of the admin."""
    async with window(chromium, url, complaints) as page:
        await sign_in(page, ADMIN)
        yield page


@pytest_asyncio.fixture(loop_scope="session")
async def viewer(chromium: Browser, url: str, complaints: list[str]) -> AsyncIterator[Page]:
    """A page of the viewer."""
    async with window(chromium, url, complaints) as page:
        await sign_in(page, VIEWER)
        yield page
