"""All that the local server is made of, loaded once: who listens, thinks and speaks, and who reads whole files."""

from bot.config import BotConfig, OpenAIConfig
from bot.errors import ConfigError
from bot.local.chat_answers import Answerer, FactsAnswerer, UpstreamAnswerer
from bot.local.file_transcriber import FileTranscriber
from bot.local.pool import Pool
from bot.local.served import short_name
from bot.local.voices import Voices
from bot.rehearsal.tones import ToneResponder, ToneSpeaker, ToneTranscriber
from bot.speech.engine_names import parse
from bot.speech.facts import Fact, FactsResponder
from bot.speech.links import Responder, Speaker, Transcriber
from bot.speech.local import LocalSpeaker, LocalTranscriber
from bot.speech.openai_client import client_of


class LocalEngines:
    """The links of one bot, and what else the REST endpoints need of the same models."""

    def __init__(self, bot: BotConfig, upstream: OpenAIConfig | None = None) -> None:
        """`upstream` is where the text model of a responder `openai:MODEL` is; it answers chat completions.

        Raises `ConfigError` for another engine that is not local.
        """
        self.language = bot.language
        self.pool = Pool()
        self.transcriber: Transcriber = ToneTranscriber()
        self.speaker: Speaker = ToneSpeaker()
        self.responder: Responder = ToneResponder()
        self.voices: Voices | None = None  # those two only where models are loaded, and not tones
        self.files: FileTranscriber | None = None
        if model := _local_name(bot.chained.transcriber):
            transcriber = LocalTranscriber(model, language=bot.language, pool=self.pool)
            self.transcriber = transcriber
            self.files = FileTranscriber(model, pool=self.pool, utterances=transcriber)
        if voice := _local_name(bot.chained.speaker):
            speaker = LocalSpeaker(voice, pool=self.pool)
            self.speaker, self.voices = speaker, Voices({short_name(voice): speaker})
        if bot.chained.responder != "tones":
            self.responder = FactsResponder([Fact(tuple(fact.ask), fact.answer) for fact in bot.facts])
        self.answerer: Answerer = FactsAnswerer(self.responder)
        name = parse(bot.chained.responder, own=("tones", "facts"))
        if name.kind == "openai" and upstream is not None:
            self.answerer = UpstreamAnswerer(client_of(upstream, name), name.model)

    async def start(self) -> None:
        """Load and warm everything; raises `VoiceError` saying what to install."""
        for engine in (self.transcriber, self.speaker, self.responder, self.answerer):
            await engine.start()
        if self.files is not None:
            await self.files.start()

    async def close(self) -> None:
        for engine in (self.transcriber, self.speaker, self.responder, self.answerer):
            await engine.close()
        if self.files is not None:
            self.files.close()
        self.pool.close()


def _local_name(engine: str) -> str:
    """A local model's name or path; empty for tones."""
    where, _, name = engine.partition(":")
    if engine == "tones":
        return ""
    if where != "local" or not name:
        raise ConfigError(f"{engine!r} is no local engine: write local: and a model's name or path")
    return name
