"""How a chained voice listens with a transcriber that is asked for each utterance. No I/O: the jobs run elsewhere.

While the caller pauses, their words are transcribed on the guess that they have finished; if they go on, the guess is
dropped. Words come out in the order in which they were spoken, unless some take so long that they would hold up others.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.events import (
    CallerSaid,
    CancelJob,
    JobFailed,
    JobResult,
    LinkEvent,
    SpeechEvent,
    SpeechPaused,
    SpeechResumed,
    ToVoice,
    Transcribe,
    Transcribed,
    UtteranceEnded,
    VoiceFailed,
    VoiceWarned,
)
from bot.speech.links import Transcript
from bot.voice.base import Effect
from bot.voice.unanswered import Unanswered, Words

_JOINED_BYTES = 25 * 16000
"""Up to 25 s, 16-bit at 8,000 Hz, are transcribed in one piece: Whisper's window is 30 s."""

_HOLD_UP_S = 3.0
"""For so long words wait for those that were spoken before them; a request that hangs is not worth more."""


@dataclass(slots=True)
class _Utterance:
    """One stretch of caller speech on its way to becoming text; a guess until it is final."""

    job_id: int
    start_ms: int
    end_ms: int
    pcm: bytes
    before: Sequence[Words] = ()  # unanswered words that its sound was joined to
    is_final: bool = False
    transcript: Transcript | None = None
    due_at: float = math.inf  # from then on others need not wait for it (seconds, monotonic)
    is_overtaken: bool = False


class RequestEar:
    def __init__(self, new_job_id: Callable[[], int]) -> None:
        self.unanswered = Unanswered()
        self._new_job_id = new_job_id
        self._utterances: list[_Utterance] = []

    def start(self, now: float) -> Sequence[Effect]:
        return ()

    def hear(self, payload: bytes, pcm: bytes, at_ms: int) -> Sequence[Effect]:
        return ()  # utterances come whole, from the endpointer

    @property
    def deadline(self) -> float:
        """When words that are known need not wait any longer for those before them."""
        are_ready = [one.is_final and one.transcript is not None for one in self._utterances]
        if not any(are_ready):
            return math.inf
        before = self._utterances[: are_ready.index(True)]
        return min((one.due_at for one in before if not one.is_overtaken), default=math.inf)

    def on_deadline(self, now: float) -> Sequence[Effect]:
        return self._tell_words(now)

    def close(self) -> Sequence[Effect]:
        return ()  # the runner waits for its jobs

    def receive(self, event: SpeechEvent | JobResult | LinkEvent | ToVoice, now: float) -> Sequence[Effect]:
        match event:
            case SpeechPaused(start_ms, end_ms, pcm):
                return [*self._drop_guess(), self._transcribe(start_ms, end_ms, pcm, is_final=False)]
            case SpeechResumed():
                return self._drop_guess()
            case UtteranceEnded(start_ms, end_ms, pcm):
                return self._on_utterance(start_ms, end_ms, pcm, now)
            case Transcribed(job_id, transcript):
                return self._on_transcribed(job_id, transcript, now)
            case JobFailed():
                return self._on_failed(event, now)
            case _:
                return []

    def _transcribe(self, start_ms: int, end_ms: int, pcm: bytes, *, is_final: bool) -> Effect:
        job_id = self._new_job_id()
        # Words cut in two by a pause are understood better in one piece.
        before = () if any(utterance.is_final for utterance in self._utterances) else self.unanswered.words
        sound = b"".join([*(words.pcm for words in before), pcm])
        if len(sound) > _JOINED_BYTES:
            before, sound = (), pcm
        self._utterances.append(_Utterance(job_id, start_ms, end_ms, pcm, before, is_final))
        return Transcribe(job_id, sound, not is_final)

    def _drop_guess(self) -> list[Effect]:
        dropped = [utterance for utterance in self._utterances if not utterance.is_final]
        self._utterances = [utterance for utterance in self._utterances if utterance.is_final]
        return [CancelJob(utterance.job_id) for utterance in dropped]

    def _on_utterance(self, start_ms: int, end_ms: int, pcm: bytes, now: float) -> Sequence[Effect]:
        asked: list[Effect] = []
        guess = self._utterances[-1] if self._utterances else None
        if guess is None or guess.is_final or guess.pcm != pcm:
            asked = [*self._drop_guess(), self._transcribe(start_ms, end_ms, pcm, is_final=True)]
        last = self._utterances[-1]
        last.is_final, last.due_at = True, now + _HOLD_UP_S
        return [*asked, *self._tell_words(now)]

    def _on_transcribed(self, job_id: int, transcript: Transcript, now: float) -> Sequence[Effect]:
        for utterance in self._utterances:
            if utterance.job_id == job_id:
                utterance.transcript = transcript
        return self._tell_words(now)

    def _tell_words(self, now: float) -> list[Effect]:
        """In the order in which they were spoken, whichever was understood first; late ones come when they come."""
        told: list[Effect] = []
        for utterance in list(self._utterances):
            if utterance.is_final and utterance.transcript is not None:
                self._utterances.remove(utterance)
                told.append(self._understand(utterance, utterance.transcript.text.strip()))
            elif now < utterance.due_at:
                break
            else:
                utterance.is_overtaken = True
        return told

    def _understand(self, utterance: _Utterance, text: str) -> CallerSaid:
        is_joined = bool(utterance.before) and self.unanswered.words == utterance.before
        if text and is_joined:
            start_ms = utterance.before[0].start_ms
            sound = b"".join([*(words.pcm for words in utterance.before), utterance.pcm])
            self.unanswered.words = (Words(text, start_ms, sound),)
            return CallerSaid(text, start_ms, utterance.end_ms)
        if text:
            self.unanswered.add(Words(text, utterance.start_ms, utterance.pcm))
        return CallerSaid(text, utterance.start_ms, utterance.end_ms)

    def _on_failed(self, failed: JobFailed, now: float) -> Sequence[Effect]:
        for utterance in self._utterances:
            if utterance.job_id == failed.job_id:
                self._utterances.remove(utterance)
                if not utterance.is_final:
                    return []
                if utterance.is_overtaken:  # the caller has been asked about it, or answered to what they said next
                    return [VoiceWarned(f"an utterance was not transcribed: {failed.message}")]
                return [VoiceFailed(failed.message, failed.is_final), *self._tell_words(now)]
        return []
