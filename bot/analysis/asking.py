"""One upload to a model behind audio/transcriptions or audio/translations, through the official SDK, and its answer.

What goes on the wire is the request's own values, and nothing that says what the server would do anyway: servers other
than OpenAI's do not know every field. Answers are taken as they were written, so that fields which the SDK does not
know stay. Whether a combination is allowed is `speech/requests.py`'s business.
"""

import json
import mimetypes
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.analysis.asked_for import FileRequest
from bot.analysis.joining import Json, speakers_text
from bot.analysis.sound_parts import SoundPart
from bot.errors import VoiceError
from bot.speech.openai_client import OpenAIClient
from bot.speech.requests import ServerVad, TranscriptionRequest

OnWords = Callable[[str], None]
"""Told each piece of text as it comes, with its spaces."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A JSON body, or for `text`, `srt` and `vtt` what was written, byte for byte."""

    body: Json
    written: str | None = None


async def ask(client: OpenAIClient, part: SoundPart, request: FileRequest, on_words: OnWords | None = None) -> Answer:
    """Raises `VoiceError`, which says what to do; a request with `stream` tells its words as they come."""
    file = (part.file_name, part.content, _content_type(part.file_name))
    if isinstance(request, TranscriptionRequest) and request.stream:
        return Answer(await _streamed(client, part, request, file, on_words))
    audio = client.sdk.audio
    endpoint: Any = audio.transcriptions if isinstance(request, TranscriptionRequest) else audio.translations
    response = await client.ask(request.model, endpoint.with_raw_response.create(file=file, **fields(request)))
    if request.response_format in ("text", "srt", "vtt"):
        return Answer({}, response.text)
    with client.failures(request.model):
        body = json.loads(response.text)
    if not isinstance(body, dict) or "text" not in body:
        raise VoiceError(f"{client.server.base_url} sent no transcript: check {client.setting}.base_url")
    return Answer(body)


def fields(request: FileRequest) -> Json:
    """The SDK's arguments, the file aside; what is as it always is, is left out."""
    given: Json = {"response_format": request.response_format, "prompt": request.prompt}
    if request.temperature:
        given["temperature"] = request.temperature
    if isinstance(request, TranscriptionRequest):
        given |= {
            "language": request.language,
            "languages": [*request.languages],
            "keywords": [*request.keywords],
            "include": [*request.include],
            "timestamp_granularities": [*request.granularities],
            "known_speaker_names": [*request.speaker_names],
            "known_speaker_references": [*request.speaker_references],
            "chunking_strategy": _chunking(request.chunking),
        }
    return {"model": request.model, **{name: value for name, value in given.items() if value}}


async def _streamed(
    client: OpenAIClient, part: SoundPart, request: TranscriptionRequest, file: Any, on_words: OnWords | None
) -> Json:
    create: Any = client.sdk.audio.transcriptions.create
    stream = await client.ask(request.model, create(file=file, stream=True, **fields(request)))
    segments: list[Json] = []
    done: Json | None = None
    async for event in _events(client, request.model, stream):
        match event:
            case {"type": "transcript.text.delta", "delta": str(delta)} if on_words is not None:
                on_words(delta)
            case {"type": "transcript.text.segment"}:
                segments.append(event)
            case {"type": "transcript.text.done"}:
                done = {name: value for name, value in event.items() if name != "type"}
    if done is None:
        raise VoiceError(f"{client.server.base_url} broke off its stream, or does not stream {request.model!r}")
    if request.response_format != "diarized_json":
        return done
    length_s = round(part.end_s - part.start_s, 3)
    told = {**done, "text": speakers_text(segments)} if segments else done
    return {"task": "transcribe", "duration": length_s, **told, "segments": segments}


async def _events(client: OpenAIClient, model: str, stream: Any) -> AsyncIterator[Json]:
    with client.failures(model):
        async with stream:
            async for event in stream:
                yield event.to_dict()


def _chunking(chunking: ServerVad | str | None) -> str | Mapping[str, Any] | None:
    if not isinstance(chunking, ServerVad):
        return chunking
    return {
        "type": "server_vad",
        "threshold": chunking.threshold,
        "prefix_padding_ms": chunking.prefix_padding_ms,
        "silence_duration_ms": chunking.silence_duration_ms,
    }


def _content_type(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
