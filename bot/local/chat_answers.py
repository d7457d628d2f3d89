"""Who thinks up the text of a chat completion: the bot's own facts, or a text model that the operator configured.

Both take the conversation as text and give sentences and function calls as they come.
"""

import json
import re
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bot.errors import RequestFailedError
from bot.local.chat_body import Function, ToolCall
from bot.local.errors import RequestError
from bot.speech.links import Responder, Role, Said, Say, UseTool
from bot.speech.openai_client import OpenAIClient
from bot.speech.sentences import Sentences

Piece = str | ToolCall
"""Text to be added to the answer, with its spaces; or a function to be called, after all text."""

TEXT_MODEL = 'chained.responder = "openai:MODEL", and openai.base_url for a server other than OpenAI\'s'
"""How free conversation is configured."""

_ROLES = {"user": Role.CALLER, "assistant": Role.BOT, "tool": Role.TOOL, "function": Role.TOOL}


@dataclass(frozen=True, slots=True)
class Turn:
    """A message of the conversation, in words."""

    role: str  # as on the wire
    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None


class Answerer(Protocol):
    name: str

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    def answer(self, turns: Sequence[Turn], options: Mapping[str, Any]) -> AsyncIterator[Piece]:
        """The next words; raises `RequestError` for options that cannot be followed, `VoiceError` for failures."""


class FactsAnswerer:
    """The receptionist of `speech/facts.py`; functions it knows (`hang_up` …) are called if they are offered."""

    name = "facts"

    def __init__(self, responder: Responder) -> None:
        self._responder = responder
        self._tags: dict[str, str] = {}  # what it meant by its sentences, of which there is a limited number

    async def start(self) -> None:
        """The responder belongs to whoever made it."""

    async def close(self) -> None: ...

    async def answer(self, turns: Sequence[Turn], options: Mapping[str, Any]) -> AsyncIterator[Piece]:
        offered = _offered(options)
        _refuse_what_facts_cannot(options)
        is_first = True
        async for part in self._responder.respond(self._history(turns)):
            if isinstance(part, UseTool):
                if part.name in offered:
                    yield ToolCall(
                        f"call_{secrets.token_hex(12)}", Function(part.name, json.dumps(dict(part.arguments)))
                    )
                continue
            if isinstance(part, Say):
                self._tags[part.text] = part.tag
                yield part.text if is_first else f" {part.text}"
                is_first = False

    def _history(self, turns: Sequence[Turn]) -> Sequence[Said]:
        """What was said, sentence by sentence; where nobody has yet spoken, a hello."""
        names = {call.id: call.function.name for turn in turns for call in turn.tool_calls}
        said: list[Said] = []
        for turn in turns:
            role = _ROLES.get(turn.role)
            if role is Role.BOT:
                said += [Said(role, text, self._tags.get(text, "")) for text in self._known(turn.text)]
            elif role is not None:
                said.append(Said(role, turn.text, names.get(turn.tool_call_id or "", "")))
        if not said or said[-1].role is Role.BOT:
            said.append(Said(Role.CALLER, "" if said else "Hello."))
        return said

    def _known(self, text: str) -> Sequence[str]:
        """Its own sentences in a text; a text of another origin stays whole."""
        found = [sentence.strip() for sentence in re.split(r"(?<=[.!?])\s+", text)]
        known = [sentence for sentence in found if sentence in self._tags]
        return known if len(known) == len(found) else [text]


class UpstreamAnswerer:
    """A text model behind the Chat Completions of any server that speaks OpenAI's API."""

    def __init__(self, client: OpenAIClient, model: str) -> None:
        self._client, self.name = client, model

    async def start(self) -> None:
        await self._client.start()

    async def close(self) -> None:
        await self._client.close()

    async def answer(self, turns: Sequence[Turn], options: Mapping[str, Any]) -> AsyncIterator[Piece]:
        calls: dict[int, dict[str, str]] = {}
        create = self._client.sdk.chat.completions.create
        asked = create(
            model=self.name, messages=[_on_the_wire(turn) for turn in turns], stream=True, extra_body=dict(options)
        )
        try:
            async with await self._client.ask(self.name, asked) as stream:
                with self._client.failures(self.name):
                    async for chunk in stream:
                        for choice in chunk.choices[:1]:
                            if choice.delta.content:
                                yield choice.delta.content
                            for call in choice.delta.tool_calls or ():
                                _add(calls.setdefault(call.index, {"id": "", "name": "", "arguments": ""}), call)
        except RequestFailedError as exc:
            status = exc.status if exc.status is not None and exc.status < 500 else 502
            raise RequestError(
                f"The text model {self.name} did not answer: {exc}", exc.param, exc.code, status
            ) from exc
        for _, made in sorted(calls.items()):
            yield ToolCall(made["id"], Function(made["name"], made["arguments"]))


async def sentences(pieces: AsyncIterator[Piece]) -> AsyncIterator[Piece]:
    """The same, with the text in whole sentences as soon as each is complete; joined, nothing is changed."""
    splitter = Sentences()
    async for piece in pieces:
        if isinstance(piece, str):
            for sentence in splitter.push(piece):
                yield sentence
            continue
        if rest := splitter.flush():
            yield rest
        yield piece
    if rest := splitter.flush():
        yield rest


def _on_the_wire(turn: Turn) -> Any:
    message: dict[str, Any] = {"role": turn.role, "content": turn.text}
    if turn.tool_calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.function.name, "arguments": call.function.arguments},
            }
            for call in turn.tool_calls
        ]
    if turn.tool_call_id is not None:
        message["tool_call_id"] = turn.tool_call_id
    return message


def _add(call: dict[str, str], delta: Any) -> None:
    call["id"] = delta.id or call["id"]
    if delta.function is not None:
        call["name"] += delta.function.name or ""
        call["arguments"] += delta.function.arguments or ""


def _offered(options: Mapping[str, Any]) -> frozenset[str]:
    if options.get("tool_choice") == "none":
        return frozenset()
    return frozenset(tool.get("function", {}).get("name", "") for tool in options.get("tools", ()))


def _refuse_what_facts_cannot(options: Mapping[str, Any]) -> None:
    configure = f"configure a text model: {TEXT_MODEL}"
    if options.get("tool_choice", "auto") not in ("auto", "none"):
        raise RequestError(
            f"The bot's facts decide by themselves which function to call: leave tool_choice out, or {configure}.",
            "tool_choice",
            "unsupported_value",
        )
    if options.get("response_format", {}).get("type", "text") != "text":
        raise RequestError(
            f"The bot's facts are plain text: leave response_format out, or {configure}.",
            "response_format",
            "unsupported_value",
        )
