"""A model behind Chat Completions that hears what a caller said and answers with sound, as 16-bit samples at 24,000 Hz.

The answer's sound and its words come side by side while they are made; a model without a voice answers in writing, and
may use this link all the same. Whoever stops listening to `converse` closes the request, and the model stops; what it
had made until then is charged, but servers do not say how much, so it is missing from the costs.
https://platform.openai.com/docs/guides/audio
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pybase64
import structlog

from bot.config import PriceConfig
from bot.errors import ConfigError, RequestFailedError, VoiceError
from bot.speech.audio_chat_messages import messages
from bot.speech.called_tools import CalledTools
from bot.speech.chat_deltas import choice_of, text_of
from bot.speech.chat_dialect import ChatDialect
from bot.speech.chat_messages import function_tool
from bot.speech.conversing import (
    Aside,
    BotTurn,
    CallerTurn,
    Finished,
    Forgotten,
    Kept,
    Part,
    Sound,
    ToolTurn,
    Turn,
    Words,
    Written,
)
from bot.speech.links import Spent
from bot.speech.long_conversations import is_too_long, newer_half
from bot.speech.model_table import Use, lookup
from bot.speech.openai_client import OpenAIClient
from bot.speech.prices import Price, cost_usd, number, price_of
from bot.tools.spec import ToolSpec

if TYPE_CHECKING:
    from openai import AsyncStream
    from openai.types.chat import ChatCompletionChunk
    from openai.types.chat.chat_completion_chunk import ChoiceDeltaAudio
    from openai.types.completion_usage import CompletionUsage

log = structlog.get_logger()

_REFUSALS = frozenset({400, 404, 422})
_WHOLE = frozenset({"stop", "tool_calls", "function_call"})


class OpenAIAudioChat:
    rate_hz = 24000

    def __init__(
        self,
        client: OpenAIClient,
        model: str,
        *,
        speaker: str = "marin",
        instructions: str = "",
        tools: Sequence[ToolSpec] = (),
        temperature: float | None = None,
        max_output_tokens: int | None = None,
        prices: Mapping[str, PriceConfig] | None = None,
    ) -> None:
        """`speaker` is one of OpenAI's voices or the id of a custom one (`voice_…`).

        Raises `ConfigError` for a model of which it is known that it does not converse.
        """
        if (known := lookup(model)) is not None and Use.CHAT not in known.uses:
            raise ConfigError(f"{model!r} cannot be audio_chat.model: write a model of Chat Completions with audio")
        self.name = f"openai:{model}"
        self._client, self._model = client, model
        self._instructions = instructions
        self._tools = [function_tool(tool) for tool in tools]
        self._spoken: dict[str, Any] = {
            "modalities": ["text", "audio"],
            "audio": {"voice": {"id": speaker} if speaker.startswith("voice_") else speaker, "format": "pcm16"},
        }
        self._dialect = ChatDialect(client, model, temperature=temperature, max_output_tokens=max_output_tokens)
        self._price = price_of(model, prices or {})

    async def start(self) -> None:
        await self._client.start()
        await self._client.check(self._model, Use.CHAT)

    async def close(self) -> None:
        """The client belongs to whoever made it."""

    async def converse(self, turns: Sequence[Turn], *, may_use_tools: bool = True) -> AsyncIterator[Part]:
        """The answer as it comes, then its tools and its cost; raises `VoiceError`."""
        without = {} if may_use_tools or not self._tools else {"tool_choice": "none"}
        try:
            stream = await self._asked(turns, {**self._spoken, **without})
        except RequestFailedError as exc:
            if exc.status not in _REFUSALS or not _names_sounds(turns):
                raise
            yield Forgotten(str(exc))  # whatever else is wrong will be refused again, in words
            return
        answer = _Answer()
        async with stream:
            with self._client.failures(self._model):
                async for chunk in stream:
                    for part in answer.read(chunk):
                        yield part
        for part in answer.rest(turn.call_id for turn in turns if isinstance(turn, ToolTurn)):
            yield part
        if answer.usage is not None:
            yield _spent(self._model, answer.usage, self._price)

    async def _asked(self, turns: Sequence[Turn], more: Mapping[str, Any]) -> "AsyncStream[ChatCompletionChunk]":
        """Told less, once, where all is more than the model can hear."""
        try:
            return await self._dialect.ask(messages(self._instructions, turns), self._tools, more)
        except RequestFailedError as exc:
            newer = newer_half(turns, lambda turn: isinstance(turn, CallerTurn), _size) if is_too_long(exc) else turns
            if len(newer) == len(turns):
                raise
        log.warning("conversation_shortened", model=self._model, turns=len(turns), told=len(newer))
        return await self._dialect.ask(messages(self._instructions, newer), self._tools, more)


def _size(turn: Turn) -> int:
    """In characters, of which a token has four: a second of sound is ten tokens."""
    match turn:
        case CallerTurn(text, pcm):
            return len(pcm) // 400 or len(text)
        case ToolTurn(_, output):
            return len(output)
        case BotTurn(text) | Aside(text):
            return len(text)


def _names_sounds(turns: Sequence[Turn]) -> bool:
    return any(isinstance(turn, BotTurn) and turn.audio_id for turn in turns)


@dataclass(slots=True)
class _Answer:
    """One stream of chunks, as far as it was read."""

    audio_id: str = ""
    expires_at: int = 0
    finish_reason: str = ""
    usage: "CompletionUsage | None" = None
    calls: CalledTools = field(default_factory=CalledTools)

    def read(self, chunk: "ChatCompletionChunk") -> Iterator[Part]:
        self.usage = getattr(chunk, "usage", None) or self.usage
        if (choice := choice_of(chunk)) is None:
            return
        self.finish_reason = choice.finish_reason or self.finish_reason
        if (delta := choice.delta) is None:  # against the specification, but some do
            return
        self.calls.add(delta.tool_calls)
        if delta.audio is not None:
            yield from self._heard(delta.audio)
        if text := text_of(delta):
            yield Written(text)

    def _heard(self, audio: "ChoiceDeltaAudio") -> Iterator[Part]:
        self.audio_id = audio.id or self.audio_id
        self.expires_at = audio.expires_at or self.expires_at
        if audio.transcript:
            yield Words(audio.transcript)
        if audio.data:
            yield Sound(_decoded(audio.data))

    def rest(self, taken: Iterable[str]) -> Iterator[Part]:
        """What is known once the stream is over; of tools only whole ones."""
        if self.audio_id and self.expires_at:
            yield Kept(self.audio_id, self.expires_at)
        yield Finished(self.finish_reason)
        if self.finish_reason in _WHOLE:
            yield from self.calls.tools(taken)


def _decoded(data: str) -> bytes:
    try:
        return pybase64.b64decode(data, validate=True)
    except ValueError as exc:
        raise VoiceError("the model's sound is not base64: check the server") from exc


def _spent(model: str, usage: "CompletionUsage", price: Price) -> Spent:
    """Servers do not say which of the tokens that the model remembered were sound: the words come first."""
    read, made = usage.prompt_tokens_details, usage.completion_tokens_details
    all_in, all_out = number(usage.prompt_tokens), number(usage.completion_tokens)
    audio_in = min(all_in, number(getattr(read, "audio_tokens", None)))
    audio_out = min(all_out, number(getattr(made, "audio_tokens", None)))
    cached = number(getattr(read, "cached_tokens", None))
    text_in = all_in - audio_in
    text_cached = min(cached, text_in)
    audio_cached = min(cached - text_cached, audio_in)
    counted = {
        "audio_in": audio_in - audio_cached,
        "audio_cached": audio_cached,
        "audio_out": audio_out,
        "text_in": text_in - text_cached,
        "text_cached": text_cached,
        "text_out": all_out - audio_out,
    }
    return Spent(model, counted, cost_usd(counted, price))
