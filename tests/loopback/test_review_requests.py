"""What holds for every page: foreign requests are refused, headers are strict, errors are pages without a trace."""

import json
import re

import pytest

from bot.calllog import access_schema
from bot.review import headers
from bot.review.pages import home
from bot.review.roles import Needs
from bot.review.routes import Route
from bot.serving import running
from tests.support.visitors import VIEWER, browsing, pages_config


@pytest.fixture
async def browser(tmp_path):
    async with running(pages_config(tmp_path)) as (_, url), browsing(url) as browser:
        yield browser


@pytest.fixture
async def signed_in(browser):
    await browser.sign_in()
    return browser


ELSEWHERE = [
    {"Sec_Fetch_Site": "cross-site", "Origin": "https://evil.example"},
    {"Sec_Fetch_Site": "same-site", "Origin": "https://other.example.com"},
    {"Sec_Fetch_Site": "", "Origin": "https://evil.example"},
    {"Sec_Fetch_Site": "", "Origin": "null"},
]


@pytest.mark.parametrize("origin", ELSEWHERE)
async def test_another_site_can_change_nothing_even_with_the_right_token(signed_in, origin):
    token = (await signed_in.get("/account")).form_token
    page = await signed_in.post("/sign-out", {"csrf": token}, **origin)
    assert page.status == 403
    assert "Another site sent this request" in page.text
    assert (await signed_in.get("/account")).path == "/account"


@pytest.mark.parametrize("origin", ELSEWHERE)
async def test_another_site_cannot_sign_somebody_in(browser, origin):
    assert (await browser.sign_in(VIEWER, **origin)).status == 403
    assert browser.cookie("offhook") is None


async def test_another_site_cannot_open_a_socket_with_our_cookies(signed_in):
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec_Fetch_Site": "", "Origin": "https://evil.example"}
    assert (await signed_in.get("/account", **upgrade)).status == 403


async def test_links_from_elsewhere_lead_to_the_page(signed_in):
    page = await signed_in.get("/account", Sec_Fetch_Site="cross-site")
    assert (page.status, page.path) == (200, "/account")


@pytest.mark.parametrize("token", ["", "x", "AAAA", "A" * 88])
async def test_a_form_without_the_token_of_its_session_does_nothing(signed_in, token):
    page = await signed_in.post("/sign-out", {"csrf": token} if token else {})
    assert page.status == 403
    assert "This form is out of date" in page.text
    assert (await signed_in.get("/account")).path == "/account"


async def test_the_token_of_another_session_does_not_fit(signed_in):
    before = (await signed_in.get("/account")).form_token
    await signed_in.sign_in()
    assert (await signed_in.post("/sign-out", {"csrf": before})).status == 403


async def test_scripts_of_our_pages_send_the_token_in_a_header(signed_in):
    token = (await signed_in.get("/account")).form_token
    page = await signed_in.post("/sign-out", {}, X_CSRF_Token=token)
    assert page.path == "/sign-in"


async def test_each_page_has_a_form_token_of_its_own_that_fits(signed_in):
    tokens = {(await signed_in.get("/account")).form_token for _ in range(3)}
    assert len(tokens) == 3  # a compressed page gives nothing away by its length


PATHS = ["/sign-in", "/account", "/access-log", "/nowhere", "/static/0/offhook.css", "/static/0/nothing.js"]


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_has_strict_headers(signed_in, path):
    page = await signed_in.get(path, follow=False)
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert page.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert page.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "microphone=()" in page.headers["Permissions-Policy"]
    assert re.fullmatch(r"[0-9a-f]{16}", page.headers["X-Request-Id"])


@pytest.mark.parametrize("path", ["/sign-in", "/account", "/people", "/nowhere"])
async def test_pages_are_kept_by_no_cache_and_hold_no_script_or_style(browser, path):
    await browser.sign_in()
    page = await browser.get(path)
    assert page.headers["Cache-Control"] == "no-store"
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", page.text)


def test_the_microphone_is_for_pages_that_say_so():
    assert headers.permissions_policy(microphone=True).startswith("microphone=(self), ")
    assert not Route("GET", "/", home.home, Needs.VIEWER).uses_microphone


async def test_files_are_cached_for_good_by_the_hash_in_their_address(browser):
    page = await browser.get("/sign-in")
    (address,) = re.findall(r'href="(/static/[0-9a-f]{12}/offhook\.css)"', page.text)
    async with browser.http.get(browser.url + address) as response:
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert response.headers["Content-Encoding"] == "gzip"
        assert response.content_type == "text/css"
        assert int(response.headers["Content-Length"]) < 10_000
    yesterdays = await browser.get("/static/0123456789ab/offhook.css")
    assert (yesterdays.status, yesterdays.headers["Cache-Control"]) == (200, "no-cache")


async def test_who_takes_no_gzip_gets_none(browser):
    async with browser.http.get(
        f"{browser.url}/static/0/offhook.css", headers={"Accept-Encoding": "identity"}
    ) as plain:
        assert "Content-Encoding" not in plain.headers
        assert (await plain.read()).startswith(b"/* The look")


@pytest.mark.parametrize("name", ["../config.py", "..%2fsite.py", "%2e%2e/site.py", "/etc/passwd", "..\\site.py"])
async def test_no_other_file_is_served(browser, name):
    assert (await browser.get(f"/static/0/{name}")).status == 404


async def test_an_unknown_page_is_a_page(signed_in):
    page = await signed_in.get("/nowhere/<script>alert(1)</script>")
    assert page.status == 404
    assert "There is nothing here" in page.text
    assert page.headers["X-Request-Id"] in page.text
    assert "<script>alert" not in page.text


async def test_a_wrong_method_says_which_is_right(signed_in):
    page = await signed_in.post("/access-log", {})
    assert (page.status, page.headers["Allow"]) == (405, "GET")


async def test_scripts_get_json_for_an_error(browser):
    async with browser.http.get(f"{browser.url}/account") as response:
        assert response.status == 401
        error = (await response.json())["error"]
        assert error["code"] == "not_signed_in"
        assert error["request_id"] == response.headers["X-Request-Id"]
    assert json.loads((await browser.get("/api/nowhere")).text)["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    "cursor", ["x", "2026-01-01_1", "2026-01-01T00:00:00+00:00_x", "_", "2026-01-01T00:00:00+00:00_" + "9" * 30]
)
async def test_a_senseless_address_is_a_bad_request(signed_in, cursor):
    page = await signed_in.get(f"/access-log?before={cursor.replace('+', '%2B')}")
    assert page.status == 400
    assert "That request makes no sense" in page.text


async def test_a_fault_of_ours_is_a_page_with_the_number_that_finds_it_in_the_log(tmp_path, monkeypatch, capsys):
    async def broken(_: object) -> None:
        raise RuntimeError("a secret in a trace")

    monkeypatch.setattr(home, "ROUTES", [*home.ROUTES, Route("GET", "/broken", broken, Needs.ANYBODY)])  # type: ignore[arg-type]
    async with running(pages_config(tmp_path)) as (_, url), browsing(url) as browser:
        page = await browser.get("/broken")
        assert page.status == 500
        assert "Something went wrong at our end" in page.text
        assert "Traceback" not in page.text
        assert "secret" not in page.text
        request_id = page.headers["X-Request-Id"]
        assert request_id in page.text
    logged = capsys.readouterr().out
    assert "page_crashed" in logged
    assert request_id in logged


async def test_a_database_that_fails_is_said_to_and_is_no_crash(tmp_path, capsys):
    async with running(pages_config(tmp_path)) as (service, url), browsing(url) as browser:
        await browser.sign_in()
        async with service.site.storage.writing() as connection:
            await connection.run_sync(access_schema.access_log.drop)
        page = await browser.get("/access-log")
        assert (page.status, page.headers["Retry-After"]) == (503, "10")
        assert "Not at the moment" in page.text
        assert "access_log" not in page.text.partition("<main")[2]
    assert "page_failed" in capsys.readouterr().out


async def test_the_theme_is_kept_in_a_cookie(browser):
    page = await browser.post("/theme", {"theme": "dark", "next": "/sign-in"})
    assert '<html lang="en" data-theme="dark">' in page.text
    page = await browser.post("/theme", {"theme": "system", "next": "/sign-in"})
    assert '<html lang="en">' in page.text
    page = await browser.post("/theme", {"theme": '"><script>', "next": "//evil.example"}, follow=False)
    assert page.headers["Location"] == "/"
    assert "script" not in page.headers.get("Set-Cookie", "")
