"""Signing in, staying signed in and signing out, as browsers notice it: real requests to a real service."""

from bot.serving import running
from tests.support.visitors import VIEWER, browsing, pages_config


async def test_who_is_not_signed_in_is_asked_to_and_comes_back_to_what_they_wanted(tmp_path):
    async with running(pages_config(tmp_path)) as (_, url), browsing(url) as browser:
        page = await browser.get("/")
        assert (page.status, page.path) == (200, "/sign-in")
        form = {"name": VIEWER, "password": "window lantern gravel", "next": "/calls?a=1"}
        page = await browser.post("/sign-in", form, follow=False)
        assert (page.status, page.headers["Location"]) == (303, "/calls?a=1")
