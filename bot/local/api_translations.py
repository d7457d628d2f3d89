"""POST /v1/audio/translations: a recording in any language into English text, where a multilingual Whisper is there.

The model that comes with Offhook knows English only; with it every request is refused, saying what to configure.
"""

from aiohttp import web

from bot.local import subtitles
from bot.local.api_transcriptions import is_gone
from bot.local.errors import RequestError
from bot.local.file_transcriber import MULTILINGUAL, FileTranscriber
from bot.local.served import check, check_model
from bot.local.transcription import Transcription, Wanted
from bot.local.transcription_form import translation_request, uploaded
from bot.local.transcription_json import verbose
from bot.local.upload import read_form
from bot.speech.model_table import Use
from bot.speech.requests import TranslationRequest, translation_problem


class TranslationsApi:
    def __init__(self, transcriber: FileTranscriber) -> None:
        self._transcriber = transcriber

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post("/v1/audio/translations", self.translate)

    async def translate(self, request: web.Request) -> web.StreamResponse:
        """Raises `RequestError` and `VoiceError`."""
        form = await read_form(request)
        asked = translation_request(form)
        check_model(asked.model, Use.TRANSLATION, self._transcriber.model)
        check(translation_problem(asked))
        if not self._transcriber.is_multilingual:
            raise RequestError(
                f"The local model {self._transcriber.model} knows English only and cannot translate. "
                f"Configure another one: {MULTILINGUAL}.",
                "model",
                "unsupported_value",
            )
        sound = await self._transcriber.open(uploaded(form), form.file_name)
        wanted = Wanted(task="translate", prompt=asked.prompt, temperature=asked.temperature)
        listening = self._transcriber.listen(sound, wanted)
        heard = []
        async for segment in self._transcriber.segments(listening):
            if is_gone(request):
                raise ConnectionResetError("the client has gone")
            heard.append(segment)
        return _response(asked, Transcription(heard, listening.duration_s, listening.language))


def _response(asked: TranslationRequest, heard: Transcription) -> web.Response:
    match asked.response_format:
        case "text":
            return web.Response(text=subtitles.plain_text(heard.text))
        case "srt":
            return web.Response(text=subtitles.srt(heard.segments))
        case "vtt":
            return web.Response(text=subtitles.vtt(heard.segments))
        case "verbose_json":
            return web.json_response(verbose(heard, "translate", ()))
        case _:
            return web.json_response({"text": heard.text})
