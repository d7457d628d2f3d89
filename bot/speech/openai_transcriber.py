"""A model behind POST audio/transcriptions writes down what a caller said, an utterance a request.

The utterance goes out as it came from the line, at 8,000 Hz: there is nothing above 4 kHz in it, servers resample for
their models anyway, and half the bytes are a round trip less on a connection that has been idle. Its answer is not
streamed, for nobody has a use for half a question.

Guesses are asked for like everything else, although a caller who goes on makes them waste: a guess is there when the
caller really has finished, which saves each reply the whole time of the request, while a minute of sound costs less
than a cent. A guess that is dropped closes its request.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import structlog

from bot.config import PriceConfig
from bot.errors import ConfigError, VoiceError
from bot.local.phantoms import is_made_up, spoken_words
from bot.speech.languages import language_code
from bot.speech.links import Spent, Transcript
from bot.speech.model_table import PROMPT_TOKENS, Feature, Use, lookup
from bot.speech.openai_client import OpenAIClient
from bot.speech.prices import cost_usd, number, price_of
from bot.speech.requests import TranscriptionRequest, transcription_problem
from media.wav import wav_bytes

if TYPE_CHECKING:
    from openai.types.audio import Transcription, TranscriptionVerbose

log = structlog.get_logger()

_LINE_HZ = 8000
_BYTES_PER_S = 2 * _LINE_HZ
_SHORTEST_BYTES = _BYTES_PER_S // 5  # the API refuses less than a tenth of a second; a fifth is surely enough
_UNCUT_S = 30  # the diarizing model wants a chunking_strategy for more
_LETTERS_PER_TOKEN = 4


class OpenAITranscriber:
    def __init__(
        self,
        client: OpenAIClient,
        model: str,
        *,
        language: str = "",
        keywords: Sequence[str] = (),
        prompt: str = "",
        prices: Mapping[str, PriceConfig] | None = None,
    ) -> None:
        """`language` is that of the callers, empty where it is to be found out; `keywords` are words to expect.

        Raises `ConfigError` for what the model does not take.
        """
        self.name = f"openai:{model}"
        self._client, self._model = client, model
        self._request = request_of(model, language, keywords, prompt)
        if (problem := transcription_problem(self._request)) is not None:
            raise ConfigError(f"{self.name} cannot be a transcriber as it is configured: {problem.message}")
        self._fields = _fields(self._request)
        self._prompt_words = spoken_words(self._request.prompt)
        self._price = price_of(model, prices or {})

    async def start(self) -> None:
        if "whisper" in self._model and len(self._request.prompt) > PROMPT_TOKENS * _LETTERS_PER_TOKEN:
            log.warning("prompt_too_long", model=self._model, remedy=f"only its last {PROMPT_TOKENS} tokens are read")
        await self._client.start()
        await self._client.check(self._model, Use.TRANSCRIPTION)

    async def close(self) -> None:
        """The client belongs to whoever made it."""

    async def transcribe(self, pcm: bytes, *, speculative: bool = False) -> Transcript:
        """The words in one utterance (8,000 Hz); raises `VoiceError`. A guess is no cheaper than what is certain."""
        answer = await self._client.ask(self._model, self._asked(pcm))
        written = getattr(answer, "text", None)  # the SDK hands on whatever a server sends
        if not isinstance(written, str):
            raise VoiceError(f"the transcriber {self.name} sent no transcript: check {self._client.setting}.base_url")
        text = written.strip()
        no_speech, mean_logprob = _certainty(answer)
        is_prompt = bool(self._prompt_words) and spoken_words(text) == self._prompt_words  # near-silences get it back
        if is_prompt or is_made_up(text, no_speech, mean_logprob):
            text = ""
        return Transcript(text, no_speech, mean_logprob, self._spent(answer, len(pcm) / _BYTES_PER_S))

    async def _asked(self, pcm: bytes) -> "Transcription | TranscriptionVerbose":
        sound = wav_bytes(pcm.ljust(_SHORTEST_BYTES, b"\0"), _LINE_HZ)
        fields = dict(self._fields)
        if "diarize" in self._model and len(pcm) > _UNCUT_S * _BYTES_PER_S:
            fields["chunking_strategy"] = "auto"
        create: Any = self._client.sdk.audio.transcriptions.create  # its overloads know no options from a dictionary
        answer: Transcription | TranscriptionVerbose = await create(
            file=("utterance.wav", sound, "audio/wav"), model=self._model, **fields
        )
        return answer

    def _spent(self, answer: "Transcription | TranscriptionVerbose", seconds: float) -> Spent:
        """Charged by tokens or by time; servers that charge nothing tell neither."""
        usage, counted = answer.usage, {}
        if usage is not None and usage.type == "duration":
            seconds = seconds if usage.seconds is None else max(0.0, usage.seconds)
        elif usage is not None and usage.type == "tokens":
            read = number(usage.input_tokens)
            heard = min(read, number(getattr(usage.input_token_details, "audio_tokens", None)))
            counted = {"audio_in": heard, "text_in": read - heard, "text_out": number(usage.output_tokens)}
        return Spent(self._model, counted, cost_usd(counted, self._price, seconds))


def request_of(model: str, language: str = "", keywords: Sequence[str] = (), prompt: str = "") -> TranscriptionRequest:
    """What a model is asked for, in the words that it knows; for one that is not in the table, in the common ones."""
    known = lookup(model)
    features = known.features if known is not None else frozenset({Feature.PROMPT})
    code = language_code(language) or language
    if keywords and Feature.KEYWORDS not in features and Feature.PROMPT in features:
        # Last, where Whisper surely reads them.
        prompt, keywords = f"{prompt} {', '.join(keywords)}.".lstrip(), ()
    return TranscriptionRequest(
        model=model,
        response_format="verbose_json" if Feature.TIMESTAMPS in features else "json",
        language="" if Feature.LANGUAGES in features else code,
        languages=(code,) if code and Feature.LANGUAGES in features else (),
        keywords=tuple(keywords),
        prompt=prompt,
        include=("logprobs",) if Feature.LOGPROBS in features else (),
    )


def _fields(request: TranscriptionRequest) -> Mapping[str, Any]:
    """Only what says something: servers other than OpenAI's may not know the rest."""
    given = {
        "response_format": request.response_format,
        "language": request.language,
        "languages": [*request.languages],
        "keywords": [*request.keywords],
        "prompt": request.prompt,
        "include": [*request.include],
    }
    return {name: value for name, value in given.items() if value}


def _certainty(answer: "Transcription | TranscriptionVerbose") -> tuple[float, float]:
    """The probability that nobody spoke, and how sure the words are, where the model tells (0 where it does not)."""
    if segments := getattr(answer, "segments", None):
        return max(_told(segments, "no_speech_prob"), default=0.0), _mean(_told(segments, "avg_logprob"))
    return 0.0, _mean(_told(getattr(answer, "logprobs", None) or (), "logprob"))


def _told(rows: Sequence[Any], name: str) -> Sequence[float]:
    """Of those rows that have it: servers other than OpenAI's leave out what they do not know."""
    values = (getattr(row, name, None) for row in rows)
    return [value for value in values if isinstance(value, int | float)]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
