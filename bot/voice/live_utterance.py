"""One stretch of caller speech as a live transcription session writes it down, piece by piece. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.events import TokensUsed
from bot.local.phantoms import is_made_up, spoken_words
from bot.speech.prices import cost_usd, tokens
from bot.voice import realtime_wire as wire
from bot.voice.live_settings import LiveSettings

_TOKENS_PER_S = 10  # of the caller's sound


@dataclass(slots=True, eq=False)
class Piece:
    """One item of the session."""

    name: str
    from_ms: int
    sent_from_ms: float = 0.0  # where it begins in the session's buffer
    written: str = ""  # so far
    text: str | None = None  # in the end


@dataclass(slots=True, eq=False)
class Utterance:
    start_ms: int
    end_ms: int = 0
    is_ended: bool = False
    pieces: list[Piece] = field(default_factory=list)
    failure: str = ""

    @property
    def is_written(self) -> bool:
        """Whether all of it is known for good."""
        return self.is_ended and bool(self.pieces) and all(piece.text is not None for piece in self.pieces)

    @property
    def text(self) -> str:
        """What is known of it."""
        words = (piece.written if piece.text is None else piece.text for piece in self.pieces)
        return " ".join(" ".join(words).split())

    def unwritten_from_ms(self, padding_ms: int) -> int | None:
        """From where on nobody has written down what was said; None: all is."""
        if not self.pieces:
            return self.start_ms - padding_ms
        return min((piece.from_ms for piece in self.pieces if piece.text is None), default=None)


def believed(event: wire.ServerEvent, prompt_words: Sequence[str]) -> str:
    """The words of a transcript, unless they are what such a model writes where there were none."""
    logprobs = [one.logprob for one in event.logprobs or ()]
    mean_logprob = sum(logprobs) / len(logprobs) if logprobs else 0.0
    text = event.transcript.strip()
    is_prompt = bool(prompt_words) and spoken_words(text) == prompt_words
    return "" if is_prompt or is_made_up(text, 0.0, mean_logprob) else text


def used(usage: wire.Usage | None, settings: LiveSettings) -> list[TokensUsed]:
    """What a transcript cost, charged by tokens or by time."""
    if usage is None:
        return []
    counted = tokens(usage) if usage.input_token_details is not None else {}
    seconds = usage.seconds or counted.get("audio_in", 0) / _TOKENS_PER_S
    return [TokensUsed(settings.model, counted, cost_usd(counted, settings.price, seconds))]
