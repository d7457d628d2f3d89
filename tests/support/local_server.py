"""The local server with a small business behind it, and the official SDK's client that speaks to it."""

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import av
import numpy as np
import openai

from bot.config import BotConfig, FactConfig, OpenAIConfig
from bot.local.serving import serving

BUSINESS = BotConfig(
    name="reception",
    facts=(
        FactConfig(
            ask=("What are your opening hours?", "When are you open?", "When do you close?"),
            answer="We are open from nine to six, Monday to Saturday.",
        ),
        FactConfig(
            ask=("How old is the Brooklyn Bridge?", "When was the bridge opened?"),
            answer="The Brooklyn Bridge was opened in 1883.",
        ),
    ),
)


@asynccontextmanager
async def local_client(
    bot: BotConfig = BUSINESS, upstream: OpenAIConfig | None = None
) -> AsyncIterator[openai.AsyncOpenAI]:
    """`upstream` is where a text model is, for a responder `openai:MODEL`."""
    async with (
        serving(bot, upstream=upstream) as url,
        openai.AsyncOpenAI(base_url=url, api_key="any", max_retries=0, timeout=200) as client,
    ):
        yield client


def samples_of(content: bytes) -> tuple[np.ndarray, int]:
    """A sound file's samples (channels, samples), and their rate in hertz."""
    with av.open(io.BytesIO(content)) as container:
        frames = list(container.decode(audio=0))
        resampler = av.AudioResampler(format="s16p")
        planes = [piece.to_ndarray() for frame in [*frames, None] for piece in resampler.resample(frame)]
    return np.concatenate(planes, axis=1), frames[0].sample_rate


def sound_file(samples: np.ndarray, rate_hz: int, container: str = "wav", codec: str = "pcm_s16le") -> bytes:
    """A file of 16-bit samples, shape (channels, samples)."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        layout = "stereo" if len(samples) == 2 else "mono"
        stream = output.add_stream(codec, rate=rate_hz, layout=layout)
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples, np.int16).reshape(1, -1, order="F"), format="s16", layout=layout
        )
        frame.sample_rate = rate_hz
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            output.mux(packet)
    return file.getvalue()
