"""From the caller's sound to words: transcriptions asked for, some on the guess that the caller has finished."""

from dataclasses import dataclass

from bot.events import CancelJob, JobFailed, Transcribe, Transcribed
from bot.local.realtime.items import Item
from bot.local.realtime.jobs import Result
from bot.local.realtime.outbox import Outbox


@dataclass(frozen=True, slots=True)
class Heard:
    """The words of an item are known, or will never be."""

    item: Item
    failure: str = ""


@dataclass(slots=True)
class _Guess:
    job_id: int
    pcm: bytes
    result: Result | None = None


class Hearing:
    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._guess: _Guess | None = None
        self._items: dict[int, Item] = {}  # by the job that finds out their words

    def guess(self, pcm: bytes) -> None:
        """The caller pauses: find out what they have said, should that be all."""
        self.drop_guess()
        self._guess = _Guess(self._outbox.new_job_id(), pcm)
        self._outbox.put([Transcribe(self._guess.job_id, pcm, True)])

    def drop_guess(self) -> None:
        if self._guess is not None:
            self._outbox.put([CancelJob(self._guess.job_id)])
            self._guess = None

    def find(self, item: Item, pcm: bytes) -> Heard | None:
        """What an item says; at once where it was guessed, else `receive` will tell."""
        item.is_unheard = True
        guess = self._guess
        if guess is None or guess.pcm != pcm:
            self.drop_guess()
            job_id = self._outbox.new_job_id()
            self._items[job_id] = item
            self._outbox.put([Transcribe(job_id, pcm, False)])
            return None
        self._guess = None
        self._items[guess.job_id] = item
        return None if guess.result is None else self.receive(guess.result)

    def receive(self, result: Result) -> Heard | None:
        """None for a guess, and for a job that is not ours."""
        if self._guess is not None and result.job_id == self._guess.job_id:
            self._guess.result = result
            return None
        item = self._items.pop(result.job_id, None)
        if item is None:
            return None
        item.is_unheard = False
        match result:
            case Transcribed(_, transcript):
                item.words = transcript.text.strip()
                return Heard(item)
            case JobFailed(_, message):
                return Heard(item, message)
            case _:
                return None
