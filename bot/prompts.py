"""What a bot can say without any engine: its sound is made once, before the first call.

If an engine fails in a call, the caller still hears a sentence and not silence.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from bot.config import BotConfig
from bot.speech.links import Speaker, whole_sound
from media.codec import encoder
from media.frame import AudioFormat
from media.level import tone
from media.resample import Resampler

_TONE_HZ, _TONE_MS, _TONE_DBFS = 1000.0, 350.0, -14.0


class Prompt(Enum):
    """What can be said without any engine, because its sound was prepared before the first call."""

    GREETING = "greeting"
    IDLE = "idle_prompt"
    IDLE_GOODBYE = "idle_goodbye"
    TIME_UP = "time_up"
    FILLER = "filler"
    PARDON = "pardon"
    APOLOGY = "apology"
    DRAIN_GOODBYE = "drain_goodbye"
    TRANSFER = "transfer"
    TONE = "tone"


@dataclass(frozen=True, slots=True)
class PreparedAudio:
    text: str
    payload: bytes  # in the carrier's encoding


def texts(bot: BotConfig) -> Mapping[Prompt, str]:
    return {
        Prompt.GREETING: bot.greeting,
        Prompt.IDLE: bot.texts.idle,
        Prompt.IDLE_GOODBYE: bot.texts.idle_goodbye,
        Prompt.TIME_UP: bot.texts.time_up,
        Prompt.FILLER: bot.texts.filler,
        Prompt.PARDON: bot.texts.pardon,
        Prompt.APOLOGY: bot.texts.apology,
        Prompt.DRAIN_GOODBYE: bot.texts.drained,
        Prompt.TRANSFER: bot.texts.transferring,
    }


async def prepare(
    bot: BotConfig,
    speaker: Speaker,
    audio: AudioFormat,
    sound: Callable[[Speaker, str], Awaitable[bytes]] = whole_sound,
) -> dict[Prompt, PreparedAudio]:
    """Every sentence as the carrier will play it; raises `VoiceError` if the speaker cannot.

    `sound` gives a sentence as the speaker says it, from wherever it has it.
    """
    encode = encoder(audio)
    prepared = {Prompt.TONE: PreparedAudio("", encode(tone(_TONE_HZ, _TONE_MS, audio.rate_hz, _TONE_DBFS)))}
    for prompt, text in texts(bot).items():
        pcm = await sound(speaker, text) if text else b""
        resampler = Resampler(speaker.rate_hz, audio.rate_hz)
        prepared[prompt] = PreparedAudio(text, encode(resampler.push(pcm) + resampler.flush()))
    return prepared
