"""The pages of several processes are those of one: signed in, locked out and let in by whichever answers."""

from tests.support.process import serving
from tests.support.visitors import ADMIN, HASHES, browsing

ASK = 12  # on connections of their own, so that more than one worker answers


async def test_who_is_signed_in_at_one_worker_is_so_at_all_and_one_link_is_made(tmp_path):
    async with serving(tmp_path, "--workers", "2") as service:
        link = (await service.events("no_admin_yet"))[0]["open_this_link_once"].removeprefix(service.url)
        async with browsing(service.url) as browser:
            form = {"password": "bicycle marmalade fog", "repeated": "bicycle marmalade fog"}
            assert (await browser.post(link, form, Connection="close")).status == 200
            pages = [await browser.get("/account", Connection="close") for _ in range(ASK)]
            assert [page.path for page in pages] == ["/account"] * ASK
            assert len({page.text.partition("/static/")[2][:12] for page in pages}) == 1
            await browser.submit("/account", "/sign-out")
            assert {(await browser.get("/account", Connection="close")).path for _ in range(ASK)} == {
                "/sign-in?next=/account"
            }
        assert len(service.logged("no_admin_yet")) == 1


async def test_wrong_passwords_are_counted_over_all_workers(tmp_path):
    environment = {"OFFHOOK_REVIEW_ADMIN_PASSWORD_HASH": HASHES[ADMIN]}
    async with serving(tmp_path, "--workers", "2", **environment) as service, browsing(service.url) as browser:
        statuses = [(await browser.sign_in(ADMIN, "not the password", Connection="close")).status for _ in range(8)]
        assert statuses == [403] * 5 + [429] * 3
