"""The page of settings over real sockets: what everybody sees, what only an admin sets off, what stays hidden."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from bot.config import CarriersConfig, FactConfig, ToolConfig, TransferConfig, TwilioConfig
from bot.rehearsal.api import TwilioApi
from bot.review.pages.settings import sentence
from bot.serving import running
from tests.support.tones import ACCOUNT, TOKEN, tones_config
from tests.support.visitors import VIEWER, Browser, browsing, pages_config

HOSTILE = "<img src=x onerror=alert(1)>"
SECRET = "whsec_" + "QUJD" * 12


@asynccontextmanager
async def settings(folder, name="admin") -> AsyncIterator[tuple[Browser, TwilioApi]]:
    """Somebody who is signed in at a service with an emulated carrier."""
    tool = ToolConfig(
        name="book", description="Books.", url="https://u:p@tools.example.invalid/x?key=y", secret=SECRET,
        headers={"Authorization": "Bearer hidden-header"},
    )  # fmt: skip
    bots = tones_config(
        folder,
        facts=(FactConfig(ask=("When?", HOSTILE), answer=f"Now. {HOSTILE}"),),
        tools=(tool,),
        transfers={"office": TransferConfig(number="+15550009999")},
        numbers=("+15550002222",),
    ).bots
    async with TwilioApi(ACCOUNT, TOKEN) as api:
        twilio = TwilioConfig(account_sid=ACCOUNT, auth_token=TOKEN, api_base=api.url)
        config = msgspec.structs.replace(pages_config(folder), bots=bots, carriers=CarriersConfig(twilio=twilio))
        async with running(config) as (_, url), browsing(url) as browser:
            await browser.sign_in(name)
            yield browser, api


async def test_it_shows_webhooks_bots_and_facts_and_no_secret(tmp_path):
    async with settings(tmp_path) as (browser, api):
        page = await browser.get("/settings")
        assert page.status == 200
        assert f"{browser.url}/twilio/voice" in page.text
        assert f"{browser.url}/twilio/status" in page.text
        assert 'href="/phone?bot=tones"' in page.text
        assert "<code>book</code>" in page.text
        assert "office" in page.text
        assert "<img" not in page.text
        for secret in (TOKEN, SECRET, "hidden-header", "u:p@", "+15550009999"):
            assert secret not in page.text
        assert api.requests == []  # looking at the page asks nobody


async def test_an_admin_has_it_checked_and_sees_since_when_that_holds(tmp_path):
    async with settings(tmp_path) as (browser, api):
        api.numbers = {"+15550002222": f"{browser.url}/twilio/voice"}
        page = await browser.submit("/settings", "/settings")
        assert page.status == 200
        assert "Twilio accepts the token, and the account is active" in page.text
        assert f"+1555•••2222 leads to {browser.url}/twilio/voice" in page.text
        assert "An admin can sign in" in page.text
        assert "Checked <time" in page.text
        asked = len(api.requests)
        assert asked == 2
        assert "Twilio accepts the token" in (await browser.get("/settings")).text  # kept
        assert len(api.requests) == asked


async def test_a_viewer_sees_the_bots_and_may_not_check(tmp_path):
    async with settings(tmp_path, VIEWER) as (browser, api):
        page = await browser.get("/settings")
        assert "A greeting of tones" in page.text
        assert "Check now" not in page.text
        assert (await browser.submit("/settings", "/settings")).status == 403
        assert api.requests == []


async def test_without_a_carrier_it_says_what_the_webhooks_would_be(tmp_path):
    config = msgspec.structs.replace(pages_config(tmp_path), carriers=CarriersConfig())
    async with running(config) as (_, url), browsing(url) as browser:
        await browser.sign_in()
        assert "No carrier yet" in (await browser.get("/settings")).text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("an admin can sign in", "An admin can sign in"),
        ("server.port is 0", "server.port is 0"),
        ("https://a leads here", "https://a leads here"),
        ("", ""),
    ],
)
def test_findings_begin_as_sentences_do(text, shown):
    assert sentence(text) == shown
