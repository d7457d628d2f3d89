"""A reader to talk to in plain calls: its servers say what a test has them say, and time is a number."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.events import CloseLink, FromModel, LinkClosed, OpenLink, ToModel
from bot.speech.links import Spent
from bot.speech.reader import Reader
from bot.speech.reader_settings import Patience, reader_settings
from bot.speech.reading import Noted, ReaderEffect, SentenceFailed, SentenceRead, SoundRead

EPOCH_S = 1_000_000.0
MODEL = "gpt-realtime-2.1-mini"
USAGE = {
    "input_token_details": {"text_tokens": 100, "cached_tokens_details": {"text_tokens": 60}},
    "output_token_details": {"text_tokens": 5, "audio_tokens": 40},
}


@dataclass
class ReadingRoom:
    """`sound` and `ends` are what came of each sentence, by its number."""

    reader: Reader
    now: float = 100.0
    links: list[int] = field(default_factory=list)  # those open, in order
    told: dict[int, list[dict[str, Any]]] = field(default_factory=dict)  # what each link was sent
    sound: dict[int, bytes] = field(default_factory=dict)
    ends: dict[int, Spent | SentenceFailed] = field(default_factory=dict)
    noted: list[Noted] = field(default_factory=list)

    # -- what the shell does -----------------------------------------------------------------------------------------

    def opens(self, *, expires_in_s: float = 3600.0) -> int:
        """Open the reader and make its session ready; the link's number."""
        self._take(self.reader.open(self.now))
        self.is_configured(self.links[-1], expires_in_s=expires_in_s)
        return self.links[-1]

    def asks(self, number: int, text: str = "We are open from nine to six.", *, is_checked: bool = False) -> None:
        self._take(self.reader.ask(number, text, self.now, is_checked=is_checked))

    def cancels(self, number: int) -> None:
        self._take(self.reader.cancel(number, self.now))

    def passes(self, seconds: float) -> None:
        until = self.now + seconds
        while self.reader.deadline <= until:
            self.now = max(self.now, self.reader.deadline)
            self._take(self.reader.on_deadline(self.now))
        self.now = until

    # -- what servers do ---------------------------------------------------------------------------------------------

    def says(self, link: int, kind: str, **event: Any) -> None:
        message = FromModel(link, json.dumps({"type": kind, **event}))
        self._take(self.reader.receive(message, self.now))

    def is_configured(self, link: int, *, expires_in_s: float = 3600.0) -> None:
        session = {"id": "sess", "expires_at": EPOCH_S + self.now + expires_in_s}
        self.says(link, "session.created", session=session)
        self.says(link, "session.updated", session=session)

    def begins(self, link: int, response_id: str, request: int = -1, *, echoes: bool = True) -> None:
        """The response to the `request`th thing asked of this link."""
        metadata = self.creates(link)[request]["response"]["metadata"] if echoes else None
        self.says(link, "response.created", response={"id": response_id, "metadata": metadata})

    def speaks(self, link: int, response_id: str, sound: bytes = b"\x01\x02") -> None:
        delta = base64.b64encode(sound).decode()
        self.says(link, "response.output_audio.delta", response_id=response_id, delta=delta)

    def ends_response(
        self,
        link: int,
        response_id: str,
        words: str = "We are open from nine to six.",
        status: str = "completed",
        **more: Any,
    ) -> None:
        if words:
            self.says(link, "response.output_audio_transcript.done", response_id=response_id, transcript=words)
        self.says(link, "response.done", response={"id": response_id, "status": status, "usage": USAGE, **more})

    def reads(
        self, link: int, response_id: str, words: str = "We are open from nine to six.", request: int = -1
    ) -> None:
        """A whole response."""
        self.begins(link, response_id, request)
        self.speaks(link, response_id)
        self.ends_response(link, response_id, words)

    def complains(self, link: int, code: str | None, message: str = "No.", event_id: str | None = None) -> None:
        self.says(
            link,
            "error",
            error={"type": "invalid_request_error", "code": code, "message": message, "event_id": event_id},
        )

    def loses(self, link: int, code: int | None = None, reason: str = "the socket broke") -> None:
        self.links.remove(link)
        self._take(self.reader.receive(LinkClosed(link, reason, code), self.now))

    # -- what it came to ---------------------------------------------------------------------------------------------

    def creates(self, link: int) -> list[dict[str, Any]]:
        return [message for message in self.told[link] if message["type"] == "response.create"]

    def texts(self, link: int) -> list[str]:
        """What this link was asked to read."""
        contents = [message["response"]["input"][0]["content"][0]["text"] for message in self.creates(link)]
        return [text.removeprefix("Say exactly this, word for word: ") for text in contents]

    def cancelled(self, link: int) -> list[str]:
        return [message["response_id"] for message in self.told[link] if message["type"] == "response.cancel"]

    def events(self) -> list[str]:
        return [noted.event for noted in self.noted]

    def failure(self, number: int) -> SentenceFailed:
        end = self.ends[number]
        assert isinstance(end, SentenceFailed), end
        return end

    def _take(self, effects: Sequence[ReaderEffect]) -> None:
        for effect in effects:
            match effect:
                case OpenLink(link):
                    self.links.append(link)
                    self.told[link] = []
                case CloseLink(link) if link in self.links:
                    self.links.remove(link)
                case ToModel(link, message):
                    self.told[link].append(json.loads(message))
                case SoundRead(number, pcm):
                    self.sound[number] = self.sound.get(number, b"") + pcm
                case SentenceRead(number, spent):
                    self.ends[number] = spent
                case SentenceFailed(number):
                    self.ends[number] = effect
                case Noted():
                    self.noted.append(effect)


def reading_room(patience: Patience | None = None, **wishes: Any) -> ReadingRoom:
    settings = reader_settings(MODEL, **{"voice": "marin", **wishes}, patience=patience)
    return ReadingRoom(Reader(settings, epoch_s=EPOCH_S))
