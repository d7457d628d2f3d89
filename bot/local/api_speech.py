"""POST /v1/audio/speech with the local voices: a text in, its sound out while it is made, in OpenAI's formats."""

from collections.abc import AsyncIterator

import msgspec
import pybase64
import structlog
from aiohttp import web

from bot.errors import VoiceError
from bot.local.errors import RequestError
from bot.local.event_stream import EventStream
from bot.local.json_body import read_json
from bot.local.served import check, check_model
from bot.local.speech_sound import SpeechSound
from bot.local.usage import spoken_tokens, text_tokens
from bot.local.voices import CustomVoice, Voices
from bot.speech.model_table import SPEECH_TYPES, Use
from bot.speech.requests import SpeechRequest, speech_problem

log = structlog.get_logger()

_LONGEST_BODY = 1_000_000  # bytes; the text and the instructions have limits of their own


class SpeechBody(msgspec.Struct, frozen=True):
    """The wire's fields."""

    model: str
    input: str
    voice: str | CustomVoice
    instructions: str | None = None
    response_format: str | None = None
    speed: float | None = None
    stream_format: str | None = None

    def request(self) -> SpeechRequest:
        return SpeechRequest(
            model=self.model,
            input=self.input,
            voice=self.voice.id if isinstance(self.voice, CustomVoice) else self.voice,
            instructions=self.instructions or "",
            response_format=self.response_format or "mp3",
            speed=1.0 if self.speed is None else self.speed,
            stream_format=self.stream_format or "audio",
        )


class SpeechApi:
    def __init__(self, voices: Voices, model: str = "piper-joe") -> None:
        """`model` is the local model's own name, beside those of OpenAI's."""
        self._voices, self._model = voices, model

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post("/v1/audio/speech", self.speak)

    async def speak(self, request: web.Request) -> web.StreamResponse:
        """Raises `RequestError` and `VoiceError` before anything is sent.

        A Piper voice has one manner of speaking: instructions are taken where OpenAI's model takes them, and change
        nothing.
        """
        body = await read_json(request, SpeechBody, _LONGEST_BODY)
        asked = body.request()
        check_model(asked.model, Use.SPEECH, self._model)
        check(speech_problem(asked))
        speaker = self._voices.speaker(body.voice)
        sound = SpeechSound(speaker, asked.input, asked.response_format, asked.speed)
        pieces = sound.pieces()
        first = await anext(pieces, b"")
        if not sound.milliseconds:
            raise RequestError("Invalid 'input': there is nothing in it that can be spoken.", "input", "invalid_value")
        if asked.stream_format == "sse":
            return await _send_events(request, asked, sound, first, pieces)
        return await _send_sound(request, asked, first, pieces)


async def _send_sound(
    request: web.Request, asked: SpeechRequest, first: bytes, pieces: AsyncIterator[bytes]
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": SPEECH_TYPES[asked.response_format]})
    await response.prepare(request)
    await response.write(first)
    try:
        async for piece in pieces:
            await response.write(piece)
    except VoiceError as exc:
        log.warning("speech_cut_off", reason=str(exc))
        response.force_close()
        if request.transport is not None:
            request.transport.abort()  # without the last chunk, the client sees that something is missing
        return response
    await response.write_eof()
    return response


async def _send_events(
    request: web.Request, asked: SpeechRequest, sound: SpeechSound, first: bytes, pieces: AsyncIterator[bytes]
) -> web.StreamResponse:
    stream = EventStream(request)
    await stream.send(_delta(first))
    try:
        async for piece in pieces:
            await stream.send(_delta(piece))
        await stream.send({"type": "speech.audio.done", "usage": _usage(asked, sound.milliseconds)})
    except VoiceError as exc:
        log.warning("speech_cut_off", reason=str(exc))
        await stream.fail(exc)
    return await stream.end()


def _delta(piece: bytes) -> dict[str, str]:
    return {"type": "speech.audio.delta", "audio": pybase64.b64encode(piece).decode()}


def _usage(asked: SpeechRequest, milliseconds: float) -> dict[str, int]:
    read = text_tokens(asked.input) + text_tokens(asked.instructions)
    spoken = spoken_tokens(milliseconds)
    return {"input_tokens": read, "output_tokens": spoken, "total_tokens": read + spoken}
