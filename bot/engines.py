"""Who listens, thinks and speaks: from names in the configuration to links, each loaded once for all calls."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from bot.config import BotConfig
from bot.errors import ConfigError, VoiceError
from bot.local.pool import Pool
from bot.prompts import PreparedAudio, Prompt, prepare
from bot.rehearsal.tones import ToneResponder, ToneSpeaker, ToneTranscriber
from bot.runner import Links
from bot.speech.facts import Fact, FactsResponder
from bot.speech.links import Responder, Speaker, Transcriber
from bot.speech.local import LocalSpeaker, LocalTranscriber
from media.detector import Detector, VoiceDetector
from media.frame import AudioFormat
from media.silero import SileroDetector, bundled_model, load_silero

T = TypeVar("T", Transcriber, Speaker)


class Engines:
    """The links of every bot, and what each bot can say without them."""

    def __init__(self, bots: Sequence[BotConfig]) -> None:
        """Raises `ConfigError` for a name that nothing answers to, `VoiceError` for a detector not installed."""
        self._pool = Pool()
        self._transcribers: dict[tuple[str, str], Transcriber] = {}
        self._speakers: dict[tuple[str, str], Speaker] = {}
        self._speaking = {bot.name: self._speaker(bot) for bot in bots}
        self._links = {bot.name: self._link(bot) for bot in bots if bot.voice == "chained"}
        self._bots = {bot.name: bot for bot in bots}
        self._silero = _silero(bots)
        self._prepared: dict[tuple[str, AudioFormat], Mapping[Prompt, PreparedAudio]] = {}

    async def start(self, audio: AudioFormat) -> None:
        """Load, verify and warm every engine, and prepare what is said without one; raises `VoiceError`."""
        for engine in self._all():
            await engine.start()
        for bot in self._bots.values():
            self._prepared[bot.name, audio] = await prepare(bot, self.speaker(bot), audio)

    async def close(self) -> None:
        for engine in self._all():
            await engine.close()
        self._pool.close()

    def links(self, bot: BotConfig) -> Links | None:
        """The chain of a bot; None for one whose voice is none."""
        return self._links.get(bot.name)

    def speaker(self, bot: BotConfig) -> Speaker:
        """Who says what a bot has prepared, and all else where its voice is a chain."""
        return self._speaking[bot.name]

    def prepared(self, bot: BotConfig, audio: AudioFormat) -> Mapping[Prompt, PreparedAudio]:
        return self._prepared[bot.name, audio]

    def detector(self, bot: BotConfig) -> Detector:
        """What tells a call's speech from its noise; one for each call."""
        if bot.listening.detector == "silero" and self._silero is not None:
            return SileroDetector(self._silero)
        return VoiceDetector()

    def _all(self) -> Sequence[Transcriber | Responder | Speaker]:
        responders = [links.responder for links in self._links.values() if links.responder is not None]
        return [*self._transcribers.values(), *self._speakers.values(), *responders]

    def _link(self, bot: BotConfig) -> Links:
        names = bot.chained
        transcriber = self._shared(
            self._transcribers,
            (names.transcriber, bot.language),
            lambda model: LocalTranscriber(model, language=bot.language, pool=self._pool),
            ToneTranscriber,
        )
        return Links(transcriber, self._responder(bot), self.speaker(bot))

    def _speaker(self, bot: BotConfig) -> Speaker:
        key = (bot.chained.speaker, "")
        return self._shared(self._speakers, key, lambda voice: LocalSpeaker(voice, pool=self._pool), ToneSpeaker)

    def _shared(
        self, loaded: dict[tuple[str, str], T], key: tuple[str, str], local: Callable[[str], T], tones: Callable[[], T]
    ) -> T:
        if key not in loaded:
            where, _, name = key[0].partition(":")
            if key[0] == "tones":
                loaded[key] = tones()
            elif where == "local" and name:
                loaded[key] = local(name)
            else:
                raise ConfigError(f"there is no engine {key[0]!r}: write local: and a model's name or path")
        return loaded[key]

    def _responder(self, bot: BotConfig) -> Responder:
        if bot.chained.responder == "tones":
            return ToneResponder()
        if bot.chained.responder != "facts":
            raise ConfigError(f"bot {bot.name!r}: there is no responder {bot.chained.responder!r}: write 'facts'")
        return FactsResponder([Fact(tuple(fact.ask), fact.answer) for fact in bot.facts])


def _silero(bots: Sequence[BotConfig]) -> Any:
    """The network that all lines share, if any bot wants it."""
    if not any(bot.listening.detector == "silero" for bot in bots):
        return None
    try:
        return load_silero(bundled_model())
    except (FileNotFoundError, ImportError) as exc:
        raise VoiceError(f'the detector silero is not installed: pip install "offhook[local]" ({exc})') from exc
