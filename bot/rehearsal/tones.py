"""Links of a chain that need no model: any speech is understood as "words", and the answer is a tone.

With them a rehearsal measures the path itself, and a tone shows which audio came through. In a configuration all three
are called `tones`.
"""

from collections.abc import AsyncIterator, Sequence

from bot.speech.links import Said, Say, Transcript, UseTool
from media.level import tone

ANSWER_HZ, ANSWER_MS = 440, 2000
PROMPT_HZ, MS_PER_LETTER = 620, 25
_PIECE_MS = 500


class ToneTranscriber:
    name = "tones"

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def transcribe(self, pcm: bytes, *, speculative: bool = False) -> Transcript:
        return Transcript("words")


class ToneResponder:
    name = "tones"

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def respond(self, history: Sequence[Said]) -> AsyncIterator[Say | UseTool]:
        yield Say(f"{ANSWER_HZ} {ANSWER_MS}", "answer")


class ToneSpeaker:
    """A text of two numbers is a tone of so many Hz and ms; other texts last as long as saying them would."""

    name = "tones"
    rate_hz = 24000

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def speak(self, text: str) -> AsyncIterator[bytes]:
        match text.split():
            case [hz, ms] if hz.isdigit() and ms.isdigit():
                pcm = tone(int(hz), int(ms), self.rate_hz)
            case _:
                pcm = tone(PROMPT_HZ, MS_PER_LETTER * len(text), self.rate_hz)
        size = self.rate_hz * _PIECE_MS // 1000 * 2
        for offset in range(0, len(pcm), size):
            yield pcm[offset : offset + size]
