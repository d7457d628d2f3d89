"""How a server of text models wants to be asked: Chat Completions is spoken in dialects.

OpenAI takes `max_completion_tokens` and its newer models refuse the older `max_tokens`; Ollama and LM Studio know only
the older name and ignore the other, Mistral refuses it. Reasoning models refuse a temperature, some servers
`stream_options`. So the name goes by the server, and what a server refuses by name is said otherwise from then on, or
left out: callers are better served by an answer than by a setting.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog

from bot.errors import RequestFailedError
from bot.speech.openai_client import OpenAIClient

if TYPE_CHECKING:
    from openai import AsyncStream
    from openai.types.chat import ChatCompletionChunk

log = structlog.get_logger()

_OPENAI_HOSTS = ("openai.com", "openai.azure.com", "openrouter.ai")
_LIMITS = {"max_completion_tokens": "max_tokens", "max_tokens": "max_completion_tokens"}
_REFUSALS = frozenset({400, 422})


class ChatDialect:
    """What goes into each request of one model beside the conversation."""

    def __init__(
        self,
        client: OpenAIClient,
        model: str,
        *,
        temperature: float | None,
        max_output_tokens: int | None,
        reasoning_effort: str | None = None,
    ) -> None:
        self._client, self._model = client, model
        self._options: dict[str, Any] = {"stream_options": {"include_usage": True}}
        if temperature is not None:
            self._options["temperature"] = temperature
        if reasoning_effort is not None:
            self._options["reasoning_effort"] = reasoning_effort
        if max_output_tokens is not None:
            self._options[_limit_name(client.server.base_url)] = max_output_tokens
        self._renamed: set[str] = set()

    async def ask(
        self, messages: Sequence[Any], tools: Sequence[Any], more: Mapping[str, Any] = MappingProxyType({})
    ) -> "AsyncStream[ChatCompletionChunk]":
        """A stream that has begun; `more` is what cannot be left out. Raises `RequestFailedError`."""
        while True:
            options = dict(self._options)
            try:
                return await self._client.ask(self._model, self._request(messages, tools, {**more, **options}))
            except RequestFailedError as exc:
                if exc.status not in _REFUSALS or not self._learn(f"{exc.param} {exc}", options):
                    raise

    async def _request(
        self, messages: Sequence[Any], tools: Sequence[Any], more: Mapping[str, Any]
    ) -> "AsyncStream[ChatCompletionChunk]":
        offered = {"tools": [*tools]} if tools else {}
        create: Any = self._client.sdk.chat.completions.create  # its overloads know no options from a dictionary
        stream: AsyncStream[ChatCompletionChunk] = await create(
            model=self._model, messages=[*messages], stream=True, **offered, **more
        )
        return stream

    def _learn(self, complaint: str, sent: Mapping[str, Any]) -> bool:
        """Say otherwise, or leave out, what was refused by name; False if nothing of ours was."""
        refused = next((name for name in sent if name in complaint), None)
        if refused is None:
            return False
        if refused not in self._options:  # another call's request has taught us already
            return True
        value = self._options.pop(refused)
        other = _LIMITS.get(refused)
        if other is not None and other not in self._renamed:
            self._renamed.add(refused)
            self._options[other] = value
        else:
            other = None
        log.warning("parameter_refused", model=self._model, parameter=refused, instead=other or "it is left out")
        return True


def _limit_name(base_url: str) -> str:
    host = urlsplit(base_url).hostname or ""
    is_openai = any(host == known or host.endswith(f".{known}") for known in _OPENAI_HOSTS)
    return "max_completion_tokens" if is_openai else "max_tokens"
