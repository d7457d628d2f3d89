"""A model behind Chat Completions, asked one thing at a time: text or sound in, text or spoken text out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pybase64

from bot.analysis.joining import Json
from bot.analysis.spending import Tally
from bot.errors import VoiceError
from bot.speech.openai_client import OpenAIClient


@dataclass(frozen=True, slots=True)
class Reply:
    text: str
    sound: bytes = b""  # a file in the format that was asked for; empty where none was


@dataclass(frozen=True, slots=True)
class ChatModel:
    """The client must have been started; what is spent is added to the tally, if there is one."""

    client: OpenAIClient
    model: str
    tally: Tally | None = None

    async def answer(self, instructions: str, said: str | Sequence[Json], **how: Any) -> Reply:
        """`said` is a text or the parts of a message; `how` are more fields of the request. Raises `VoiceError`."""
        messages = [{"role": "system", "content": instructions}, {"role": "user", "content": said}]
        create: Any = self.client.sdk.chat.completions.create
        completion = await self.client.ask(self.model, create(model=self.model, messages=messages, **how))
        if self.tally is not None and completion.usage is not None:
            self.tally.add(self.model, completion.usage.to_dict(), 0.0)
        message = completion.choices[0].message if completion.choices else None
        if message is None or message.refusal:
            why = message.refusal if message is not None else "nothing"
            raise VoiceError(f"{self.model} at {self.client.server.base_url} answered: {why}")
        if message.audio is not None:
            return Reply(message.audio.transcript or "", pybase64.b64decode(message.audio.data))
        return Reply(message.content or "")
