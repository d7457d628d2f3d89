"""A recording as its turns: each stretch of speech between longer pauses as a part of its own. Blocking.

For a channel of a call, on which nobody speaks half of the time: models write things into long silences that were never
said, and the silence would be paid for. And where a model tells no times, a turn's are known from where it was cut.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from bot.analysis.joining import Json, PartText, joined
from bot.analysis.pauses import Pause, PauseFinder
from bot.analysis.sound_parts import Cutting, Held, SoundPart, mono, opened, part_of, picked
from bot.local.sound_files import RATE_HZ, Samples, SoundFile

MARGIN_S: Final = 0.2
"""Left of the silence before and after each turn."""

_PAUSE_S = 0.8  # a turn has no longer one inside
_SHORTEST_S = 0.1  # of speech; less is a click


def turn_parts(path: Path, cutting: Cutting) -> Iterator[SoundPart]:
    """In order; a turn longer than a part may be is cut at its longest pause. Raises as `sound_parts` does."""
    with opened(path) as file:
        sound = SoundFile(file, path.name)
        turns = _Turns(cutting)
        for block in sound.blocks():
            yield from turns.push(picked(block, cutting).copy())
        yield from turns.finish()


def of_turns(turns: Sequence[tuple[SoundPart, Json]]) -> Json:
    """The body of the whole, in which each turn with words is a segment."""
    spoken = [(part, body) for part, body in turns if body["text"].strip()]
    whole = joined([PartText(part.start_s, part.end_s, body) for part, body in turns]) if turns else {"text": ""}
    segments = [
        {
            "id": number,
            "start": round(part.start_s + (MARGIN_S if part.start_s else 0.0), 3),
            "end": round(part.end_s - MARGIN_S, 3),
            "text": f" {body['text'].strip()}",
        }
        for number, (part, body) in enumerate(spoken)
    ]
    return {
        **whole,
        "task": "transcribe",
        "duration": round(turns[-1][0].end_s, 3) if turns else 0.0,
        "segments": segments,
    }


class _Turns:
    def __init__(self, cutting: Cutting) -> None:
        self._longest_s = cutting.longest_samples / RATE_HZ
        self._finder, self._held = PauseFinder(), Held()
        self._start = 0  # the recording's sample that is held first
        self._index = 0

    def push(self, samples: Samples) -> Iterator[SoundPart]:
        self._finder.push(mono(samples).tobytes())
        self._held.add(samples)
        for pause in self._finder.ended:
            if pause.seconds >= _PAUSE_S:
                yield from self._turn_before(pause)
        while self._held_s > self._longest_s:
            yield from self._turn_before(self._longest_pause())

    def finish(self) -> Iterator[SoundPart]:
        end_s = self._start / RATE_HZ + self._held_s
        last = next((pause for pause in self._finder.pauses if pause.end_s > end_s - 2 * MARGIN_S), None)
        yield from self._turn_before(last or Pause(end_s, end_s))

    @property
    def _held_s(self) -> float:
        return self._held.count / RATE_HZ

    def _longest_pause(self) -> Pause:
        """Where a turn that is too long is cut: in silence if there is any, the whole of which may be the present."""
        start_s = self._start / RATE_HZ
        usable = [pause for pause in self._finder.pauses if pause.end_s > start_s + _SHORTEST_S]
        end_s = start_s + self._longest_s
        return max(usable, key=lambda pause: pause.seconds, default=Pause(end_s, end_s))

    def _turn_before(self, pause: Pause) -> Iterator[SoundPart]:
        """What was said before a pause, which is dropped."""
        start_s = self._start / RATE_HZ
        end = round((pause.start_s + min(MARGIN_S, pause.seconds / 2)) * RATE_HZ)
        following = round((pause.end_s - min(MARGIN_S, pause.seconds / 2)) * RATE_HZ)
        spoken_s = pause.start_s - start_s - (MARGIN_S if self._start else 0.0)
        taken = self._held.take(min(self._held.count, max(0, following - self._start)))
        if spoken_s >= _SHORTEST_S:
            yield part_of(self._index, self._start, taken[:, : end - self._start])
            self._index += 1
        self._start += taken.shape[1]
        self._finder.forget(pause.end_s)
