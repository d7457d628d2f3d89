"""A service whose voice is made of tones: real sockets, real call log, no model."""

import wave
from pathlib import Path

import numpy as np

from bot.config import (
    BotConfig,
    CarriersConfig,
    ChainedConfig,
    Config,
    ListeningConfig,
    ServerConfig,
    StorageConfig,
    TwilioConfig,
)
from media.g711 import decode_ulaw
from tests.support.virtual_call import voiced

ACCOUNT, TOKEN = "AC" + "1" * 32, "0123456789abcdef0123456789abcdef"


def tones_config(folder: Path, *, max_calls: int = 100, drain_s: float = 0.0, **bot: object) -> Config:
    answering = BotConfig(
        name="tones",
        greeting="A greeting of tones, a second long....",
        chained=ChainedConfig(transcriber="tones", responder="tones", speaker="tones"),
        listening=ListeningConfig(),
        **bot,  # type: ignore[arg-type]
    )
    return Config(
        server=ServerConfig(port=0, max_calls=max_calls, drain_s=drain_s),
        storage=StorageConfig(database=f"sqlite+aiosqlite:///{folder}/log.db", recordings=str(folder / "recordings")),
        carriers=CarriersConfig(twilio=TwilioConfig(account_sid=ACCOUNT, auth_token=TOKEN)),
        bots=(answering,),
    )


def speech(ms: int) -> bytes:
    """Something that counts as speech: 16-bit 8 kHz."""
    return decode_ulaw(voiced(ms))


def channels(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """A recording's two sides: the caller's, and what the caller heard."""
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    return samples[:, 0], samples[:, 1]
