"""Which voice speaks when a request names one: OpenAI's names, which programs come with, or those of our own."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from bot.local.errors import RequestError
from bot.speech.local import LocalSpeaker
from bot.speech.model_table import VOICES

if TYPE_CHECKING:
    from collections.abc import Sequence


class CustomVoice(msgspec.Struct, frozen=True):
    """A voice by its id, as OpenAI writes voices that are made to order."""

    id: str


class Voices:
    """The local speakers by name, each loaded once; the first one also answers to every name OpenAI has."""

    def __init__(self, speakers: Mapping[str, LocalSpeaker]) -> None:
        """At least one; a speaker under one of OpenAI's names takes that name from the first."""
        self._speakers = dict(speakers)
        self._first = next(iter(speakers.values()))

    async def start(self) -> None:
        """Load all; raises `VoiceError`."""
        for speaker in self._speakers.values():
            await speaker.start()

    def speaker(self, voice: str | CustomVoice, param: str = "voice") -> LocalSpeaker:
        """Who speaks as `voice`; raises `RequestError` for a name that nobody has."""
        name = voice.id if isinstance(voice, CustomVoice) else voice
        if name in self._speakers:
            return self._speakers[name]
        if name in VOICES:
            return self._first
        raise RequestError(
            f"Invalid value: '{name}'. Supported values are: {', '.join(repr(one) for one in self.names())}.",
            param,
            "invalid_value",
        )

    def names(self) -> "Sequence[str]":
        return sorted({*self._speakers, *VOICES})
