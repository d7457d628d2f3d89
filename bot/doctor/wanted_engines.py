"""Which engines the bots need, by server and use; the same one is named once for all its bots. No I/O."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.config import BotConfig, Config
from bot.speech.engine_names import EngineName, parse
from bot.speech.model_table import Use

Local = Literal["transcriber", "speaker", "detector"]
OWN = ("tones", "facts")


@dataclass(frozen=True, slots=True)
class WantedModel:
    """A model at a server."""

    name: EngineName
    use: Use
    bots: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WantedLocal:
    """A model on this machine."""

    kind: Local
    name: str
    bots: tuple[str, ...]


def wanted_engines(config: Config) -> tuple[Sequence[WantedModel], Sequence[WantedLocal]]:
    """Raises `ConfigError` for a name that nothing answers to."""
    models: defaultdict[tuple[EngineName, Use], list[str]] = defaultdict(list)
    local: defaultdict[tuple[Local, str], list[str]] = defaultdict(list)
    for bot in config.bots:
        for name, use in dict.fromkeys(_named(bot)):
            if name.kind == "local":
                local["speaker" if use is Use.SPEECH else "transcriber", name.model].append(bot.name)
            elif name.kind != "own":
                models[name, use].append(bot.name)
        if bot.listening.detector == "silero":
            local["detector", "silero"].append(bot.name)
    return (
        [WantedModel(name, use, tuple(bots)) for (name, use), bots in models.items()],
        [WantedLocal(kind, name, tuple(bots)) for (kind, name), bots in local.items()],
    )


def _named(bot: BotConfig) -> Iterator[tuple[EngineName, Use]]:
    speaker = parse(bot.chained.speaker, OWN)
    yield speaker, Use.REALTIME if speaker.kind == "openai-realtime" else Use.SPEECH
    match bot.voice:
        case "realtime":
            yield EngineName("openai-realtime", bot.realtime.model), Use.REALTIME
            if bot.realtime.transcription_model:
                yield EngineName("openai-realtime", bot.realtime.transcription_model), Use.LIVE_TRANSCRIPTION
        case "audio-chat":
            yield parse(f"openai:{bot.audio_chat.model}"), Use.CHAT
            if bot.audio_chat.transcriber:
                yield _transcriber(bot.audio_chat.transcriber)
        case "chained":
            yield _transcriber(bot.chained.transcriber)
            yield parse(bot.chained.responder, OWN), Use.CHAT


def _transcriber(text: str) -> tuple[EngineName, Use]:
    name = parse(text, OWN)
    return name, Use.LIVE_TRANSCRIPTION if name.kind == "openai-realtime" else Use.TRANSCRIPTION
