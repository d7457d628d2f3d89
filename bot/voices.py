"""Which voice a call talks to: made as its bot is configured, ahead of the call where that saves time."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.config import BotConfig, Config, OpenAIConfig
from bot.engines import Engines
from bot.errors import VoiceError
from bot.model_sockets import Endpoint, ModelSockets, realtime_endpoint
from bot.speech.engine_names import server_of
from bot.tickets import LIFETIME_S
from bot.tools import ToolSpec
from bot.voice.answer import Formats
from bot.voice.audio_chat import AudioChatVoice
from bot.voice.base import Effect, Voice
from bot.voice.chained import ChainedVoice
from bot.voice.ear import Ear
from bot.voice.live_ear import LiveEar
from bot.voice.live_settings import check_listening, live_name, live_settings_of
from bot.voice.realtime import RealtimeVoice
from bot.voice.realtime_settings import RealtimeSettings, settings_of
from bot.warm import WarmVoices
from media.codec import encoder
from media.endpointing import Endpointer, EndpointingSettings
from media.frame import AudioFormat, Encoding


@dataclass(frozen=True, slots=True)
class Party:
    """Who takes part in a call on our side: the voice, and what it needs to hear and to reach its model."""

    voice: Voice
    endpointer: Endpointer | None  # None where the voice itself tells when the caller speaks
    sockets: ModelSockets | None = None
    untold: list[Effect] | None = None


class Voices:
    def __init__(self, config: Config, engines: Engines, tools: Mapping[str, Sequence[ToolSpec]]) -> None:
        """`tools` are what each bot's voice may use, by the bot's name; raises `ConfigError` for what cannot listen."""
        self._openai = config.openai
        self._engines = engines
        self._settings = {
            bot.name: settings_of(bot, tools[bot.name], config.openai.prices)
            for bot in config.bots
            if bot.voice == "realtime"
        }
        self._warm = WarmVoices(LIFETIME_S)
        for bot in config.bots:
            check_listening(bot)

    async def close(self) -> None:
        await self._warm.close()

    async def expect(self, call_id: str, bot: BotConfig, line: AudioFormat) -> None:
        """A call was answered and will open its media socket in a moment: begin with what takes time."""
        if bot.voice == "realtime":
            settings = self._settings[bot.name]
            await self._warm.open(call_id, self._realtime(settings, line), endpoint(self._openai, settings))
        elif (name := live_name(bot)) is not None:
            live = live_settings_of(bot, name, line, self._openai.prices)
            ear = LiveEar(live, line, epoch_s=_epoch_s())
            server = server_of(name, self._openai)
            where = realtime_endpoint(server, {"intent": "transcription"}, live.connect_timeout_s)
            await self._warm.open(call_id, self._chained(bot, line, ear), where)

    def forget(self, call_id: str) -> None:
        """A call that was expected will not come."""
        self._warm.forget(call_id)

    async def join(self, call_id: str, bot: BotConfig, line: AudioFormat) -> Party:
        """The call is there."""
        if bot.voice == "chained" and live_name(bot) is None:
            return Party(self._chained(bot, line), self._endpointer(bot))
        if bot.voice == "audio-chat":
            return Party(self._audio_chat(bot, line), self._endpointer(bot))
        warm = self._warm.claim(call_id)
        if warm is None:
            await self.expect(call_id, bot, line)
            warm = self._warm.claim(call_id)
        if warm is None:
            raise VoiceError(f"no voice could be made for the bot {bot.name!r}")
        detection = bot.chained.turn_detection if bot.voice == "chained" else bot.realtime.turn_detection
        endpointer = self._endpointer(bot) if detection == "local" else None
        return Party(warm.voice, endpointer, warm.sockets, warm.untold)

    def _chained(self, bot: BotConfig, line: AudioFormat, ear: Ear | None = None) -> ChainedVoice:
        rate_hz = self._engines.speaker(bot).rate_hz
        return ChainedVoice(speaker_rate_hz=rate_hz, line_rate_hz=line.rate_hz, encode=encoder(line), ear=ear)

    def _audio_chat(self, bot: BotConfig, line: AudioFormat) -> AudioChatVoice:
        links = self._engines.links(bot)
        if links is None or links.converser is None:
            raise VoiceError(f"there is no model that converses for the bot {bot.name!r}")
        model, speaker = (AudioFormat(Encoding.L16, one.rate_hz) for one in (links.converser, links.speaker))
        has_transcriber = links.transcriber is not None
        return AudioChatVoice(Formats(model, speaker, line), has_transcriber=has_transcriber, epoch_s=_epoch_s())

    def _realtime(self, settings: RealtimeSettings, line: AudioFormat) -> RealtimeVoice:
        return RealtimeVoice(settings, line, epoch_s=_epoch_s())

    def _endpointer(self, bot: BotConfig) -> Endpointer:
        listening = EndpointingSettings(pause_ms=bot.listening.pause_ms, hangover_ms=bot.listening.hangover_ms)
        return Endpointer(listening, self._engines.detector(bot))


def endpoint(openai: OpenAIConfig, settings: RealtimeSettings) -> Endpoint:
    return realtime_endpoint(openai, {"model": settings.model}, settings.connect_timeout_s)


def _epoch_s() -> float:
    """The wall clock less the monotonic one."""
    return time.time() - asyncio.get_running_loop().time()
