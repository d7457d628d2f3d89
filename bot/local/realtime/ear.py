"""The input audio buffer of one session: counts milliseconds, and finds speech in them.

Milliseconds are those of the sound that was appended since the session began, whatever the clock says. What is held is
16-bit mono at 8,000 Hz, which is what the transcriber takes: everything since the last commit while the client decides
about turns, else the speech under way and some seconds of what came before it.
"""

from media.detector import Detector, VoiceDetector
from media.endpointing import Endpointer, EndpointingSettings, SpeechEvent
from media.frame import L16_8K, AudioFormat
from media.transcode import Transcoder

_BYTES_PER_MS = 16
_PAUSE_MS = 200  # a shorter silence is not worth guessing what was said
_IDLE_KEPT_MS = 10_000
LONGEST_TURN_MS = 600_000
"""Ten minutes: more than that is not taken without a commit."""


class Ear:
    def __init__(self, detector: Detector | None = None) -> None:
        self._detector = detector or VoiceDetector()
        self._endpointer: Endpointer | None = None
        self._hangover_ms = 0
        self._decoder: Transcoder | None = None
        self._format: AudioFormat | None = None
        self._held = bytearray()
        self._held_from_ms = 0.0
        self._is_speech = False

    @property
    def position_ms(self) -> float:
        """How much sound was appended since the session began."""
        return self._held_from_ms + len(self._held) / _BYTES_PER_MS

    @property
    def buffered_ms(self) -> float:
        return len(self._held) / _BYTES_PER_MS

    @property
    def hangover_ms(self) -> int:
        """How much silence ends an utterance."""
        return self._hangover_ms

    def listen(self, threshold: float, prefix_ms: int, hangover_ms: int) -> bool:
        """Find speech from now on; whether it had to begin anew, so that a speech under way is none any longer."""
        settings = EndpointingSettings(
            pause_ms=_PAUSE_MS, hangover_ms=hangover_ms, prefix_ms=prefix_ms, threshold=threshold
        )
        self._hangover_ms = hangover_ms
        if self._endpointer is not None and self._endpointer.settings == settings:
            return False
        self._endpointer = Endpointer(settings, self._detector)
        self._is_speech = False
        return True

    def leave_it_to_client(self) -> None:
        """No speech is found any longer."""
        self._endpointer = None
        self._is_speech = False

    def hear(self, payload: bytes, audio: AudioFormat) -> list[SpeechEvent]:
        """The next sound of the line; what is found in it has times on the session's clock of sound."""
        if self._decoder is None or audio != self._format:
            self._decoder, self._format = Transcoder(audio, L16_8K), audio
        pcm = self._decoder.push(payload)
        at_ms = self.position_ms
        self._held += pcm
        if self._endpointer is None:
            return []
        events = self._endpointer.push(pcm, at_ms)
        if not self._is_speech and self.buffered_ms > 2 * _IDLE_KEPT_MS:
            self._drop(self.buffered_ms - _IDLE_KEPT_MS)
        return events

    def has_room(self, payload_bytes: int, audio: AudioFormat) -> bool:
        return self._endpointer is not None or self.buffered_ms + audio.ms(payload_bytes) <= LONGEST_TURN_MS

    def speech_began(self) -> None:
        """What is held is kept until it is committed."""
        self._is_speech = True

    def take_until(self, end_ms: float) -> None:
        """An utterance that ended here was committed: only what came after it is still in the buffer."""
        self._is_speech = False
        self._drop(end_ms - self._held_from_ms)

    def take_all(self) -> bytes:
        """The whole buffer, which is empty then; a speech under way is over."""
        pcm = bytes(self._held)
        self.forget()
        return pcm

    def forget(self) -> None:
        self._drop(self.buffered_ms)
        self._is_speech = False
        if self._endpointer is not None:
            self._endpointer = Endpointer(self._endpointer.settings, self._detector)

    def _drop(self, ms: float) -> None:
        count = min(len(self._held), 2 * int(max(0.0, ms) * _BYTES_PER_MS / 2))
        del self._held[:count]
        self._held_from_ms += count / _BYTES_PER_MS
