"""The local server as an aiohttp application: OpenAI's audio APIs, served by the models on this machine.

Each endpoint is a file `api_*.py` with a class that adds its own routes; the Realtime socket is `realtime/`. This file
only puts them together, behind the keys.
"""

from aiohttp import web

from bot.local.api_chat import ChatApi
from bot.local.api_models import ModelsApi
from bot.local.api_speech import SpeechApi
from bot.local.api_transcriptions import TranscriptionsApi
from bot.local.api_translations import TranslationsApi
from bot.local.engines import LocalEngines
from bot.local.http import Keys, errors_are_objects, sign_response
from bot.local.limits import Limits, answer_begins
from bot.local.realtime.api import PATH as REALTIME_PATH
from bot.local.realtime.api import RealtimeApi, RealtimeOptions
from bot.local.served import short_name


def application(
    engines: LocalEngines,
    *,
    keys: Keys | None = None,
    realtime: RealtimeOptions | None = None,
    limits: Limits | None = None,
) -> web.Application:
    """Engines must have been started. Speech and files are served where real models are loaded, not with tones."""
    keys = keys or Keys()
    limit = (limits or Limits()).middleware()
    app = web.Application(middlewares=[errors_are_objects, limit, keys.middleware(REALTIME_PATH)])
    app.on_response_prepare.extend([sign_response, answer_begins])
    RealtimeApi(engines, keys, realtime).add_routes(app)
    own = [short_name(engine.name) for engine in (engines.transcriber, engines.speaker, engines.responder)]
    ModelsApi(sorted(set(own))).add_routes(app)
    if engines.voices is not None:
        SpeechApi(engines.voices, engines.speaker.name.removeprefix("local:")).add_routes(app)
    if engines.files is not None:
        TranscriptionsApi(engines.files).add_routes(app)
        TranslationsApi(engines.files).add_routes(app)
    if engines.voices is not None and engines.files is not None:
        ChatApi(engines.answerer, engines.voices, engines.files, language=engines.language).add_routes(app)
    return app
