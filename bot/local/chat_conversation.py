"""The messages of a chat request turned into words: recordings are transcribed, spoken answers are found again."""

import asyncio
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

import pybase64

from bot.local.chat_answers import Turn
from bot.local.chat_body import InputAudio, Message
from bot.local.errors import RequestError, SoundFileError
from bot.local.file_transcriber import FileTranscriber
from bot.local.spoken_replies import SpokenReplies
from bot.local.transcription import Wanted


@dataclass(frozen=True, slots=True)
class Conversation:
    turns: Sequence[Turn]
    heard_ms: float  # of all recordings together

    @property
    def text(self) -> str:
        return " ".join(turn.text for turn in self.turns)


class Reader:
    """Reads conversations; `language` is what the recordings are in, None where the model has to find out."""

    def __init__(self, transcriber: FileTranscriber, replies: SpokenReplies, language: str | None = None) -> None:
        self._transcriber, self._replies, self._language = transcriber, replies, language

    async def read(self, messages: Sequence[Message], now: float) -> Conversation:
        """`now` is seconds since 1970; raises `RequestError` for audio that cannot be read or is not there any more."""
        turns, heard_ms = [], 0.0
        for number, message in enumerate(messages):
            words = [self._said_before(message, number, now)] if message.audio is not None else []
            for place, part in enumerate(message.parts()):
                if part.input_audio is not None:
                    where = f"messages[{number}].content[{place}].input_audio"
                    text, milliseconds = await self._listen(part.input_audio, where)
                    heard_ms += milliseconds
                    words.append(text)
                else:
                    words.append(part.text or part.refusal or "")
            text = " ".join(word for word in words if word)
            turns.append(Turn(message.role, text, tuple(message.tool_calls or ()), message.tool_call_id))
        return Conversation(turns, heard_ms)

    def _said_before(self, message: Message, number: int, now: float) -> str:
        audio_id = message.audio.id if message.audio is not None else ""
        reply = self._replies.find(audio_id, now)
        if reply is None:
            raise RequestError(
                f"Audio '{audio_id}' does not exist or has expired: send what was said as the message's content.",
                f"messages[{number}].audio.id",
                "invalid_value",
            )
        return reply.text

    async def _listen(self, audio: InputAudio, where: str) -> tuple[str, float]:
        """The words and the milliseconds of a recording."""
        try:
            content = await asyncio.to_thread(pybase64.b64decode, audio.data, validate=True)
        except (binascii.Error, ValueError) as exc:
            raise RequestError(f"Invalid '{where}.data': it is not base64.", f"{where}.data", "invalid_value") from exc
        try:
            sound = await self._transcriber.open(content, f"audio.{audio.format}")
            listening = self._transcriber.listen(sound, Wanted(language=self._language, words_only=True))
            heard = [segment.text async for segment in self._transcriber.segments(listening)]
        except SoundFileError as exc:
            raise RequestError(f"Invalid '{where}.data': {exc}", f"{where}.data", exc.code or "invalid_value") from exc
        return "".join(heard).strip(), listening.duration_s * 1000
