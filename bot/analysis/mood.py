"""How somebody feels in a recording, by how they sound: sound in, a word and a reason out.

A model that hears (Chat Completions with `input_audio`) is asked for JSON in plain words, since those models take no
`response_format`. The sound goes as MP3, which is one of the two formats they take, and of a long recording only the
end: it is how a call ends that people want to know, and a quarter of an hour is 11 MB.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

import msgspec
import numpy as np
import pybase64

from bot.analysis.chat_model import ChatModel
from bot.analysis.sound_parts import Cutting, mono, opened, picked
from bot.errors import VoiceError
from bot.local.sound_encoding import whole
from bot.local.sound_files import RATE_HZ, Samples, SoundFile

Mood = Literal["pleased", "calm", "confused", "worried", "impatient", "annoyed", "angry", "sad"]
MOODS: Final = get_args(Mood)
LONGEST_S: Final = 900.0
"""Of a recording, from its end."""

_INSTRUCTIONS = f"""\
You are given the recording of a telephone call. Say in which mood the caller is, most of all towards the end, from \
the voice as well as from the words. The mood is one of: {", ".join(MOODS)}.
Answer with nothing but JSON: {{"mood": "…", "reason": "…"}}, the reason one short sentence in English."""


@dataclass(frozen=True, slots=True)
class Heard:
    mood: Mood
    reason: str


async def mood_of(recording: bytes, model: ChatModel) -> Heard:
    """`recording` is an MP3 (`ending` makes one); raises `VoiceError`, also for an answer that is no mood."""
    sound = {"data": pybase64.b64encode(recording).decode(), "format": "mp3"}
    reply = await model.answer(_INSTRUCTIONS, [{"type": "input_audio", "input_audio": sound}], modalities=["text"])
    written = re.search(r"\{.*\}", reply.text, re.DOTALL)
    try:
        return msgspec.json.decode(written[0] if written else b"", type=Heard)
    except msgspec.DecodeError as exc:
        short = " ".join(reply.text.split())[:120]
        raise VoiceError(f"{model.model} names no mood, it answers {short!r}: choose a model that hears") from exc


def ending(path: Path, channel: int | None = None, longest_s: float = LONGEST_S) -> bytes:
    """The end of a recording, or of one of its channels, as MP3. Blocking; raises `VoiceError`, `SoundFileError`."""
    kept: list[Samples] = []
    count = 0
    with opened(path) as file:
        for block in SoundFile(file, path.name).blocks():
            kept.append(picked(block, Cutting(channel=channel)))
            count += kept[-1].shape[1]
            while count - kept[0].shape[1] >= longest_s * RATE_HZ:
                count -= kept.pop(0).shape[1]
    return whole("mp3", mono(np.concatenate(kept, axis=1)).tobytes(), RATE_HZ)
