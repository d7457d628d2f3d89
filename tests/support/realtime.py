"""A realtime voice to talk to in plain calls: what the model would say goes in as dictionaries, its mail comes out."""

import base64
import json
from collections.abc import Sequence
from typing import Any

from bot.config import BotConfig, RealtimeConfig
from bot.events import CloseLink, FromModel, LinkClosed, OpenLink, ToModel
from bot.voice.base import Effect
from bot.voice.realtime import RealtimeVoice
from bot.voice.realtime_settings import settings_of
from media.frame import PCMU_8K
from media.g711 import decode_ulaw

FRAME = b"\x2a" * 160
EPOCH_S = 1_000_000.0


class Model:
    """A voice and the model at the other end of its link, which says what a test has it say."""

    def __init__(self, **realtime: Any) -> None:
        bot = BotConfig(name="test", instructions="Be kind.", realtime=RealtimeConfig(**{"audio": "pcmu", **realtime}))
        self.settings = settings_of(bot, (), {})
        self.voice = RealtimeVoice(self.settings, PCMU_8K, epoch_s=EPOCH_S)
        self.now = 100.0
        self.at_ms = 0
        self.link = 0
        self.effects: list[Effect] = []

    def starts(self, *, expires_in_s: float = 3600.0) -> None:
        """Open the session and configure it."""
        self._take(self.voice.start(self.now))
        self.is_configured(expires_in_s=expires_in_s)

    def is_configured(self, link: int | None = None, *, expires_in_s: float = 3600.0) -> list[Effect]:
        expires_at = EPOCH_S + self.now + expires_in_s
        session = {"id": "sess_1", "expires_at": expires_at, "audio": {"output": {"format": {"type": self._format}}}}
        self.says(link, type="session.created", session=session)
        return self.says(link, type="session.updated", session=session)

    def says(self, link: int | None = None, **event: Any) -> list[Effect]:
        """The model sends one event; what the voice makes of it."""
        message = FromModel(self.link if link is None else link, json.dumps(event))
        return self._take(self.voice.receive(message, self.now))

    def is_told(self, event: Any) -> list[Effect]:
        """The call or the runner tells the voice something."""
        return self._take(self.voice.receive(event, self.now))

    def hears(self, frames: int) -> list[Effect]:
        """So many frames of the caller's line."""
        heard: list[Effect] = []
        for _ in range(frames):
            heard += self._take(self.voice.hear(FRAME, decode_ulaw(FRAME), self.at_ms))
            self.at_ms += 20
            self.now += 0.02
        return heard

    def passes(self, seconds: float) -> list[Effect]:
        """Let time go by and keep the voice's deadlines."""
        until, heard = self.now + seconds, []
        while self.voice.deadline <= until:
            self.now = max(self.now, self.voice.deadline)
            heard += self._take(self.voice.on_deadline(self.now))
        self.now = until
        return heard

    def loses_link(self, code: int | None = None, reason: str = "the socket broke") -> list[Effect]:
        return self._take(self.voice.receive(LinkClosed(self.link, reason, code), self.now))

    # -- what models usually say -------------------------------------------------------------------------------------

    def hears_speech(self, item_id: str, start_ms: int = 300) -> list[Effect]:
        return self.says(type="input_audio_buffer.speech_started", item_id=item_id, audio_start_ms=start_ms)

    def hears_silence(self, item_id: str, end_ms: int = 2000, after: str | None = None) -> list[Effect]:
        effects = self.says(type="input_audio_buffer.speech_stopped", item_id=item_id, audio_end_ms=end_ms)
        effects += self.says(type="input_audio_buffer.committed", item_id=item_id, previous_item_id=after)
        item = {"id": item_id, "type": "message", "role": "user"}
        return effects + self.says(type="conversation.item.added", item=item, previous_item_id=after)

    def understands(self, item_id: str, text: str) -> list[Effect]:
        completed = "conversation.item.input_audio_transcription.completed"
        return self.says(type=completed, item_id=item_id, transcript=text)

    def begins(self, response_id: str) -> list[Effect]:
        return self.says(type="response.created", response={"id": response_id, "status": "in_progress"})

    def speaks(self, response_id: str, item_id: str, ms: int, words: str = "") -> list[Effect]:
        """So much sound of one item, its words ahead of it."""
        where = {"response_id": response_id, "item_id": item_id}
        effects = self.says(type="response.output_audio_transcript.delta", delta=words, **where) if words else []
        sound = base64.b64encode(b"\x11" * (ms * self.settings.wire.bytes_per_second // 1000)).decode()
        return effects + self.says(type="response.output_audio.delta", delta=sound, **where)

    def ends_item(self, response_id: str, item_id: str) -> list[Effect]:
        item = {"id": item_id, "type": "message", "role": "assistant", "status": "completed"}
        return self.says(type="response.output_item.done", response_id=response_id, item=item)

    def ends(self, response_id: str, status: str = "completed", **response: Any) -> list[Effect]:
        return self.says(type="response.done", response={"id": response_id, "status": status, **response})

    def answers(self, response_id: str, item_id: str, ms: int = 2000, words: str = "We open at nine.") -> list[Effect]:
        """A whole response of one item."""
        effects = self.begins(response_id) + self.speaks(response_id, item_id, ms, words)
        return effects + self.ends_item(response_id, item_id) + self.ends(response_id, output=[{"type": "message"}])

    @property
    def _format(self) -> str:
        return self.settings.core_session["audio"]["output"]["format"]["type"]

    def _take(self, effects: Sequence[Effect]) -> list[Effect]:
        for effect in effects:
            if isinstance(effect, OpenLink):
                self.link = effect.link
            if isinstance(effect, CloseLink) and effect.link == self.link:
                self.link = 0
        self.effects += effects
        return list(effects)


def mail(effects: Sequence[Effect]) -> list[dict[str, Any]]:
    """What was sent to the model, sound left out."""
    sent = [json.loads(effect.message) for effect in effects if isinstance(effect, ToModel)]
    return [message for message in sent if message["type"] != "input_audio_buffer.append"]


def kinds(effects: Sequence[Effect]) -> list[str]:
    """The types of messages to the model, each once where many follow each other."""
    types = [json.loads(effect.message)["type"] for effect in effects if isinstance(effect, ToModel)]
    return [kind for before, kind in zip([None, *types], types, strict=False) if kind != before]


def of(effects: Sequence[Effect], *wanted: type) -> list[Effect]:
    return [effect for effect in effects if isinstance(effect, wanted)]
