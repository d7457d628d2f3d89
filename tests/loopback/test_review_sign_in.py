"""Signing in, staying signed in and signing out, as browsers notice it: real requests to a real service."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from bot.calllog.access_schema import sign_ins
from bot.review.tokens import token_hash
from bot.serving import running
from tests.support.visitors import ADMIN, HASHES, PASSWORDS, VIEWER, browsing, pages_config


@pytest.fixture
async def url(tmp_path):
    async with running(pages_config(tmp_path)) as (_, url):
        yield url


@pytest.fixture
async def browser(url):
    async with browsing(url) as browser:
        yield browser


async def test_who_is_not_signed_in_is_asked_to_and_comes_back_to_what_they_wanted(browser):
    page = await browser.get("/account?a=1")
    assert (page.status, page.path) == (200, "/sign-in?next=/account?a%3D1")
    page = await browser.post("/sign-in", {"name": VIEWER, "password": PASSWORDS[VIEWER], "next": "/account?a=1"})
    assert (page.status, page.path) == (200, "/account?a=1")
    assert "You may look at every call" in page.text


@pytest.mark.parametrize("elsewhere", ["//evil.example", "/\\evil.example", "https://evil.example", "/\nevil", ""])
async def test_signing_in_leads_to_no_other_site(browser, elsewhere):
    form = {"name": VIEWER, "password": PASSWORDS[VIEWER], "next": elsewhere}
    assert (await browser.post("/sign-in", form, follow=False)).headers["Location"] == "/"


async def test_a_name_is_the_same_however_the_keyboard_writes_it(browser):
    assert (await browser.sign_in(" Admin ", PASSWORDS[ADMIN])).is_inside


@pytest.mark.parametrize(("name", "password"), [(ADMIN, PASSWORDS[VIEWER]), ("nobody", PASSWORDS[ADMIN]), ("", "")])
async def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(browser, name, password):
    page = await browser.post("/sign-in", {"name": name, "password": password})
    assert page.status == 403
    assert "That name and password do not belong together." in page.text
    assert "Set-Cookie" not in page.headers


async def test_a_name_is_shown_again_as_text(browser):
    page = await browser.post("/sign-in", {"name": '"><script>alert(1)</script>', "password": "x"})
    assert "<script>alert" not in page.text
    assert "&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;" in page.text


async def test_too_many_wrong_passwords_lock_the_account_also_for_the_right_one(browser):
    for _ in range(5):
        assert (await browser.sign_in(ADMIN, "not the password")).status == 403
    page = await browser.sign_in(ADMIN)
    assert page.status == 429
    assert "Too many wrong passwords. Try again in a minute." in page.text
    assert 25 <= int(page.headers["Retry-After"]) <= 30
    assert (await browser.sign_in(VIEWER)).status == 200  # the others can sign in


async def test_attempts_at_the_same_moment_are_counted_each(browser):
    pages = await asyncio.gather(*(browser.sign_in(ADMIN, "not the password") for _ in range(8)))
    assert sorted(page.status for page in pages) == [403] * 5 + [429] * 3


async def test_a_right_password_lets_the_account_begin_anew(browser):
    for _ in range(3):
        for _ in range(4):
            assert (await browser.sign_in(ADMIN, "not the password")).status == 403
        assert (await browser.sign_in(ADMIN)).status == 200


async def test_one_address_cannot_try_one_account_after_the_other(browser):
    statuses = [(await browser.sign_in(f"name-{number}", "whatever it is")).status for number in range(21)]
    assert statuses == [403] * 20 + [429]


async def test_behind_a_proxy_visitors_have_their_own_addresses(tmp_path):
    config = pages_config(tmp_path, proxies="127.0.0.1")
    async with running(config) as (_, url), browsing(url) as browser:
        for number in range(20):
            await browser.sign_in(f"name-{number}", "whatever it is", X_Forwarded_For="198.51.100.7")
        assert (await browser.sign_in(X_Forwarded_For="198.51.100.7")).status == 429
        assert (await browser.sign_in(X_Forwarded_For="198.51.100.7, 198.51.100.8")).status == 200


async def test_without_a_proxy_nobody_chooses_their_address(browser):
    for number in range(20):
        await browser.sign_in(f"name-{number}", "whatever it is", X_Forwarded_For=f"198.51.100.{number}")
    assert (await browser.sign_in(X_Forwarded_For="203.0.113.1")).status == 429


async def test_the_cookie_is_kept_from_scripts_and_other_sites(browser):
    page = await browser.sign_in(VIEWER, follow=False)
    cookie = page.headers["Set-Cookie"]
    assert cookie.startswith("offhook=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie  # there is no TLS here


async def test_with_tls_the_cookie_belongs_to_this_host_alone(tmp_path):
    async with (
        running(pages_config(tmp_path, public_url="https://bot.example.com")) as (_, url),
        browsing(url) as browser,
    ):
        page = await browser.sign_in(VIEWER, follow=False, Origin="https://bot.example.com")
    cookie = page.headers["Set-Cookie"]
    assert cookie.startswith("__Host-offhook=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/", "Secure"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000"


async def test_the_database_does_not_hold_what_the_cookie_holds(tmp_path):
    async with running(pages_config(tmp_path)) as (service, url), browsing(url) as browser:
        await browser.sign_in()
        token = browser.cookie("offhook")
        async with service.site.storage.reading() as connection:
            (row,) = (await connection.execute(sign_ins.select())).mappings()
    assert token is not None
    assert token not in str(row)
    assert row["token_hash"] == token_hash(token)


async def test_signing_in_makes_a_session_that_nobody_had_before(browser):
    browser.set_cookie("offhook", "chosen-by-somebody-else")
    await browser.sign_in()
    first = browser.cookie("offhook")
    await browser.sign_in()
    assert len({"chosen-by-somebody-else", first, browser.cookie("offhook")}) == 3
    browser.set_cookie("offhook", first)
    assert (await browser.get("/account")).path.startswith("/sign-in")  # the one before has ended


async def test_signing_out_ends_the_session_wherever_its_cookie_is(browser):
    await browser.sign_in()
    token = browser.cookie("offhook")
    page = await browser.submit("/account", "/sign-out")
    assert (page.path, "You are signed out." in page.text) == ("/sign-in", True)
    assert browser.cookie("offhook") is None
    browser.set_cookie("offhook", token)
    assert (await browser.get("/account")).path.startswith("/sign-in")


async def test_signing_out_everywhere_ends_all_sessions_of_one_account(url):
    async with AsyncExitStack() as stack:
        here, there, other = [await stack.enter_async_context(browsing(url)) for _ in range(3)]
        for browser, name in ((here, ADMIN), (there, ADMIN), (other, VIEWER)):
            await browser.sign_in(name)
        await here.submit("/account", "/account/sign-out-everywhere")
        assert [(await browser.get("/account")).path for browser in (here, there, other)] == [
            "/sign-in?next=/account",
            "/sign-in?next=/account",
            "/account",
        ]


async def test_one_browser_can_be_signed_out_from_another(url):
    async with browsing(url) as here, browsing(url) as there:
        await there.sign_in(ADMIN)
        await here.sign_in(ADMIN)
        number = (await here.get("/account")).text.partition("/account/sign-ins/")[2].partition("/")[0]
        assert "That browser is signed out." in (await here.submit("/account", f"/account/sign-ins/{number}/end")).text
        assert (await there.get("/account")).path == "/sign-in?next=/account"
        assert (await here.get("/account")).path == "/account"


async def test_nobody_ends_a_session_of_somebody_else(url):
    async with browsing(url) as admin, browsing(url) as viewer:
        await admin.sign_in(ADMIN)
        await viewer.sign_in(VIEWER)
        for number in range(1, 4):
            await viewer.submit("/account", f"/account/sign-ins/{number}/end")
            if (await viewer.get("/account")).path != "/account":
                await viewer.sign_in(VIEWER)
        assert (await admin.get("/account")).path == "/account"


async def test_a_session_ends_when_nobody_uses_it(tmp_path):
    async with running(pages_config(tmp_path, session_h=1e-9)) as (_, url), browsing(url) as browser:
        await browser.sign_in(follow=False)
        assert (await browser.get("/account")).path == "/sign-in?next=/account"


async def test_a_changed_hash_in_the_configuration_signs_everybody_out(tmp_path):
    async with running(pages_config(tmp_path)) as (_, url), browsing(url) as browser:
        await browser.sign_in()
        token = browser.cookie("offhook")
    changed = pages_config(tmp_path, admin_password_hash=HASHES[VIEWER])
    async with running(changed) as (_, url), browsing(url) as browser:
        browser.set_cookie("offhook", token)
        assert (await browser.get("/account")).path == "/sign-in?next=/account"
