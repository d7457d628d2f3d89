"""A live ear to talk to in plain calls: what its session would say goes in as dictionaries, its mail comes out."""

import json
from collections.abc import Sequence
from typing import Any

from bot.config import BotConfig, ChainedConfig, RealtimeConfig
from bot.events import CloseLink, FromModel, LinkClosed, OpenLink, ToModel
from bot.voice.base import Effect
from bot.voice.live_ear import LiveEar
from bot.voice.live_settings import live_name, live_settings_of
from media.endpointing import SpeechPaused, SpeechResumed, SpeechStarted, UtteranceEnded
from media.frame import PCMU_8K
from media.g711 import decode_ulaw

FRAME = b"\x2a" * 160
EPOCH_S = 1_000_000.0
_WORDS = "conversation.item.input_audio_transcription"


class Session:
    """An ear and the session at the other end of its link, which says what a test has it say."""

    def __init__(self, model: str = "gpt-live-transcribe", turn_detection: Any = "local", **realtime: Any) -> None:
        chained = ChainedConfig(transcriber=f"openai-realtime:{model}", turn_detection=turn_detection)
        bot = BotConfig(name="test", chained=chained, realtime=RealtimeConfig(**realtime))
        name = live_name(bot)
        assert name is not None
        self.settings = live_settings_of(bot, name, PCMU_8K, {})
        self.ear = LiveEar(self.settings, PCMU_8K, epoch_s=EPOCH_S)
        self.now = 100.0
        self.at_ms = 0
        self.link = 0

    def starts(self, *, expires_in_s: float = 3600.0) -> list[Effect]:
        """Open the session and configure it."""
        return self._take(self.ear.start(self.now)) + self.is_configured(expires_in_s=expires_in_s)

    def is_configured(self, link: int | None = None, *, expires_in_s: float = 3600.0) -> list[Effect]:
        session = {"id": "sess_1", "expires_at": EPOCH_S + self.now + expires_in_s}
        effects = self.says(link, type="session.created", session=session)
        return effects + self.says(link, type="session.updated", session=session)

    def says(self, link: int | None = None, **event: Any) -> list[Effect]:
        """The session sends one event; what the ear makes of it."""
        message = FromModel(self.link if link is None else link, json.dumps(event))
        return self._take(self.ear.receive(message, self.now))

    def is_told(self, event: Any) -> list[Effect]:
        return self._take(self.ear.receive(event, self.now))

    def hears(self, ms: int) -> list[Effect]:
        """So much of the caller's line."""
        heard: list[Effect] = []
        for _ in range(ms // 20):
            heard += self._take(self.ear.hear(FRAME, decode_ulaw(FRAME), self.at_ms))
            self.at_ms += 20
            self.now += 0.02
        return heard

    def passes(self, seconds: float) -> list[Effect]:
        """Let time go by and keep the ear's deadlines."""
        until, effects = self.now + seconds, []
        while self.ear.deadline <= until:
            self.now = max(self.now, self.ear.deadline)
            effects += self._take(self.ear.on_deadline(self.now))
        self.now = until
        return effects

    def loses_link(self, code: int | None = None, reason: str = "the socket broke") -> list[Effect]:
        return self._take(self.ear.receive(LinkClosed(self.link, reason, code), self.now))

    def closes(self) -> list[Effect]:
        return self._take(self.ear.close())

    # -- our own endpointer ------------------------------------------------------------------------------------------

    def caller_begins(self, start_ms: int) -> list[Effect]:
        return self.is_told(SpeechStarted(start_ms))

    def caller_pauses(self, start_ms: int, end_ms: int) -> list[Effect]:
        return self.is_told(SpeechPaused(start_ms, end_ms, b""))

    def caller_goes_on(self, at_ms: int) -> list[Effect]:
        return self.is_told(SpeechResumed(at_ms))

    def caller_ends(self, start_ms: int, end_ms: int) -> list[Effect]:
        return self.is_told(UtteranceEnded(start_ms, end_ms, b""))

    def caller_speaks(self, start_ms: int, end_ms: int) -> list[Effect]:
        """A whole utterance: its sound, its pause and its end, as the endpointer tells them."""
        effects = self.hears(start_ms + 80 - self.at_ms) + self.caller_begins(start_ms)
        effects += self.hears(end_ms + 200 - self.at_ms) + self.caller_pauses(start_ms, end_ms)
        return effects + self.hears(300) + self.caller_ends(start_ms, end_ms)

    # -- what sessions usually say -----------------------------------------------------------------------------------

    def commits(self, item_id: str) -> list[Effect]:
        return self.says(type="input_audio_buffer.committed", item_id=item_id)

    def writes(self, item_id: str, delta: str) -> list[Effect]:
        return self.says(type=f"{_WORDS}.delta", item_id=item_id, delta=delta)

    def has_written(self, item_id: str, text: str, **more: Any) -> list[Effect]:
        return self.says(type=f"{_WORDS}.completed", item_id=item_id, transcript=text, **more)

    def gives_up(self, item_id: str) -> list[Effect]:
        error = {"type": "transcription_error", "code": "server_error", "message": "no luck"}
        return self.says(type=f"{_WORDS}.failed", item_id=item_id, error=error)

    def hears_speech(self, item_id: str, start_ms: int) -> list[Effect]:
        return self.says(type="input_audio_buffer.speech_started", item_id=item_id, audio_start_ms=start_ms)

    def hears_silence(self, item_id: str, end_ms: int) -> list[Effect]:
        return self.says(type="input_audio_buffer.speech_stopped", item_id=item_id, audio_end_ms=end_ms)

    def _take(self, effects: Sequence[Effect]) -> list[Effect]:
        for effect in effects:
            if isinstance(effect, OpenLink):
                self.link = effect.link
            if isinstance(effect, CloseLink) and effect.link == self.link:
                self.link = 0
        return list(effects)


def sent(effects: Sequence[Effect]) -> list[dict[str, Any]]:
    return [json.loads(effect.message) for effect in effects if isinstance(effect, ToModel)]


def kinds(effects: Sequence[Effect]) -> list[str]:
    """What was sent, in short, each once where many follow each other."""
    types = [message["type"].removeprefix("input_audio_buffer.") for message in sent(effects)]
    return [kind for before, kind in zip([None, *types], types, strict=False) if kind != before]


def sound_ms(effects: Sequence[Effect]) -> float:
    """How much sound was sent."""
    return sum(len(message.get("audio", "")) * 3 / 4 // 160 * 20 for message in sent(effects))


def of(effects: Sequence[Effect], *wanted: type) -> list[Any]:
    return [effect for effect in effects if isinstance(effect, wanted)]
