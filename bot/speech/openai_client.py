"""One server that speaks OpenAI's APIs over HTTP, through the official SDK: shared by every link that asks it.

The SDK costs about a second and 40 MB to import, so it comes with `start`, on a thread, and only where a link is
configured to use it. It asks again by itself when a connection fails or the server is busy or broken, after as long as
the server says (Retry-After) or twice as long each time; a server that wants more patience than `timeout_s` is not
waited for, since a caller is. Keys never reach the log.
"""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import aiohttp
import structlog

from bot.config import ModelServerConfig, OpenAIConfig
from bot.errors import RequestFailedError, VoiceError
from bot.model_check import check_model
from bot.speech.engine_names import EngineName, server_of, setting_of
from bot.speech.model_table import Use

if TYPE_CHECKING:
    import httpx2
    import openai

log = structlog.get_logger()

T = TypeVar("T")

_CONNECT_S = 5.0
_IDLE_S = 120.0
"""A caller thinks for longer than the SDK's five seconds, and a new connection costs two or three round trips."""
_NO_KEY = "none"  # a server on this machine may want none, but the SDK does


class OpenAIClient:
    def __init__(
        self, server: ModelServerConfig, *, setting: str = "openai", timeout_s: float = 30.0, retries: int = 2
    ) -> None:
        """`setting` is where the server is configured, for messages. `timeout_s` is the longest until the first
        answer, all tries included, and between two pieces of an answer."""
        self.server = server
        self.setting = setting
        self._timeout_s = timeout_s
        self._retries = retries
        self._sdk: openai.AsyncOpenAI | None = None

    async def start(self) -> None:
        """Any number of times; what takes long happens once."""
        if self._sdk is None:
            self._sdk = await asyncio.to_thread(self._made)

    async def close(self) -> None:
        if self._sdk is not None:
            await self._sdk.close()

    async def check(self, model: str, use: Use) -> None:
        """Raises `ConfigError` for a model that is not there, or a key that is refused."""
        async with aiohttp.ClientSession() as http:
            await check_model(model, use, self.server, http, datetime.now(UTC).date(), self.setting)

    @property
    def sdk(self) -> "openai.AsyncOpenAI":
        if self._sdk is None:
            raise VoiceError(f"the client of {self.server.base_url} was not started")
        return self._sdk

    async def ask(self, model: str, request: Awaitable[T]) -> T:
        """The first answer to a request of `sdk`: the whole, or a stream that is then read in `failures`."""
        with self.failures(model):
            async with asyncio.timeout(self._timeout_s):
                return await request

    @contextmanager
    def failures(self, model: str) -> Iterator[None]:
        """What the SDK raises in here is logged, and raised again as a `RequestFailedError`."""
        from bot.speech.openai_errors import SDK_ERRORS, Asked, failure

        try:
            yield
        except (*SDK_ERRORS, TimeoutError) as exc:
            failed = failure(exc, Asked(self.server, self.setting, model, self._timeout_s))
            self._log(failed, model)
            raise failed from exc

    def _log(self, failed: RequestFailedError, model: str) -> None:
        log.warning(
            "model_request_failed",
            server=self.server.base_url,
            model=model,
            status=failed.status,
            code=failed.code,
            request_id=failed.request_id,
            is_fatal=failed.is_fatal,
        )

    def _made(self) -> "openai.AsyncOpenAI":
        import httpx2
        import openai

        import bot.speech.openai_errors  # noqa: F401  (now, and not when the first request fails)

        timeout = httpx2.Timeout(self._timeout_s, connect=min(_CONNECT_S, self._timeout_s))
        limits = httpx2.Limits(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=_IDLE_S)
        hooks = {"response": [self._on_response]}
        # Not what the SDK would find in the environment: that may be meant for another server.
        payers: Any = {
            "OpenAI-Organization": self.server.organization or openai.Omit(),
            "OpenAI-Project": self.server.project or openai.Omit(),
        }
        sdk = openai.AsyncOpenAI(
            base_url=self.server.base_url,
            api_key=self.server.api_key or _NO_KEY,
            default_headers=payers,
            timeout=timeout,
            max_retries=self._retries,
            http_client=openai.DefaultAsyncHttpxClient(timeout=timeout, limits=limits, event_hooks=hooks),
        )
        _ = sdk.chat.completions, sdk.audio.speech, sdk.audio.transcriptions  # they load their types when first named
        return sdk

    async def _on_response(self, response: "httpx2.Response") -> None:
        """Of every try, also of those that the SDK makes again."""
        told = {
            "server": self.server.base_url,
            "path": response.request.url.path,
            "status": response.status_code,
            "request_id": response.headers.get("x-request-id"),
        }
        if response.is_success:
            log.debug("model_answered", **told)
            return
        log.info("model_refused", **told)
        if _patience_s(response.headers.get("retry-after", "")) > self._timeout_s:
            response.headers["x-should-retry"] = "false"  # what the SDK goes by


def client_of(openai: OpenAIConfig, engine: EngineName) -> OpenAIClient:
    """The client of an engine's server; raises `ConfigError` for one that is not configured."""
    server, setting = server_of(engine, openai), setting_of(engine)
    return OpenAIClient(server, setting=setting, timeout_s=openai.timeout_s, retries=openai.retries)


def _patience_s(retry_after: str) -> float:
    """Servers of OpenAI's kind write seconds; a date is left to the SDK."""
    try:
        return float(retry_after)
    except ValueError:
        return 0.0
