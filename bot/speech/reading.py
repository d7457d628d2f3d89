"""One sentence that a model reads aloud: what was asked for, and what has come of each try. No I/O.

A piece of sound may end within a sample, so what is handed on is cut to whole ones. Sound that is to be looked at first
is held until the words are known. Times are seconds, monotonic.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.events import LinkCommand
from bot.speech.links import Spent
from bot.voice.realtime_wire import Fault, Response

RATE_HZ = 24000
_BYTES_PER_MS = 2 * RATE_HZ // 1000
_MS_PER_LETTER = 400  # the slowest are figures, each of which can be a long word; plain text takes 70
_MS_BESIDES = 5000


@dataclass(slots=True, eq=False)
class Sentence:
    number: int  # what whoever wants it calls it
    text: str
    due_at: float  # when nobody waits any longer for it to be begun
    is_checked: bool = False  # only what was read as it stands there is of any use
    ask_at: float = 0.0  # not to be asked for before
    tries: int = 0
    tokens: Counter[str] = field(default_factory=Counter)  # of all tries

    def longest_ms(self, speed: float) -> float:
        """How long it can take to read; whoever speaks for longer says something else."""
        return (_MS_BESIDES + _MS_PER_LETTER * len(self.text)) / speed


@dataclass(slots=True, eq=False)
class Reading:
    """One try: a response of the model's."""

    key: str  # our name for it
    sentence: Sentence
    link: int
    moved_at: float  # when it last showed signs of life
    is_held: bool  # its sound waits until its words are known to be right
    response_id: str = ""
    is_wanted: bool = True
    is_cut: bool = False  # it went on for too long, and no more of it is wanted
    is_heard: bool = False  # some of it was handed on
    words: str = ""
    sound_ms: float = 0.0
    _odd: bytes = b""
    _held: bytearray = field(default_factory=bytearray)

    def receive(self, pcm: bytes) -> bytes:
        """More sound; what of it can be handed on now."""
        self.sound_ms += len(pcm) / _BYTES_PER_MS
        pcm = self._odd + pcm
        whole = len(pcm) - len(pcm) % 2
        self._odd, pcm = pcm[whole:], pcm[:whole]
        if self.is_held:
            self._held += pcm
            return b""
        self.is_heard = self.is_heard or bool(pcm)
        return pcm

    def release(self) -> bytes:
        """What was held."""
        held, self._held = bytes(self._held), bytearray()
        return held

    def say(self, words: str) -> None:
        self.words = f"{self.words} {words}".strip()


# -- what becomes of readings, for the reader -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ended:
    reading: Reading
    response: Response


@dataclass(frozen=True, slots=True)
class Lost:
    """Nothing more will come of it."""

    reading: Reading
    reason: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """It was not begun."""

    reading: Reading
    fault: Fault


@dataclass(frozen=True, slots=True)
class Crowded:
    """It was not begun, because the session reads no two texts at a time."""

    reading: Reading
    is_behind_another: bool  # of ours; else the session is busy with something that nobody asked for


Outcome = Ended | Lost | Rejected | Crowded


# -- what comes of sentences, for the shell ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SoundRead:
    number: int
    pcm: bytes  # 16-bit mono, 24,000 Hz


@dataclass(frozen=True, slots=True)
class SentenceRead:
    number: int
    spent: Spent


@dataclass(frozen=True, slots=True)
class SentenceFailed:
    number: int
    message: str
    code: str = ""
    is_fatal: bool = False  # it will be no different the next time


@dataclass(frozen=True, slots=True)
class Noted:
    """For the log; what callers are told is never in it."""

    event: str
    is_warning: bool = True
    details: Mapping[str, Any] = field(default_factory=dict)


ReaderEffect = LinkCommand | SoundRead | SentenceRead | SentenceFailed | Noted
