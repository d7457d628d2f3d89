"""Who may go where: every route of the application is walked, signed out, as a viewer, as an admin and with tokens."""

import re

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.review.application import PAGES
from bot.review.roles import Needs, Role
from bot.review.routes import Route
from bot.review.site import now
from bot.server import application
from bot.service import Service
from bot.serving import running
from tests.support.visitors import ADMIN, VIEWER, browsing, pages_config

ROUTES = [route for page in PAGES for route in page.ROUTES]
NO_PAGE = re.compile(r"/\w+/(voice|status|transferred)|/media/\w+/\{token\}|/healthz|/readyz|/metrics")
"""What proves by a signature or a ticket that it may come in, and what tells nothing of a call."""
REFUSED = (401, 403)
DECIDED_BY_THE_PAGE = {"/sign-in", "/account/password"}
"""They refuse by what a form holds: a wrong password, or one that stands in the configuration."""


def some_path(route: Route) -> str:
    """The route's path with something in the place of its variables."""
    return re.sub(r"\{\w+(:[^{}]*(\{[^{}]*\}[^{}]*)*)?\}", "1", route.path)


async def status(browser, route: Route, **headers: str) -> int:
    ours = {"Sec_Fetch_Site": "same-origin"} | headers
    sent = {name.replace("_", "-"): value for name, value in ours.items()} | {"Accept": "application/json"}
    path = browser.url + some_path(route)
    async with browser.http.request(route.method, path, headers=sent, allow_redirects=False) as response:
        return response.status  # the rest may be a stream without an end


async def test_every_route_is_a_carriers_a_machines_or_declares_what_it_needs(tmp_path):
    service = Service(pages_config(tmp_path), "http://127.0.0.1")
    app = application(service)
    routes = [route for route in app.router.routes() if route.resource is not None]
    undeclared = {route.resource.canonical for route in routes if route not in service.site.routes}
    assert {path for path in undeclared if not NO_PAGE.fullmatch(path)} == set()
    assert len(service.site.routes) == len(ROUTES) == len(routes) - sum(r not in service.site.routes for r in routes)
    await service.stop()


async def test_who_is_not_signed_in_gets_no_further_than_the_door(tmp_path):
    async with running(pages_config(tmp_path)) as (_, url), browsing(url) as browser:
        for route in ROUTES:
            is_refused = await status(browser, route) == 401
            assert is_refused == (route.needs in (Needs.VIEWER, Needs.ADMIN)), route


async def test_a_viewer_gets_in_where_a_viewer_may_and_nowhere_else(tmp_path):
    async with running(pages_config(tmp_path)) as (_, url), browsing(url) as browser:
        for route in ROUTES:
            await browser.sign_in(VIEWER)
            token = (await browser.get("/account")).form_token
            found = await status(browser, route, X_CSRF_Token=token)
            if route.path not in DECIDED_BY_THE_PAGE:
                assert (found in REFUSED) == (route.needs is Needs.ADMIN), route


async def test_a_script_gets_in_by_its_tokens_role_but_not_where_accounts_and_tokens_are_made(tmp_path):
    async with running(pages_config(tmp_path)) as (service, url), browsing(url) as browser:
        for role in Role:
            token = await service.site.api_tokens.make("a script", role, ADMIN, now())
            for route in ROUTES:
                found = await status(browser, route, Authorization=f"Bearer {token}")
                if (route.needs is Needs.ADMIN and role is Role.VIEWER) or route.people_only:
                    assert found == 403, route
                elif route.path not in DECIDED_BY_THE_PAGE:
                    assert found not in REFUSED, route


@pytest.mark.parametrize(
    "authorization", ["Bearer offhook_of_no_use", "Bearer ", "Bearer", "Basic YWRtaW46YWRtaW4=", "offhook_x", ""]
)
async def test_a_token_that_opens_nothing_is_refused_even_beside_a_cookie_that_does(tmp_path, authorization):
    async with running(pages_config(tmp_path)) as (_, url), browsing(url) as browser:
        await browser.sign_in()
        async with browser.http.get(f"{url}/access-log", headers={"Authorization": authorization}) as response:
            assert (response.status, response.headers["WWW-Authenticate"]) == (401, "Bearer")
            assert (await response.json())["error"]["code"] == "not_signed_in"


async def test_a_revoked_token_opens_nothing_any_more(tmp_path):
    async with running(pages_config(tmp_path)) as (service, url), browsing(url) as browser:
        tokens = service.site.api_tokens
        token = await tokens.make("a script", Role.ADMIN, ADMIN, now())
        headers = {"Authorization": f"bearer {token}"}
        assert (await browser.get("/access-log", **headers)).status == 200
        (made,) = await tokens.all()
        assert made.used_at is not None
        assert made.used_from == "127.0.0.1"
        await tokens.revoke(made.id, now())
        async with browser.http.get(f"{url}/access-log", headers=headers) as response:
            assert response.status == 401


async def test_a_route_that_nobody_declared_is_refused_to_everybody(tmp_path):
    async def secret(_: web.Request) -> web.Response:
        return web.Response(text="a call")

    service = Service(pages_config(tmp_path), "http://127.0.0.1")
    app = application(service)
    app.router.add_get("/secret", secret)
    await service.start()
    async with TestServer(app) as server:
        url = str(server.make_url("")).rstrip("/")
        async with browsing(url) as browser:
            await browser.sign_in()
            page = await browser.get("/secret")
            assert page.status == 404
            assert "a call" not in page.text
    await service.stop()


async def test_carriers_and_machines_need_no_sign_in_and_get_no_page(tmp_path):
    async with running(pages_config(tmp_path)) as (_, url), browsing(url) as browser:
        for path, expected in (("/healthz", 200), ("/readyz", 200), ("/metrics", 200), ("/twilio/voice", 403)):
            page = await browser.get(path)
            assert page.status == expected
            assert "Content-Security-Policy" not in page.headers
        assert (await browser.get("/media/twilio/nothing")).text == (
            "This media socket was not announced, or was opened before."
        )
