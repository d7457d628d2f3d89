"""The stand-in model of bridge.py in a process of its own, and what it knows afterwards of every session.

Each session answers with a tone of its own frequency, so that the sound in a caller's ear tells which session it was
that spoke. Times are those of the machine's monotonic clock, which processes share.
"""

import asyncio
import multiprocessing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Self

import uvloop

from bot.rehearsal.tone_model import ToneModel
from bot.rehearsal.tone_script import Answer, Tone
from bot.rehearsal.tone_session import Manner, ToneSession

SILENCE_MS = 200
PACE = 3.0  # how many times faster than it sounds the model speaks
_FIRST_HZ, _STEP_HZ, _TONES = 300, 20, 60  # sessions of one run must not share a tone
_MOST_ANSWERS = 500


@dataclass(frozen=True)
class Truncated:
    arrived_at: float
    audio_end_ms: float
    is_refused: bool


@dataclass(frozen=True)
class Replied:
    last_loud_at: float  # when the last loud frame of what is answered had arrived
    sounded_at: float  # when the first sound was sent


@dataclass(frozen=True)
class SessionFacts:
    hz: float
    replies: list[Replied]
    truncations: list[Truncated]


class StandIn:
    """Serves in another process while the `with` block lasts."""

    def __init__(self, answer_ms: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, answer_ms), daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        self.base_url = self._pipe.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.send("end")
        self._process.join()

    def facts(self) -> list[SessionFacts]:
        """Of all sessions since this was asked for the last time."""
        self._pipe.send("facts")
        facts: list[SessionFacts] = self._pipe.recv()
        return facts


def _serve(pipe: Connection, answer_ms: int) -> None:
    uvloop.run(_answer(pipe, answer_ms))


async def _answer(pipe: Connection, answer_ms: int) -> None:
    def script(number: int) -> list[Answer]:
        return [Tone(answer_ms, _hz(number))] * _MOST_ANSWERS

    manner = Manner(silence_ms=SILENCE_MS, pace=PACE)
    async with ToneModel(script=script, manner=manner) as model:
        pipe.send(model.base_url)
        told = 0
        while await asyncio.to_thread(pipe.recv) == "facts":
            pipe.send([_facts(session) for session in model.sessions[told:]])
            told = len(model.sessions)


def _hz(number: int) -> float:
    return _FIRST_HZ + _STEP_HZ * (number % _TONES)


def _facts(session: ToneSession) -> SessionFacts:
    replies = [
        Replied(reply.last_loud_at, reply.sounded_at)
        for reply in session.replies
        if reply.last_loud_at is not None and reply.sounded_at is not None
    ]
    cuts = [Truncated(cut.arrived_at, cut.audio_end_ms, cut.is_refused) for cut in session.truncations]
    return SessionFacts(_hz(session.number), replies, cuts)
