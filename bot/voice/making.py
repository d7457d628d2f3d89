"""One reply of a chained voice as it comes into being: composed in rounds, spoken sentence by sentence. No I/O.

A round is one request to the responder. One that asks for tools is followed by another, which knows their results.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.events import CancelJob, ReplyAudio, SentenceBegun
from bot.speech.links import Say, UseTool
from bot.voice.unanswered import Words
from media.resample import Resampler


@dataclass(slots=True)
class Making:
    reply_id: str
    answers: Sequence[Words]  # what it is an answer to; nothing once its first words went out under another name
    resampler: Resampler
    compose_job: int | None = None
    rounds: int = 0
    sentences: deque[Say] = field(default_factory=deque)  # to be spoken
    synthesis_job: int | None = None
    has_sentences: bool = False  # under its present name
    last_tools: list[UseTool] = field(default_factory=list)  # what the call does once the words were heard
    has_used_tools: bool = False  # in this round
    is_composed: bool = False
    is_held: bool = False  # cut short, perhaps by a cough: what is still made is kept back
    held_until: float = math.inf
    kept_back: list[SentenceBegun | ReplyAudio] = field(default_factory=list)
    unplanned: list[Say | UseTool] = field(default_factory=list)  # composed while it was held

    @property
    def is_spoken(self) -> bool:
        """Whether all sentences so far were made into sound."""
        return self.synthesis_job is None and not self.sentences

    def hand_out(self, event: SentenceBegun | ReplyAudio) -> Sequence[SentenceBegun | ReplyAudio]:
        """To the call, or aside as long as it is not known whether it is wanted."""
        if self.is_held:
            self.kept_back.append(event)
            return []
        return [event]

    def hold(self, until: float) -> None:
        """It was cut, and is perhaps wanted after all until then."""
        self.is_held, self.held_until = True, until

    def take_up(self, reply_id: str) -> list[SentenceBegun | ReplyAudio]:
        """It is wanted after all, under this name; returns what was kept back."""
        kept, self.kept_back = self.kept_back, []
        self.reply_id = reply_id
        self.answers = ()
        self.is_held, self.held_until = False, math.inf
        return [
            SentenceBegun(reply_id, event.text, event.tag)
            if isinstance(event, SentenceBegun)
            else ReplyAudio(reply_id, event.payload)
            for event in kept
        ]

    def cancel_composing(self) -> list[CancelJob]:
        """What is composed so far is all of it, but for what a tool brings."""
        job_id, self.compose_job = self.compose_job, None
        if job_id is None:
            return []
        self.is_composed = not self.has_used_tools
        return [CancelJob(job_id)]

    def lose(self, job_id: int) -> bool:
        """A job has failed; whether it was one of this reply's."""
        if job_id not in (self.compose_job, self.synthesis_job):
            return False
        self.compose_job = None if job_id == self.compose_job else self.compose_job
        self.synthesis_job = None if job_id == self.synthesis_job else self.synthesis_job
        return True

    def cancel(self) -> list[CancelJob]:
        """Nothing of it is wanted any more."""
        synthesis = [] if self.synthesis_job is None else [CancelJob(self.synthesis_job)]
        return [*self.cancel_composing(), *synthesis]
