"""Who looked at what is written down as it happens, and only admins read it."""

import pytest
from aiohttp import web

from bot.review.pages import home
from bot.review.roles import Needs, Role
from bot.review.routes import Route
from bot.review.site import looked, now
from bot.serving import running
from tests.support.visitors import ADMIN, VIEWER, browsing, pages_config


async def a_look(request: web.Request) -> web.Response:
    await looked(request, request.match_info["call_id"], "recording", request.query.get("detail", ""))
    return web.Response(text="heard")


@pytest.fixture
async def service(tmp_path, monkeypatch):
    """A service with one more page: looking at it is written down."""
    monkeypatch.setattr(home, "ROUTES", [*home.ROUTES, Route("GET", "/look/{call_id}", a_look, Needs.VIEWER)])
    async with running(pages_config(tmp_path)) as running_service:
        yield running_service


async def test_a_look_is_written_with_who_what_and_from_where(service):
    there, url = service
    async with browsing(url) as viewer, browsing(url) as admin:
        await viewer.sign_in(VIEWER)
        await viewer.get("/look/call-1?detail=<b>whole</b>")
        token = await there.site.api_tokens.make("nightly", Role.VIEWER, ADMIN, now())
        async with admin.http.get(f"{url}/look/call-2", headers={"Authorization": f"Bearer {token}"}) as response:
            assert response.status == 200
        await admin.sign_in()
        page = (await admin.get("/access-log")).text
        assert page.index("token nightly") < page.index("call-1")  # the newest first
        for said in ("viewer", "Recording", "call-1", "call-2", "127.0.0.1", "&lt;b&gt;whole&lt;/b&gt;"):
            assert said in page
        assert "<b>whole" not in page
        page = (await admin.get("/access-log?who=viewer")).text
        assert ("call-1" in page, "call-2" in page) == (True, False)
        page = (await admin.get("/access-log?call_id=call-2")).text
        assert ("call-1" in page, "token nightly" in page) == (False, True)
        assert "Nobody, as far as it goes back" in (await admin.get("/access-log?who=nobody")).text
        assert (await viewer.get("/access-log")).status == 403


async def test_a_long_log_is_read_page_by_page(service):
    _, url = service
    async with browsing(url) as admin:
        await admin.sign_in()
        for number in range(52):
            await admin.get(f"/look/call-{number:02}")
        first = await admin.get("/access-log?who=admin")
        assert ("call-51" in first.text, "call-02" in first.text, "call-01" in first.text) == (True, True, False)
        onward = first.text.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
        second = await admin.get(onward)
        assert [f"call-{number:02}" in second.text for number in (2, 1, 0)] == [False, True, True]
        assert 'rel="next"' not in second.text
        assert "who=admin" in onward


async def test_what_cannot_be_written_down_is_not_shown(service):
    there, url = service
    async with browsing(url) as admin:
        await admin.sign_in()
        async with there.site.storage.writing() as connection:
            await connection.exec_driver_sql("DROP TABLE access_log")
        page = await admin.get("/look/call-1")
        assert (page.status, "heard" in page.text) == (503, False)


async def test_what_is_too_old_is_forgotten(tmp_path, monkeypatch):
    monkeypatch.setattr(home, "ROUTES", [*home.ROUTES, Route("GET", "/look/{call_id}", a_look, Needs.VIEWER)])
    async with running(pages_config(tmp_path)) as (there, url), browsing(url) as admin:
        await admin.sign_in()
        await admin.get("/look/call-old")
        async with there.site.storage.writing() as connection:
            await connection.exec_driver_sql("UPDATE access_log SET at = '2020-01-01 00:00:00.000000'")
    async with running(pages_config(tmp_path)) as (_, url), browsing(url) as admin:
        await admin.sign_in()
        await admin.get("/look/call-new")
        page = (await admin.get("/access-log")).text
        assert ("call-old" in page, "call-new" in page) == (False, True)
