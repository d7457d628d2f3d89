"""A model behind POST audio/speech says a sentence, as 16-bit samples at 24,000 Hz that come while it still speaks.

The sound comes as bare bytes and not as events: these are a third longer, and all they add is a count of tokens, where
the price is one of minutes.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, aclosing
from typing import Any

from bot.config import PriceConfig
from bot.errors import ConfigError, VoiceError
from bot.speech.links import Spent
from bot.speech.model_table import LONGEST_INPUT, Use
from bot.speech.openai_client import OpenAIClient
from bot.speech.prices import cost_usd, price_of
from bot.speech.requests import SpeechRequest, speech_problem
from bot.speech.sentences import sentences

_RATE_HZ = 24000
_BYTES_PER_S = 2 * _RATE_HZ
_HEADERS = (b"RIFF", b"ID3", b"OggS", b"fLaC")  # of servers that take no notice of the format


class OpenAISpeaker:
    rate_hz = _RATE_HZ

    def __init__(
        self,
        client: OpenAIClient,
        model: str,
        *,
        voice: str = "marin",
        speed: float = 1.0,
        instructions: str = "",
        prices: Mapping[str, PriceConfig] | None = None,
    ) -> None:
        """`voice` is one of OpenAI's or the id of a custom one (`voice_…`); `instructions` say how to speak.

        Raises `ConfigError` for what the model does not take.
        """
        self.name = f"openai:{model}"
        self._client, self._model = client, model
        asked = SpeechRequest(model, "Hello.", voice, instructions, "pcm", speed)
        if (problem := speech_problem(asked)) is not None:
            raise ConfigError(f"{self.name} cannot be a speaker as it is configured: {problem.message}")
        self._fields: dict[str, Any] = {"voice": {"id": voice} if voice.startswith("voice_") else voice}
        if speed != 1.0:
            self._fields["speed"] = speed
        if instructions:
            self._fields["instructions"] = instructions
        self._price = price_of(model, prices or {})

    async def start(self) -> None:
        await self._client.start()
        await self._client.check(self._model, Use.SPEECH)

    async def close(self) -> None:
        """The client belongs to whoever made it."""

    async def speak(self, text: str) -> AsyncIterator[bytes | Spent]:
        """Pieces of whole samples, then the cost; raises `VoiceError`, also where no sound comes."""
        sound_bytes = 0
        for part in parts(text):
            async with aclosing(self._sound(part)) as sound:
                async for piece in sound:
                    sound_bytes += len(piece)
                    yield piece
        if not sound_bytes:
            raise VoiceError(f"the speaker {self.name} made no sound: check the model and its voice")
        yield Spent(self._model, {}, cost_usd({}, self._price, sound_bytes / _BYTES_PER_S))

    async def _sound(self, text: str) -> AsyncGenerator[bytes, None]:
        """Whole samples; a byte that comes too early waits for its other half."""
        create: Any = self._client.sdk.audio.speech.with_streaming_response.create
        asked = create(model=self._model, input=text, response_format="pcm", **self._fields)
        async with AsyncExitStack() as stack:
            response = await self._client.ask(self._model, stack.enter_async_context(asked))
            with self._client.failures(self._model):
                held = b""
                async for piece in response.iter_bytes():
                    if not held and piece.startswith(_HEADERS):
                        raise VoiceError(f"the speaker {self.name} sends files where bare samples (pcm) were asked for")
                    held += piece
                    whole = len(held) - len(held) % 2
                    if whole:
                        yield held[:whole]
                    held = held[whole:]


def parts(text: str) -> Iterator[str]:
    """A text in pieces that one request takes, cut between sentences."""
    part = ""
    for sentence in sentences(text):
        if part and len(part) + len(sentence) > LONGEST_INPUT:
            yield part.strip()
            part = ""
        part += sentence
    if part.strip():
        yield part.strip()
