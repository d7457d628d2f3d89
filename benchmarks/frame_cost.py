"""What one 20 ms frame costs a core: up (message to endpointer and recording), down (reply audio to message).

Sockets aside: this is the session with everything in it, fed as fast as it goes. A row is the median of several runs.

    python benchmarks/frame_cost.py
"""

import base64
import json
import statistics
import time
import wave
from collections.abc import Callable
from pathlib import Path

import msgspec

from bot.carrier.twilio_media import TwilioMediaStream
from bot.policy import CallPolicy
from bot.prompts import PreparedAudio, Prompt
from bot.session import Session
from bot.voice.chained import ChainedVoice
from media.codec import encoder
from media.endpointing import Endpointer
from media.frame import PCMU_8K
from media.g711 import encode_ulaw
from media.playout import Playout
from media.recorder import Recorder
from media.resample import Resampler

FRAMES = 3000
RUNS = 5
DATA = Path(__file__).parent.parent / "tests" / "data"


def start_message() -> str:
    started = {
        "streamSid": "MZ1", "callSid": "CA1", "accountSid": "AC1", "tracks": ["inbound"], "customParameters": {},
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
    }  # fmt: skip
    return json.dumps({"event": "start", "sequenceNumber": "1", "streamSid": "MZ1", "start": started})


def media_messages(ulaw: bytes) -> list[str]:
    frames = [ulaw[index * 160 % len(ulaw) :][:160].ljust(160, b"\xff") for index in range(FRAMES)]
    return [
        json.dumps({
            "event": "media", "sequenceNumber": str(index + 2), "streamSid": "MZ1",
            "media": {
                "track": "inbound", "chunk": str(index + 1), "timestamp": str(20 * index),
                "payload": base64.b64encode(frame).decode(),
            },
        })
        for index, frame in enumerate(frames)
    ]  # fmt: skip


def session() -> Session:
    stream = TwilioMediaStream()
    fresh = Session(
        call_id="benchmark",
        carrier_call_id="CA1",
        from_number="+15550001111",
        stream=stream,
        voice=ChainedVoice(speaker_rate_hz=8000, line_rate_hz=8000, encode=encoder(PCMU_8K)),
        policy=CallPolicy(max_call_s=1e6, idle_prompt_s=1e6),
        prepared={prompt: PreparedAudio("", b"") for prompt in Prompt},
        endpointer=Endpointer(),
        recorder=Recorder(),
        now=0.0,
    )
    fresh.from_carrier('{"event":"connected","protocol":"Call","version":"1.0.0"}', 0.0)
    fresh.from_carrier(start_message(), 0.0)
    return fresh


def up(ulaw: bytes) -> float:
    call, messages = session(), media_messages(ulaw)
    began = time.perf_counter()
    for index, message in enumerate(messages):
        call.from_carrier(message, 0.02 * (index + 1))
    return (time.perf_counter() - began) / FRAMES * 1e6


def parse_only(ulaw: bytes) -> float:
    decoder, messages = msgspec.json.Decoder(), media_messages(ulaw)
    began = time.perf_counter()
    for message in messages:
        base64.b64decode(decoder.decode(message)["media"]["payload"])
    return (time.perf_counter() - began) / FRAMES * 1e6


def down(_: bytes) -> float:
    """24 kHz speech to the carrier's messages: resample, encode, playout, format."""
    stream = TwilioMediaStream()
    stream.receive('{"event":"connected","protocol":"Call","version":"1.0.0"}')
    stream.receive(start_message())
    playout, resampler, frame = Playout(PCMU_8K), Resampler(24000, 8000), bytes(960)
    began = time.perf_counter()
    for index in range(FRAMES):
        playout.push("r", encode_ulaw(resampler.push(frame)))
        for packet in playout.due(0.02 * index):
            stream.media(packet.payload)
        if index % 25 == 0:
            playout.drain_heard(0.02 * index)
    return (time.perf_counter() - began) / FRAMES * 1e6


def main() -> None:
    speech = encode_ulaw(b"".join(_pcm(path) for path in sorted(DATA.glob("conversation/backchannels/call40*.wav"))))
    silence = b"\xff" * 8000
    rows: list[tuple[str, Callable[[bytes], float], bytes]] = [
        ("up, silent line", up, silence),
        ("up, speech", up, speech),
        ("  of which parsing alone (msgspec, no schema)", parse_only, speech),
        ("down, 24 kHz voice", down, silence),
    ]
    print(f"{'':<48}{'us a frame':>12}{'ms CPU a call-second':>22}")
    for name, measure, sound in rows:
        us = statistics.median(measure(sound) for _ in range(RUNS))
        print(f"{name:<48}{us:>12.1f}{us * 50 / 1000:>22.2f}")


def _pcm(path: Path) -> bytes:
    with wave.open(str(path)) as file:
        return file.readframes(file.getnframes())


if __name__ == "__main__":
    main()
