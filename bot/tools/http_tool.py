"""A tool that is an HTTP endpoint of the operator's. What it is asked stands in request.py; here it is asked.

Neither arguments nor answers are logged, and of an answer that is an error the model learns the status alone: the body
may hold what is nobody's business.
"""

import asyncio
import random
import secrets
import time
from collections.abc import Mapping
from typing import Any

import aiohttp
import msgspec
import structlog

from bot.config import ToolConfig
from bot.errors import ToolError
from bot.tools.request import ToolRequest, tool_request
from bot.tools.spec import ToolContext, ToolSpec, output

log = structlog.get_logger()

FIRST_PAUSE_S = 0.25  # before the second try; twice as long before each further one


class _TryAgainError(ToolError):
    """It may go better in a moment."""


class HttpTool:
    def __init__(self, config: ToolConfig, spec: ToolSpec) -> None:
        self.spec = spec
        self.timeout_s = config.timeout_s
        self._config = config
        self._http: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        # The deadline is the toolbox's, over all tries; cookies of one caller are no business of the next one.
        endless = aiohttp.ClientTimeout(total=None, sock_connect=None)
        self._http = aiohttp.ClientSession(timeout=endless, cookie_jar=aiohttp.DummyCookieJar())

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> str:
        request = tool_request(self._config, arguments, context, secrets.token_hex(16), int(time.time()))
        for attempt in range(self._config.retries):
            try:
                return await self._ask(request)
            except _TryAgainError:
                await asyncio.sleep(FIRST_PAUSE_S * 2**attempt * random.uniform(0.5, 1.0))
        return await self._ask(request)

    async def _ask(self, request: ToolRequest) -> str:
        if self._http is None:
            raise ToolError(f"{self.spec.name} is not ready")
        try:
            async with self._http.request(
                request.method, request.url, headers=request.headers, data=request.body, allow_redirects=False
            ) as response:
                self._check_status(response.status)
                body = await self._read(response)
                return self._result(body, response.content_type, response.charset or "utf-8")
        except (aiohttp.ClientError, OSError) as exc:
            log.warning("tool_endpoint_failed", tool=self.spec.name, error=type(exc).__name__)
            raise _TryAgainError(f"{self.spec.name} could not be reached") from exc

    def _check_status(self, status: int) -> None:
        if 200 <= status < 300:
            return
        log.warning("tool_endpoint_failed", tool=self.spec.name, status=status)
        kind = _TryAgainError if status >= 500 else ToolError
        raise kind(f"{self.spec.name} answered with an error (HTTP status {status})")

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        body, limit = bytearray(), self._config.max_response_bytes
        async for part in response.content.iter_any():
            body += part
            if len(body) > limit:
                log.warning("tool_endpoint_failed", tool=self.spec.name, error="answer too long", limit_bytes=limit)
                raise ToolError(f"the answer of {self.spec.name} is too long to be read")
        return bytes(body)

    def _result(self, body: bytes, content_type: str, charset: str) -> str:
        is_json = content_type == "application/json" or content_type.endswith("+json")
        try:
            if is_json and body:
                return output(msgspec.json.decode(body))
            return output(body.decode(charset))
        except (msgspec.DecodeError, UnicodeDecodeError, LookupError, RecursionError) as exc:
            log.warning("tool_endpoint_failed", tool=self.spec.name, error=f"answer is no {content_type}")
            raise ToolError(f"the answer of {self.spec.name} cannot be read") from exc
