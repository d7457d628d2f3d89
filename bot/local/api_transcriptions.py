"""POST /v1/audio/transcriptions with the local Whisper: a file in, its words out, in every format OpenAI has.

Diarization is by channel: where each of two speakers has one of a recording's two channels, it is known who speaks. One
mixed channel is refused, since nothing here knows voices.
"""

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Final

import structlog
from aiohttp import web

from bot.errors import VoiceError
from bot.local import subtitles
from bot.local.errors import RequestError
from bot.local.event_stream import EventStream
from bot.local.file_transcriber import MULTILINGUAL, FileTranscriber
from bot.local.served import check, check_model
from bot.local.transcription import Segment, SpeechSearch, Transcription, Wanted
from bot.local.transcription_form import transcription_request, uploaded
from bot.local.transcription_json import (
    Json,
    by_duration,
    by_tokens,
    deltas,
    diarized,
    done,
    plain,
    segment_id,
    speaker_segment,
    speakers,
    verbose,
)
from bot.local.upload import Form, read_form
from bot.speech.languages import language_code
from bot.speech.model_table import Feature, Use, lookup
from bot.speech.requests import ServerVad, TranscriptionRequest, transcription_problem

if TYPE_CHECKING:
    from bot.local.sound_files import SoundFile
    from bot.local.whisper_files import Listening

log = structlog.get_logger()

_TURNS: Final = SpeechSearch(prefix_padding_ms=100, silence_ms=300)  # how one channel's turns are found
_UNCUT_S: Final = 30  # OpenAI's diarizing model wants a chunking_strategy for more


class TranscriptionsApi:
    def __init__(self, transcriber: FileTranscriber) -> None:
        self._transcriber = transcriber

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post("/v1/audio/transcriptions", self.transcribe)

    async def transcribe(self, request: web.Request) -> web.StreamResponse:
        """Raises `RequestError` and `VoiceError` before anything is sent."""
        form = await read_form(request)
        asked = transcription_request(form)
        check_model(asked.model, Use.TRANSCRIPTION, self._transcriber.model)
        check(transcription_problem(asked))
        listening = await self._listen(asked, form)
        if asked.stream and _streams(asked.model):
            return await self._stream(request, asked, listening)
        heard = [segment async for segment in self._segments(request, listening)]
        return _response(asked, listening, _whole(listening, heard))

    async def _listen(self, asked: TranscriptionRequest, form: Form) -> "Listening":
        language = self._language(asked)
        sound = await self._transcriber.open(uploaded(form), form.file_name)
        by_channel = asked.response_format == "diarized_json"
        if by_channel:
            _check_channels(asked, sound)
        search = _TURNS if by_channel else None  # and "auto" leaves the search to the transcriber
        if isinstance(asked.chunking, ServerVad):
            vad = asked.chunking
            search = SpeechSearch(vad.threshold, vad.prefix_padding_ms, vad.silence_duration_ms)
        wanted = Wanted(
            language=language,
            prompt=asked.prompt,
            keywords=tuple(asked.keywords),
            temperature=asked.temperature,
            search=search,
            by_channel=by_channel,
            words_only=_wants_words_only(asked),
        )
        return self._transcriber.listen(sound, wanted)

    def _language(self, asked: TranscriptionRequest) -> str | None:
        """The one language to expect; None where the model has to find out."""
        param = "language" if asked.language else "languages"
        codes = []
        for given in [asked.language] if asked.language else asked.languages:
            code = language_code(given)
            if code is None:
                raise RequestError(
                    f"Invalid language '{given}'. Language parameter must be specified in ISO-639-1 format.",
                    param,
                    "invalid_language_format",
                )
            codes.append(code)
        known = self._transcriber.languages
        if codes and known.isdisjoint(codes):
            raise RequestError(
                f"The local model {self._transcriber.model} understands English only. For other languages configure "
                f"another one: {MULTILINGUAL}.",
                param,
                "unsupported_value",
            )
        if not self._transcriber.is_multilingual:
            return "en"
        return codes[0] if len(codes) == 1 else None

    async def _segments(self, request: web.Request, listening: "Listening") -> AsyncIterator[Segment]:
        async for segment in self._transcriber.segments(listening):
            if is_gone(request):
                raise ConnectionResetError("the client has gone")
            yield segment

    async def _stream(
        self, request: web.Request, asked: TranscriptionRequest, listening: "Listening"
    ) -> web.StreamResponse:
        stream = EventStream(request)
        heard: list[Segment] = []
        logprobs = "logprobs" in asked.include
        by_channel = asked.response_format == "diarized_json"
        try:
            async for segment in self._segments(request, listening):
                heard.append(segment)
                in_segment = segment_id(len(heard) - 1) if by_channel else None
                for event in deltas(segment, is_first=len(heard) == 1, logprobs=logprobs, in_segment=in_segment):
                    await stream.send(event)
                if by_channel:
                    who = speakers(heard, asked.speaker_names)[segment.channel or 0]
                    await stream.send(speaker_segment(len(heard) - 1, segment, who))
            await stream.send(done(_plain(asked, listening, _whole(listening, heard))))
        except (RequestError, VoiceError) as exc:
            if not stream.has_begun:
                raise
            log.warning("transcription_cut_off", reason=str(exc))
            await stream.fail(exc)
        return await stream.end()


def is_gone(request: web.Request) -> bool:
    """Whether whoever asked has hung up, so that the rest of the work is for nobody."""
    return request.transport is None or request.transport.is_closing()


def _check_channels(asked: TranscriptionRequest, sound: "SoundFile") -> None:
    if sound.channels != 2:
        raise RequestError(
            "This server tells speakers apart by channel only: send a recording with two channels, one speaker in "
            "each (as Offhook's own recordings have), or ask for response_format 'json'.",
            "file",
            "unsupported_value",
        )
    if asked.speaker_references:
        raise RequestError(
            "This server tells speakers apart by channel and compares no voices: leave known_speaker_references out; "
            "known_speaker_names then name the channels, left first.",
            "known_speaker_references",
            "unsupported_value",
        )
    if len(asked.speaker_names) > 2:
        raise RequestError("The recording has two channels, so two names at most.", "known_speaker_names")
    if asked.chunking is None and sound.stated_s > _UNCUT_S and lookup(asked.model) is not None:
        raise RequestError("chunking_strategy is required for diarization models", "chunking_strategy")


def _whole(listening: "Listening", heard: Sequence[Segment]) -> Transcription:
    return Transcription(heard, listening.duration_s, listening.language)


def _wants_words_only(asked: TranscriptionRequest) -> bool:
    special = (asked.include, asked.prompt, asked.keywords, asked.temperature, asked.chunking)
    return asked.response_format in ("json", "text") and not any(special)


def _streams(model: str) -> bool:
    """Some models ignore `stream`."""
    row = lookup(model)
    return row is None or Feature.STREAM in row.features


def _response(asked: TranscriptionRequest, listening: "Listening", heard: Transcription) -> web.Response:
    match asked.response_format:
        case "text":
            return web.Response(text=subtitles.plain_text(heard.text))
        case "srt":
            return web.Response(text=subtitles.srt(heard.segments))
        case "vtt":
            return web.Response(text=subtitles.vtt(heard.segments))
        case "verbose_json":
            return web.json_response(verbose(heard, "transcribe", asked.granularities))
        case "diarized_json":
            return web.json_response(diarized(heard, speakers(heard.segments, asked.speaker_names)))
        case _:
            return web.json_response(_plain(asked, listening, heard))


def _plain(asked: TranscriptionRequest, listening: "Listening", heard: Transcription) -> Json:
    """What models differ in: those that stream count tokens, whisper-1 counts seconds."""
    usage = by_duration(heard.duration_s)
    if _streams(asked.model):
        usage = by_tokens(heard.duration_s, listening.prompt_tokens, heard.segments)
    tells_languages = asked.model == "gpt-transcribe"
    return plain(heard, usage, logprobs="logprobs" in asked.include, languages=tells_languages)
