"""POST /v1/chat/completions with audio in and out: the local Whisper hears, facts or a text model answer, Piper speaks.

The answer is text before it is sound; a streamed one is spoken sentence by sentence while it is written. Who answers is
not decided by the model's name but by the configuration: names of OpenAI's audio models mean whoever that is.
"""

import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pybase64
import structlog
from aiohttp import web

from bot.errors import VoiceError
from bot.local import chat_json
from bot.local.chat_answers import TEXT_MODEL, Answerer, Piece, UpstreamAnswerer, sentences
from bot.local.chat_body import AudioOutput, ChatBody, ToolCall, problem
from bot.local.chat_conversation import Conversation, Reader
from bot.local.chat_json import Answer, Json
from bot.local.errors import RequestError
from bot.local.event_stream import EventStream
from bot.local.file_transcriber import FileTranscriber
from bot.local.json_body import read_json
from bot.local.served import check, check_model
from bot.local.speech_sound import SpeechSound
from bot.local.spoken_replies import SpokenReplies
from bot.local.voices import Voices
from bot.speech.model_table import LARGEST_UPLOAD, Use, lookup

log = structlog.get_logger()

_LONGEST_BODY = LARGEST_UPLOAD * 4 // 3 + 1_000_000  # bytes; base64, and the words around it
_PIECE_BYTES = 9600  # of a streamed answer's sound: a fifth of a second


class ChatApi:
    def __init__(
        self, answerer: Answerer, voices: Voices, transcriber: FileTranscriber, *, language: str | None = None
    ) -> None:
        """`language` is what callers speak; None where a multilingual model has to find out."""
        self._answerer, self._voices = answerer, voices
        self._replies = SpokenReplies()
        self._reader = Reader(transcriber, self._replies, language)

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post("/v1/chat/completions", self.complete)

    async def complete(self, request: web.Request) -> web.StreamResponse:
        """Raises `RequestError` and `VoiceError` before anything is sent."""
        body = await read_json(request, ChatBody, _LONGEST_BODY)
        self._check(body)
        conversation = await self._reader.read(body.messages, time.time())
        pieces = sentences(self._answerer.answer(conversation.turns, body.options()))
        answer = Answer(f"chatcmpl-{secrets.token_hex(14)}", int(time.time()), body.model)
        given = _Given(conversation)
        if body.stream:
            return await self._stream(request, body, answer, given, pieces)
        return web.json_response(await self._whole(body, answer, given, pieces))

    def _check(self, body: ChatBody) -> None:
        """Any name is good where a text model of the operator's own answers, and OpenAI's audio models always are."""
        if not isinstance(self._answerer, UpstreamAnswerer):
            self._check_name(body.model)
        check(problem(body, is_audio_model=lookup(body.model) is not None))
        if body.audio is not None and body.speaks:
            self._voices.speaker(body.audio.voice, "audio.voice")

    def _check_name(self, model: str) -> None:
        try:
            check_model(model, Use.CHAT, self._answerer.name)
        except RequestError as exc:
            if exc.status != 404:
                raise
            raise RequestError(
                f"{exc} This server has no text model: it answers from the bot's facts, under the names of OpenAI's "
                f"audio models or as '{self._answerer.name}'. For free conversation configure a text "
                f"model: {TEXT_MODEL}.",
                exc.param,
                exc.code,
                exc.status,
            ) from exc

    async def _whole(self, body: ChatBody, answer: Answer, given: "_Given", pieces: AsyncIterator[Piece]) -> Json:
        async for piece in pieces:
            given.add(piece)
        message = chat_json.text_message(given.text, given.calls)
        if body.audio is not None and body.speaks and given.text:
            sound = self._sound(body.audio, given.text)
            data = pybase64.b64encode(await sound.whole()).decode()
            given.spoken_ms = sound.milliseconds
            reply = self._replies.keep(self._replies.new_id(), given.text, time.time())
            message = chat_json.spoken_message(reply, data, given.calls)
        return answer.completion(message, given.finish_reason, given.usage())

    async def _stream(
        self, request: web.Request, body: ChatBody, answer: Answer, given: "_Given", pieces: AsyncIterator[Piece]
    ) -> web.StreamResponse:
        stream = EventStream(request)
        try:
            async for delta in self._deltas(body, given, pieces):
                await stream.send(answer.chunk(delta))
            await stream.send(answer.chunk({}, given.finish_reason))
            if body.stream_options is not None and body.stream_options.include_usage:
                await stream.send(answer.usage_chunk(given.usage()))
        except (RequestError, VoiceError) as exc:
            if not stream.has_begun:
                raise
            log.warning("completion_cut_off", reason=str(exc))
            await stream.fail(exc)
        return await stream.end(mark=True)

    async def _deltas(self, body: ChatBody, given: "_Given", pieces: AsyncIterator[Piece]) -> AsyncIterator[Json]:
        """From the role to the moment at which the sound expires; nothing before the first words are there."""
        audio_id = self._replies.new_id()
        piece = await anext(pieces, None)
        spoken = body.audio if body.speaks else None
        yield {"role": "assistant", "audio": {"id": audio_id}} if spoken else {"role": "assistant", "content": ""}
        while piece is not None:
            given.add(piece)
            if isinstance(piece, ToolCall):
                yield {"tool_calls": [chat_json.tool_call(piece, index=len(given.calls) - 1)]}
            elif spoken is None:
                yield {"content": piece}
            else:
                yield {"audio": {"transcript": piece}}
                async for data in self._pcm(spoken, piece, given):
                    yield {"audio": {"data": data}}
            piece = await anext(pieces, None)
        if spoken is not None:
            yield {"audio": {"expires_at": self._replies.keep(audio_id, given.text, time.time()).expires_at}}

    async def _pcm(self, wanted: AudioOutput, text: str, given: "_Given") -> AsyncIterator[str]:
        """Base64 pieces of the sound, each of whole samples."""
        sound = self._sound(wanted, text)
        async for pcm in sound.pieces():
            for start in range(0, len(pcm), _PIECE_BYTES):
                yield pybase64.b64encode(pcm[start : start + _PIECE_BYTES]).decode()
        given.spoken_ms += sound.milliseconds

    def _sound(self, wanted: AudioOutput, text: str) -> SpeechSound:
        kind = "pcm" if wanted.format == "pcm16" else wanted.format
        return SpeechSound(self._voices.speaker(wanted.voice), text, kind)


@dataclass(slots=True)
class _Given:
    """What was answered so far, and to what."""

    conversation: Conversation
    text: str = ""
    calls: list[ToolCall] = field(default_factory=list)
    spoken_ms: float = 0.0

    def add(self, piece: Piece) -> None:
        if isinstance(piece, ToolCall):
            self.calls.append(piece)
        else:
            self.text += piece

    @property
    def finish_reason(self) -> str:
        return "tool_calls" if self.calls else "stop"

    def usage(self) -> Json:
        return chat_json.usage(self.conversation.text, self.conversation.heard_ms, self.text, self.spoken_ms)
