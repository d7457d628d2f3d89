"""Visitors of the pages in tests: accounts with known passwords, and a browser that is made of aiohttp."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import msgspec
from argon2 import PasswordHasher
from yarl import URL

from bot.config import Config, ReviewConfig
from tests.support.tones import tones_config

ADMIN, VIEWER = "admin", "viewer"
PASSWORDS = {ADMIN: "paper kettle harbour", VIEWER: "window lantern gravel"}
_QUICK = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
HASHES = {name: _QUICK.hash(password) for name, password in PASSWORDS.items()}
HTML = {"Accept": "text/html"}
_FORM_TOKEN = re.compile(r'<meta name="csrf-token" content="([^"]+)">')


def pages_config(folder: Path, *, public_url: str = "", **review: object) -> Config:
    """A service of tones with an admin and a viewer."""
    hashes = {"admin_password_hash": HASHES[ADMIN], "viewer_password_hash": HASHES[VIEWER]}
    config = tones_config(folder)
    server = msgspec.structs.replace(config.server, public_url=public_url)
    return msgspec.structs.replace(config, server=server, review=ReviewConfig(**(hashes | review)))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Shown:
    """What came back, with the body read."""

    status: int
    headers: Mapping[str, str]
    text: str
    path: str

    @property
    def is_inside(self) -> bool:
        """Whether somebody is signed in on this page."""
        return '<body class="signed-in"' in self.text

    @property
    def form_token(self) -> str:
        found = _FORM_TOKEN.search(self.text)
        assert found is not None, f"no form token on {self.path}"
        return found[1]


class Browser:
    """Keeps cookies, asks for HTML, follows redirects, says where its requests come from as browsers do."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self.url = url
        self.http = http

    async def get(self, path: str, *, follow: bool = True, **headers: str) -> Shown:
        return await self._ask("GET", path, None, follow, headers)

    async def post(self, path: str, form: Mapping[str, str], *, follow: bool = True, **headers: str) -> Shown:
        """As a form of our own pages sends it, but for its token; headers are written with _ for -."""
        return await self._ask(
            "POST", path, form, follow, {"Sec_Fetch_Site": "same-origin", "Origin": self.url} | headers
        )

    async def submit(self, page: str, path: str, **form: str) -> Shown:
        """Open a page and send a form of it."""
        token = (await self.get(page)).form_token
        return await self.post(path, {"csrf": token} | form)

    async def sign_in(self, name: str = ADMIN, password: str = "", **headers: str) -> Shown:
        return await self.post("/sign-in", {"name": name, "password": password or PASSWORDS[name]}, **headers)

    def cookie(self, name: str) -> str | None:
        found = self.http.cookie_jar.filter_cookies(URL(self.url)).get(name)
        return None if found is None else found.value

    def set_cookie(self, name: str, value: str | None) -> None:
        """As somebody with the browser's developer tools could."""
        assert value is not None
        self.http.cookie_jar.update_cookies({name: value}, URL(self.url))

    async def _ask(
        self, method: str, path: str, form: Mapping[str, str] | None, follow: bool, headers: Mapping[str, str]
    ) -> Shown:
        sent = HTML | {name.replace("_", "-"): value for name, value in headers.items() if value}
        async with self.http.request(
            method, self.url + path, data=form, headers=sent, allow_redirects=follow
        ) as response:
            return Shown(response.status, response.headers, await response.text(), response.url.path_qs)


@asynccontextmanager
async def browsing(url: str) -> AsyncIterator[Browser]:
    """A browser with an empty cookie jar."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        yield Browser(url, http)
