"""Speakers who keep their names from one part of a recording to the next.

A diarizing model names the speakers of each upload anew: A, B in the order in which they speak. So a few seconds of
each new voice are kept, and sent with the next part as known speakers; whoever is recognised keeps the letter. A model
takes four. Where a server takes no voices, or there are more than four, a speaker of a later part gets a letter of
their own rather than somebody else's: nobody is made to say what another said.

Names without voices are passed on as they are, for servers that tell speakers apart by channel.
"""

import io
import wave
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Final

import numpy as np
import pybase64

from bot.analysis.joining import Json, speakers_text
from bot.analysis.sound_parts import SoundPart
from bot.errors import VoiceError
from bot.local.sound_files import RATE_HZ, Samples, SoundFile
from bot.speech.requests import MOST_SPEAKERS, TranscriptionRequest

LEAST_VOICE_S: Final = 2.0
MOST_VOICE_S: Final = 10.0
"""Of somebody's voice: shorter or longer is not taken."""


@dataclass(frozen=True, slots=True)
class KnownSpeaker:
    label: str  # in the transcript
    name: str  # on the wire
    reference: str = ""  # a data URL with their voice


class SpeakerMemory:
    """Belongs to one recording, whose parts come in order."""

    def __init__(self, given: Sequence[KnownSpeaker] = ()) -> None:
        self._known = list(given)
        self._passes_names_on = bool(given) and not all(one.reference for one in given)
        self._has_given_voices = bool(given) and not self._passes_names_on
        self._can_refer = not self._passes_names_on
        self._letters = (letter for letter in _letters() if letter not in {one.label for one in given})

    @property
    def can_do_without(self) -> bool:
        """Whether voices were sent, and none that somebody gave."""
        return self._can_refer and bool(self._known) and not self._has_given_voices

    def refer_no_more(self) -> None:
        """The server compares no voices."""
        self._can_refer = False

    def request_for(self, request: TranscriptionRequest) -> TranscriptionRequest:
        """The same with those who are known so far."""
        if self._passes_names_on:
            return replace(request, speaker_names=tuple(one.name for one in self._known))
        known = [one for one in self._known if one.reference] if self._can_refer else []
        return replace(
            request,
            speaker_names=tuple(one.name for one in known),
            speaker_references=tuple(one.reference for one in known),
        )

    def learn(self, part: SoundPart, body: Json) -> Json:
        """The part's body with the labels of the whole recording."""
        segments: list[Json] = body.get("segments") or []
        labels = {one.name: one.label for one in self._known if self._passes_names_on or self._can_refer}
        for name in dict.fromkeys(str(segment["speaker"]) for segment in segments):
            if name not in labels:
                labels[name] = next(self._letters)
                self._remember(labels[name], part, [one for one in segments if one["speaker"] == name])
        named = [{**segment, "speaker": labels[str(segment["speaker"])]} for segment in segments]
        return {**body, "segments": named, "text": speakers_text(named)} if named else body

    def _remember(self, label: str, part: SoundPart, spoken: Sequence[Mapping[str, float]]) -> None:
        referred = sum(1 for one in self._known if one.reference)
        if not self._can_refer or referred >= MOST_SPEAKERS or part.samples is None:
            return
        longest = max(spoken, key=lambda segment: segment["end"] - segment["start"])
        begin, end = (round(longest[at] * RATE_HZ) for at in ("start", "end"))
        if end - begin >= LEAST_VOICE_S * RATE_HZ:
            # Not a letter: the model gives those to voices that it does not know.
            self._known.append(KnownSpeaker(label, f"speaker {label}", voice_url(part.samples[:, begin:end])))


def voice_url(samples: Samples) -> str:
    """The first ten seconds as a data URL; shape (channels, samples) at 16,000 Hz."""
    mono = samples.mean(axis=0).astype("<i2")[: round(MOST_VOICE_S * RATE_HZ)]
    file = io.BytesIO()
    with wave.open(file, "wb") as output:
        output.setnchannels(1)
        output.setsampwidth(2)
        output.setframerate(RATE_HZ)
        output.writeframes(mono.tobytes())
    return f"data:audio/wav;base64,{pybase64.b64encode(file.getvalue()).decode()}"


def speaker_from_file(name: str, path: Path) -> KnownSpeaker:
    """Somebody whose voice is in a file of two seconds or more. Blocking; raises `VoiceError`, `SoundFileError`."""
    try:
        with path.open("rb") as file:
            samples: Samples = np.concatenate(list(SoundFile(file, path.name).blocks()), axis=1)
    except OSError as exc:
        raise VoiceError(f"cannot read {path}: {exc.strerror}") from exc
    if samples.shape[1] < LEAST_VOICE_S * RATE_HZ:
        raise VoiceError(f"{path} is too short to know {name} by: record two to ten seconds")
    return KnownSpeaker(name, name, voice_url(samples))


def _letters() -> Iterator[str]:
    return map(_letter, count())


def _letter(number: int) -> str:
    """A to Z, then AA, AB …"""
    head, last = divmod(number, 26)
    return (_letter(head - 1) if head else "") + chr(ord("A") + last)
