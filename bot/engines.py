"""Who listens, thinks and speaks: from names in the configuration to links, each loaded once for all calls.

Bots whose settings for a link are the same share it, and all links to one server share its client.
"""

import time
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from bot.config import BotConfig, OpenAIConfig
from bot.errors import ConfigError, VoiceError
from bot.local.pool import Pool
from bot.prompt_store import PromptStore
from bot.prompts import PreparedAudio, Prompt, prepare
from bot.rehearsal.tones import ToneResponder, ToneSpeaker, ToneTranscriber
from bot.runner import Links
from bot.speech.conversing import Converser
from bot.speech.engine_names import EngineName, parse, server_of, setting_of
from bot.speech.facts import Fact, FactsResponder
from bot.speech.links import Responder, Speaker, Transcriber, whole_sound
from bot.speech.local import LocalSpeaker, LocalTranscriber
from bot.speech.openai_audio_chat import OpenAIAudioChat
from bot.speech.openai_client import OpenAIClient, client_of
from bot.speech.openai_responder import OpenAIResponder
from bot.speech.openai_speaker import OpenAISpeaker
from bot.speech.openai_transcriber import OpenAITranscriber
from bot.speech.reader_settings import patience_of
from bot.speech.realtime_reader import RealtimeReader
from bot.tools import ToolSpec
from media.detector import Detector, VoiceDetector
from media.frame import AudioFormat
from media.silero import SileroDetector, bundled_model, load_silero

L = TypeVar("L", Transcriber, Speaker)

_TONES = "tones"
_FACTS = "facts"


class Engines:
    """The links of every bot, and what each bot can say without them."""

    def __init__(
        self,
        bots: Sequence[BotConfig],
        openai: OpenAIConfig | None = None,
        *,
        tools: Mapping[str, Sequence[ToolSpec]] | None = None,
        prompts: Path | None = None,
    ) -> None:
        """`tools` are what each bot's voice may use, by the bot's name; `prompts` is the folder for sound that costs.

        Raises `ConfigError` for a name that nothing answers to, `VoiceError` for a detector not installed.
        """
        self._openai = openai or OpenAIConfig()
        self._tools = tools or {}
        self._store = PromptStore(prompts) if prompts is not None else None
        self._pool = Pool()
        self._clients: dict[str, OpenAIClient] = {}
        self._transcribers: dict[Hashable, Transcriber] = {}
        self._speakers: dict[Hashable, Speaker] = {}
        self._speaking = {bot.name: self._speaker(bot) for bot in bots}
        self._links = {bot.name: self._link(bot) for bot in bots if bot.voice != "realtime"}
        self._bots = {bot.name: bot for bot in bots}
        self._silero = _silero(bots)
        self._prepared: dict[tuple[str, AudioFormat], Mapping[Prompt, PreparedAudio]] = {}

    async def start(self, audio: AudioFormat) -> None:
        """Load, verify and warm every engine, and prepare what is said without one; raises `VoiceError`.

        Raises `ConfigError` for a model that its server does not know.
        """
        for engine in self._all():
            await engine.start()
        for bot in self._bots.values():
            speaker = self.speaker(bot)
            careful = speaker.checked if isinstance(speaker, RealtimeReader) else speaker
            self._prepared[bot.name, audio] = await prepare(bot, careful, audio, self._sound_of(bot))
        if self._store is not None:
            await self._store.prune(time.time())

    async def close(self) -> None:
        for engine in self._all():
            await engine.close()
        for client in self._clients.values():
            await client.close()
        self._pool.close()

    def links(self, bot: BotConfig) -> Links | None:
        """Who works for a bot's calls; None where its voice has a socket of its own and needs nobody."""
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

    def client(self, name: EngineName) -> OpenAIClient:
        """The one of the engine's server; raises `ConfigError` for a server that is not configured."""
        if name.server not in self._clients:
            self._clients[name.server] = client_of(self._openai, name)
        return self._clients[name.server]

    def _all(self) -> Sequence[Transcriber | Responder | Speaker | Converser]:
        responders = [links.responder for links in self._links.values() if links.responder is not None]
        conversers = [links.converser for links in self._links.values() if links.converser is not None]
        return [*self._transcribers.values(), *self._speakers.values(), *responders, *conversers]

    # -- who listens -----------------------------------------------------------------------------------------------

    def _link(self, bot: BotConfig) -> Links:
        if bot.voice == "audio-chat":
            return Links(self._scribe(bot), None, self.speaker(bot), self._converser(bot))
        return Links(self._transcriber(bot.chained.transcriber, bot), self._responder(bot), self.speaker(bot))

    def _transcriber(self, configured: str, bot: BotConfig) -> Transcriber | None:
        name, language = parse(configured, own=(_TONES,)), bot.language
        words, prompt = bot.chained.keywords, bot.chained.transcriber_prompt
        share = partial(_shared, self._transcribers)
        match name.kind:
            case "own":
                return share((name,), ToneTranscriber)
            case "local":
                return share(
                    (name, language), partial(LocalTranscriber, name.model, language=language, pool=self._pool)
                )
            case "openai":
                made = partial(
                    OpenAITranscriber,
                    self.client(name),
                    name.model,
                    language=language,
                    keywords=words,
                    prompt=prompt,
                    prices=self._openai.prices,
                )
                return share((name, language, words, prompt), made)
            case "openai-realtime":
                return None  # a live one is a socket of each call's own, and the voice's business

    def _scribe(self, bot: BotConfig) -> Transcriber | None:
        """Who writes down what is said to a model that hears it itself; None where nobody does."""
        if not (configured := bot.audio_chat.transcriber):
            return None
        if (transcriber := self._transcriber(configured, bot)) is None:
            raise ConfigError(f"audio_chat.transcriber cannot be {configured!r}: write local: or openai: and a model")
        return transcriber

    # -- who thinks ------------------------------------------------------------------------------------------------

    def _responder(self, bot: BotConfig) -> Responder:
        """Each bot has its own: it knows the bot's facts, or its instructions and tools."""
        configured = bot.chained.responder
        name = parse(configured, own=(_TONES, _FACTS))
        if configured == _TONES:
            return ToneResponder()
        if configured == _FACTS:
            return FactsResponder([Fact(tuple(fact.ask), fact.answer) for fact in bot.facts])
        if name.kind != "openai":
            raise ConfigError(f"bot {bot.name!r}: there is no responder {configured!r}: write facts or openai:MODEL")
        return OpenAIResponder(
            self.client(name),
            name.model,
            instructions=bot.instructions,
            tools=self._tools.get(bot.name, ()),
            temperature=bot.chained.temperature,
            max_output_tokens=bot.chained.max_output_tokens,
            reasoning_effort=bot.chained.reasoning_effort,
            prices=self._openai.prices,
        )

    def _converser(self, bot: BotConfig) -> Converser:
        chat = bot.audio_chat
        name = parse(f"openai:{chat.model}")
        return OpenAIAudioChat(
            self.client(name),
            name.model,
            speaker=chat.speaker,
            instructions=bot.instructions,
            tools=self._tools.get(bot.name, ()),
            temperature=chat.temperature,
            max_output_tokens=chat.max_output_tokens,
            prices=self._openai.prices,
        )

    # -- who speaks ------------------------------------------------------------------------------------------------

    def _speaker(self, bot: BotConfig) -> Speaker:
        name, manner = parse(bot.chained.speaker, own=(_TONES,)), _manner(bot)
        share = partial(_shared, self._speakers)
        match name.kind:
            case "own":
                return share((name,), ToneSpeaker)
            case "local":
                return share((name,), partial(LocalSpeaker, name.model, pool=self._pool))
            case "openai":
                made = partial(
                    OpenAISpeaker,
                    self.client(name),
                    name.model,
                    voice=manner.voice,
                    speed=manner.speed,
                    instructions=manner.instructions,
                    prices=self._openai.prices,
                )
                return share((name, manner), made)
            case "openai-realtime":
                patience = patience_of(bot.realtime)
                read = partial(
                    RealtimeReader,
                    server_of(name, self._openai),
                    name.model,
                    voice=manner.voice,
                    speed=manner.speed,
                    instructions=manner.instructions,
                    language=bot.language,
                    prices=self._openai.prices,
                    patience=patience,
                    setting=setting_of(name),
                )
                return share((name, manner, bot.language, patience), read)

    def _sound_of(self, bot: BotConfig) -> Callable[[Speaker, str], Awaitable[bytes]]:
        """How a bot comes by the sound of what it prepares: made anew, unless that costs something."""
        name, manner, store = parse(bot.chained.speaker, own=(_TONES,)), _manner(bot), self._store
        if store is None or name.kind in ("own", "local"):
            return whole_sound
        where = server_of(name, self._openai).base_url
        shape = (where, name.kind, name.model, manner.voice, f"{manner.speed:g}", manner.instructions, bot.language)
        return lambda speaker, text: store.sound(speaker, shape, text)


class _Manner(NamedTuple):
    """What shapes a voice at a server beside its model."""

    voice: str
    speed: float
    instructions: str


def _manner(bot: BotConfig) -> _Manner:
    return _Manner(bot.chained.speaker_voice, bot.chained.speaker_speed, bot.chained.speaker_instructions)


def _shared(loaded: dict[Hashable, L], key: Hashable, make: Callable[[], L]) -> L:
    """The link with these settings, made when the first bot wants it."""
    if key not in loaded:
        loaded[key] = make()
    return loaded[key]


def _silero(bots: Sequence[BotConfig]) -> Any:
    """The network that all lines share, if any bot wants it."""
    if not any(bot.listening.detector == "silero" for bot in bots):
        return None
    try:
        return load_silero(bundled_model())
    except (FileNotFoundError, ImportError) as exc:
        raise VoiceError(f'the detector silero is not installed: pip install "offhook[local]" ({exc})') from exc
