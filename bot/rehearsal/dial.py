"""The carrier as an HTTP client: webhooks with the fields and the signature that Twilio sends."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from secrets import token_hex
from urllib.parse import urlencode, urlsplit

import aiohttp
from yarl import URL

from bot.carrier import twilio_signature
from bot.errors import RehearsalError

WEBHOOK_TIMEOUT_S = 15.0  # Twilio then gives up: error 11205
_TIMEOUT = aiohttp.ClientTimeout(total=WEBHOOK_TIMEOUT_S)
_SOCKET_TIMEOUT = aiohttp.ClientWSTimeout(ws_close=2.0)
_FORM = "application/x-www-form-urlencoded; charset=UTF-8"
_XML_TYPES = frozenset({"text/xml", "application/xml"})


class WebhookError(RehearsalError):
    """The server did not answer a webhook as Twilio needs it; the message begins with Twilio's error number."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where the server is, and by which origin the carrier knows it (the same one unless a proxy stands between)."""

    server: str
    public: str

    def as_public(self, url: str) -> str:
        return self._moved(url, self.server, self.public)

    def as_local(self, url: str) -> str:
        return self._moved(url, self.public, self.server)

    @staticmethod
    def _moved(url: str, old: str, new: str) -> str:
        for scheme in ("http", "ws"):
            start, end = (scheme + origin.removeprefix("http") for origin in (old, new))
            if url == start or url.startswith((start + "/", start + "?")):
                return end + url[len(start) :]
        return url


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise RehearsalError(f"the server's address is {url!r}; write it like http://127.0.0.1:8080")
    return f"{parts.scheme}://{parts.netloc}"


def new_sid(prefix: str) -> str:
    """An identifier shaped like Twilio's: two letters and 32 hexadecimal digits."""
    return prefix + token_hex(16)


class Dialler:
    """Sends one call's webhooks. URLs are public ones; the route says where they really go."""

    def __init__(self, session: aiohttp.ClientSession, auth_token: str, route: Route) -> None:
        self._session = session
        self._auth_token = auth_token
        self._route = route

    async def twiml(self, url: str, method: str, form: Mapping[str, str]) -> str:
        """The document that the server answers with; raises `WebhookError`."""
        async with self._request(url, method, form) as response:
            body = await response.text(errors="replace")
            if response.status != 200:
                raise WebhookError(f"11200: the webhook answered {response.status}: {body[:200].strip()}")
            if response.content_type not in _XML_TYPES:
                raise WebhookError(f"12300: the webhook answered with {response.content_type}, not with text/xml")
            return body

    async def tell(self, url: str, form: Mapping[str, str]) -> str:
        """Send a status callback; returns what went wrong, if anything did: nobody waits for its answer."""
        try:
            async with self._request(url, "POST", form) as response:
                return "" if response.status < 400 else f"11200: a status callback answered {response.status}"
        except WebhookError as exc:
            return str(exc)

    async def open_socket(self, url: str) -> aiohttp.ClientWebSocketResponse:
        """The media socket, its handshake signed; raises `WebhookError` if the server does not take it."""
        headers = {twilio_signature.HEADER: twilio_signature.sign(self._auth_token, url)}
        try:
            return await self._session.ws_connect(self._route.as_local(url), headers=headers, timeout=_SOCKET_TIMEOUT)
        except aiohttp.WSServerHandshakeError as exc:
            raise WebhookError(f"31920: the media socket answered {exc.status} instead of 101") from exc
        except (aiohttp.ClientError, OSError, ValueError) as exc:
            raise WebhookError(f"31920: the media socket {url} cannot be reached: {exc}") from exc

    @asynccontextmanager
    async def _request(self, url: str, method: str, form: Mapping[str, str]) -> AsyncIterator[aiohttp.ClientResponse]:
        headers, body = {}, None
        if method == "GET":
            url += ("&" if urlsplit(url).query else "?") + urlencode(form)
            signature = twilio_signature.sign(self._auth_token, url)
        else:
            headers["Content-Type"], body = _FORM, urlencode(form)
            signature = twilio_signature.sign(self._auth_token, url, tuple(form.items()))
        headers[twilio_signature.HEADER] = signature
        try:
            async with self._session.request(
                method,
                URL(self._route.as_local(url), encoded=True),  # what is signed is what is sent
                headers=headers,
                data=body,
                timeout=_TIMEOUT,
                allow_redirects=False,
            ) as response:
                yield response
        except TimeoutError as exc:
            raise WebhookError(f"11205: {url} did not answer within {WEBHOOK_TIMEOUT_S:.0f} s") from exc
        except (aiohttp.ClientError, OSError) as exc:
            raise WebhookError(f"11205: {url} cannot be reached: {exc}") from exc
