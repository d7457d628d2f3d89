"""Accounts from the first link on: set-up, invitations, forgotten passwords, removal, API tokens."""

import asyncio
import re

import pytest

from bot.review.roles import Role
from bot.review.site import now
from bot.serving import running
from tests.support.visitors import ADMIN, VIEWER, browsing, pages_config

NEW = "bicycle marmalade fog"
FORM = {"password": NEW, "repeated": NEW}
LINK = re.compile(r"/welcome/([\w-]{43})")


@pytest.fixture
async def service(tmp_path):
    """A service and its address, without any account."""
    config = pages_config(tmp_path, admin_password_hash="", viewer_password_hash="")
    async with running(config) as running_service:
        yield running_service


@pytest.fixture
async def admin(service):
    """The first admin, whose account is not in the configuration."""
    there, url = service
    token = await there.site.links.make(ADMIN, Role.ADMIN, "", now())
    async with browsing(url) as browser:
        await browser.post(f"/welcome/{token}", FORM)
        yield browser


def announced(capsys) -> str:
    """The path of the link in the log."""
    return re.findall(r"open_this_link_once=http://[\d.:]+(/welcome/\S+)", capsys.readouterr().out)[-1]


async def test_the_first_link_makes_the_admin_and_signs_them_in(service, capsys):
    there, url = service
    await there.site.announce()
    link = announced(capsys)
    async with browsing(url) as browser:
        assert "Nobody can sign in yet. The log of the service shows a link" in (await browser.get("/sign-in")).text
        assert "who may see and change everything" in (await browser.get(link)).text
        page = await browser.post(link, FORM)
        assert (page.status, page.is_inside) == (200, True)
        assert "Your password is set. You are signed in." in page.text
    async with browsing(url) as browser:
        assert (await browser.sign_in(ADMIN, NEW)).is_inside
    await there.site.announce()
    assert "no_admin_yet" not in capsys.readouterr().out


async def test_a_link_opens_once(service, capsys):
    there, url = service
    await there.site.announce()
    link = announced(capsys)
    async with browsing(url) as first, browsing(url) as second:
        pages = await asyncio.gather(first.post(link, FORM), second.post(link, FORM))
        assert sorted(page.status for page in pages) == [200, 410]
        assert (await second.get(link)).status == 410


async def test_a_new_start_makes_a_new_link_and_the_one_before_is_void(service, capsys):
    there, url = service
    await there.site.announce()
    before = announced(capsys)
    await there.site.announce()
    async with browsing(url) as browser:
        assert (await browser.get(before)).status == 410
        assert (await browser.get(announced(capsys))).status == 200


async def test_a_link_expires(service):
    there, url = service
    token = await there.site.links.make(ADMIN, Role.ADMIN, "", now().replace(year=2020))
    async with browsing(url) as browser:
        assert (await browser.get(f"/welcome/{token}")).status == 410
        assert (await browser.post(f"/welcome/{token}", FORM)).status == 410


async def test_with_a_hash_in_the_configuration_no_link_is_made(tmp_path, capsys):
    async with running(pages_config(tmp_path)) as (there, _):
        await there.site.announce()
    assert "no_admin_yet" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("password", "repeated", "said"),
    [
        ("short", "short", "at least 12 characters"),
        (NEW, NEW + "!", "are not the same"),
        ("a" * 20, "a" * 20, "too easy to guess"),
        ("x" * 2000, "x" * 2000, "too long"),
        ("", "", "at least 12 characters"),
    ],
)
async def test_a_password_that_will_not_do_is_refused_and_the_link_stays(service, password, repeated, said):
    there, url = service
    token = await there.site.links.make(ADMIN, Role.ADMIN, "", now())
    async with browsing(url) as browser:
        page = await browser.post(f"/welcome/{token}", {"password": password, "repeated": repeated})
        assert (page.status, said in page.text) == (400, True)
        assert (await browser.post(f"/welcome/{token}", FORM)).status == 200


async def test_the_database_does_not_hold_the_password(admin, service):
    there, _ = service
    account = await there.site.accounts.find(ADMIN)
    assert account is not None
    assert account.password_hash.startswith("$argon2id$v=19$m=65536,t=3,p=1$")


async def test_a_changed_password_signs_the_other_browsers_out(admin, service):
    _, url = service
    async with browsing(url) as other:
        await other.sign_in(ADMIN, NEW)
        form = {"current": NEW, "password": "another good password", "repeated": "another good password"}
        page = await admin.submit("/account", "/account/password", **form)
        assert "Your password is changed." in page.text
        assert (await admin.get("/account")).path == "/account"
        assert (await other.get("/account")).path == "/sign-in?next=/account"
        assert (await other.sign_in(ADMIN, NEW)).status == 403
        assert (await other.sign_in(ADMIN, "another good password")).is_inside


async def test_the_present_password_is_asked_for_and_cannot_be_guessed(admin):
    form = {"current": "not the password", "password": "another good password", "repeated": "another good password"}
    statuses = [(await admin.submit("/account", "/account/password", **form)).status for _ in range(6)]
    assert statuses == [403] * 5 + [429]


async def test_a_password_of_the_configuration_is_changed_there(tmp_path):
    async with running(pages_config(tmp_path)) as (_, url), browsing(url) as browser:
        await browser.sign_in()
        assert "stands in the configuration" in (await browser.get("/account")).text
        assert (await browser.submit("/account", "/account/password", current="x", **FORM)).status == 403


async def test_somebody_is_invited_forgets_their_password_and_leaves(admin, service):
    _, url = service
    page = await admin.submit("/people", "/people", name=" Sam@Example.com", role="viewer")
    (invitation,) = set(LINK.findall(page.text))
    async with browsing(url) as sam:
        assert (await sam.post(f"/welcome/{invitation}", FORM)).is_inside
        assert (await sam.get("/people")).status == 403
        page = await admin.submit("/people", "/people/sam@example.com/link")
        (renewal,) = set(LINK.findall(page.text))
        assert (await sam.get("/account")).path == "/account"  # until it is used
        await sam.post(f"/welcome/{renewal}", {"password": "yet another password", "repeated": "yet another password"})
        assert (await sam.sign_in("sam@example.com", NEW)).status == 403
        assert (await sam.sign_in("sam@example.com", "yet another password")).is_inside
        assert "The account is removed." in (await admin.submit("/people", "/people/sam@example.com/remove")).text
        assert (await sam.get("/account")).path == "/sign-in?next=/account"


@pytest.mark.parametrize("name", ["", "a b", "<script>", "x" * 65, "-x", "é", "../x"])
async def test_a_name_that_is_none_is_refused(admin, name):
    page = await admin.submit("/people", "/people", name=name, role="viewer")
    assert (page.status, "Use 1 to 64 letters" in page.text) == (400, True)


async def test_nobody_is_invited_twice_or_with_a_role_that_is_none(admin):
    assert (await admin.submit("/people", "/people", name=ADMIN, role="viewer")).status == 409
    assert (await admin.submit("/people", "/people", name="sam", role="owner")).status == 400


async def test_admins_cannot_remove_themselves_or_whom_the_configuration_names(tmp_path, admin):
    assert (await admin.submit("/people", f"/people/{ADMIN}/remove")).status == 403
    assert (await admin.submit("/people", "/people/nobody/remove")).status == 404
    async with running(pages_config(tmp_path / "second")) as (_, url), browsing(url) as browser:
        await browser.sign_in()
        for act in ("remove", "link"):
            assert (await browser.submit("/people", f"/people/{VIEWER}/{act}")).status == 403


async def test_a_token_is_shown_once_and_named_as_text(admin):
    page = await admin.submit("/account/tokens", "/account/tokens", name="<i>nightly</i>", role="viewer")
    (token,) = set(re.findall(r"offhook_[\w-]{43}", page.text))
    assert page.status == 201
    assert "&lt;i&gt;nightly&lt;/i&gt;" in page.text
    assert "<i>nightly" not in page.text
    assert token not in (await admin.get("/account/tokens")).text


@pytest.mark.parametrize(("name", "role"), [("", "viewer"), ("x" * 61, "viewer"), ("a\nb", "viewer"), ("x", "owner")])
async def test_a_token_without_a_name_or_role_is_not_made(admin, name, role):
    page = await admin.submit("/account/tokens", "/account/tokens", name=name, role=role)
    assert (page.status, "offhook_" in page.text.partition("<section")[2]) == (400, False)
