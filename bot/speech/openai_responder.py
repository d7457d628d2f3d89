"""A text model behind Chat Completions thinks up what the bot says: sentence by sentence, while it still writes.

The model is told the bot's instructions, then what was said; of the bot's own words only those that the caller heard.
Whoever stops listening to `respond` (a barge-in cancels its task) closes the request, and the model stops writing; what
it had written until then is charged all the same, but servers do not say how much, so it is missing from the costs.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from bot.config import PriceConfig
from bot.errors import ConfigError, RequestFailedError, VoiceError
from bot.speech.called_tools import CalledTools
from bot.speech.chat_deltas import choice_of, text_of
from bot.speech.chat_dialect import ChatDialect
from bot.speech.chat_messages import function_tool, messages
from bot.speech.links import Role, Said, Say, Spent, UseTool
from bot.speech.long_conversations import is_too_long, newer_half
from bot.speech.model_table import Use, lookup
from bot.speech.openai_client import OpenAIClient
from bot.speech.prices import Price, cost_usd, number, price_of
from bot.speech.sentences import Sentences, plain
from bot.speech.thoughts import Thoughts
from bot.tools.spec import ToolSpec

if TYPE_CHECKING:
    from openai import AsyncStream
    from openai.types.chat import ChatCompletionChunk
    from openai.types.completion_usage import CompletionUsage

log = structlog.get_logger()


class OpenAIResponder:
    def __init__(
        self,
        client: OpenAIClient,
        model: str,
        *,
        instructions: str = "",
        tools: Sequence[ToolSpec] = (),
        temperature: float | None = None,
        max_output_tokens: int | None = None,
        reasoning_effort: str | None = None,
        prices: Mapping[str, PriceConfig] | None = None,
    ) -> None:
        """Raises `ConfigError` for a model of which it is known that it does not write."""
        if (known := lookup(model)) is not None:
            instead = 'voice = "audio-chat"' if Use.CHAT in known.uses else "a text model"
            raise ConfigError(f"{model!r} cannot be a responder, since it is made for sound: write {instead}")
        self.name = f"openai:{model}"
        self._client, self._model = client, model
        self._instructions = instructions
        self._tools = [function_tool(tool) for tool in tools]
        self._dialect = ChatDialect(
            client,
            model,
            temperature=temperature,
            max_output_tokens=max_output_tokens,
            reasoning_effort=reasoning_effort,
        )
        self._price = price_of(model, prices or {})

    async def start(self) -> None:
        await self._client.start()
        await self._client.check(self._model, Use.CHAT)

    async def close(self) -> None:
        """The client belongs to whoever made it."""

    async def respond(self, history: Sequence[Said]) -> AsyncIterator[Say | UseTool | Spent]:
        """All text, then all tools, then the cost; raises `VoiceError`, also for an answer of neither text nor tools.

        Such an answer is good where the model had spoken before it used a tool: it has nothing to add.
        """
        answer, splitter = _Answer(), Sentences()
        stream = await self._asked(history)
        async with stream:
            with self._client.failures(self._model):
                async for chunk in stream:
                    for piece in splitter.push(answer.read(chunk)):
                        if (say := _sentence(piece)) is not None:
                            answer.sentences += 1
                            yield say
        rest = _sentence("".join([*splitter.push(answer.thoughts.flush()), splitter.flush()]))
        if rest is not None and (answer.is_whole or not answer.sentences):
            answer.sentences += 1
            yield rest
        tools = answer.calls.tools(said.call_id for said in history) if answer.is_whole else []
        for tool in tools:
            yield tool
        if answer.usage is not None:
            yield _spent(self._model, answer.usage, self._price)
        self._judge(answer, tools, history)

    async def _asked(self, history: Sequence[Said]) -> "AsyncStream[ChatCompletionChunk]":
        """Told less, once, where all is more than the model can read."""
        try:
            return await self._dialect.ask(messages(self._instructions, history), self._tools)
        except RequestFailedError as exc:
            newer = newer_half(history, lambda said: said.role is Role.CALLER, _size) if is_too_long(exc) else history
            if len(newer) == len(history):
                raise
        log.warning("conversation_shortened", model=self._model, turns=len(history), told=len(newer))
        return await self._dialect.ask(messages(self._instructions, newer), self._tools)

    def _judge(self, answer: "_Answer", tools: Sequence[UseTool], history: Sequence[Said]) -> None:
        if not answer.is_whole:
            log.warning("answer_cut_off", model=self._model, reason=answer.finish_reason)
        if answer.sentences or tools or (answer.finish_reason == "stop" and _is_answered(history)):
            return
        raise VoiceError(f"the model {self._model!r} gave no answer: {_REMEDIES.get(answer.finish_reason, _NOTHING)}")


_NOTHING = "it wrote nothing; see whether its instructions allow that"
_REMEDIES = {
    "length": "chained.max_output_tokens was used up, perhaps by thinking; raise it",
    "content_filter": "the server's content filter withheld it; see the bot's instructions",
    "": "the server ended its stream early; check the server",
}


@dataclass(slots=True)
class _Answer:
    """One stream of chunks, as far as it was read."""

    sentences: int = 0
    finish_reason: str = ""
    usage: "CompletionUsage | None" = None
    calls: CalledTools = field(default_factory=CalledTools)
    thoughts: Thoughts = field(default_factory=Thoughts)

    @property
    def is_whole(self) -> bool:
        """Else its last sentence may be half a one, and the arguments of a tool half an object."""
        return self.finish_reason not in ("length", "content_filter")

    def read(self, chunk: "ChatCompletionChunk") -> str:
        """The text that a chunk adds."""
        self.usage = getattr(chunk, "usage", None) or self.usage
        if (choice := choice_of(chunk)) is None:
            return ""
        self.finish_reason = choice.finish_reason or self.finish_reason
        if (delta := choice.delta) is None:  # against the specification, but some do
            return ""
        self.calls.add(delta.tool_calls)
        return self.thoughts.push(text_of(delta))


def _is_answered(history: Sequence[Said]) -> bool:
    """Whether the bot has said something and then used a tool, since the caller spoke.

    Who could not be put through waits to hear that.
    """
    if history[-1].role is not Role.TOOL or history[-1].tag == "transfer":
        return False
    last = next((said.role for said in reversed(history) if said.role is not Role.TOOL), None)
    return last is Role.BOT


def _size(said: Said) -> int:
    return len(said.text) + len(said.arguments)


def _sentence(piece: str) -> Say | None:
    text = plain(piece)
    return Say(text) if any(letter.isalnum() for letter in text) else None


def _spent(model: str, usage: "CompletionUsage", price: Price) -> Spent:
    read = number(usage.prompt_tokens)
    cached = min(read, number(getattr(usage.prompt_tokens_details, "cached_tokens", None)))
    counted = {"text_in": read - cached, "text_cached": cached, "text_out": number(usage.completion_tokens)}
    return Spent(model, counted, cost_usd(counted, price))
