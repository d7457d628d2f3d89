"""The audio items of a model's responses, on their way to the caller, and those that nobody wants any more. No I/O."""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.reply import spoken_part
from media.frame import AudioFormat
from media.transcode import Transcoder


@dataclass(slots=True)
class Spoken:
    """One audio item: a reply in the making."""

    item_id: str
    response_id: str
    link: int  # the session that knows it
    wire: AudioFormat
    transcoder: Transcoder
    received_bytes: int = 0
    written: str = ""  # its words, which run ahead of its sound
    is_begun: bool = False
    is_whole: bool = False
    is_dead: bool = False  # the call does not want it, or no more of it

    def receive(self, audio: bytes) -> bytes:
        """More of its sound, in the model's format; returned in the carrier's."""
        self.received_bytes += len(audio)
        return self.transcoder.push(audio)

    @property
    def received_ms(self) -> int:
        """Rounded down: no more than this can be truncated."""
        return self.received_bytes * 1000 // self.wire.bytes_per_second

    @property
    def sounded(self) -> str:
        """The words that what there is of its sound says."""
        words = " ".join(self.written.split())
        return spoken_part(words, self.received_ms, self.received_ms, is_whole=self.is_whole)


class SpokenItems:
    def __init__(self, wire: AudioFormat, line: AudioFormat) -> None:
        """`wire` is what the model speaks, `line` what the carrier plays."""
        self._wire = wire
        self._line = line
        self._items: dict[str, Spoken] = {}
        self._dead_responses: set[str] = set()

    def wanted(self, item_id: str, response_id: str, link: int) -> Spoken | None:
        """The item that a delta belongs to, new or known; None where it is not wanted any more."""
        item = self._items.get(item_id)
        if item is None:
            if response_id in self._dead_responses:
                return None
            transcoder = Transcoder(self._wire, self._line)
            item = self._items[item_id] = Spoken(item_id, response_id, link, self._wire, transcoder)
        return None if item.is_dead else item

    def find(self, item_id: str) -> Spoken | None:
        return self._items.get(item_id)

    def forget(self, item_id: str) -> Spoken | None:
        """Nothing more will happen to this item."""
        return self._items.pop(item_id, None)

    def of(self, response_id: str) -> list[Spoken]:
        return [item for item in self._items.values() if item.response_id == response_id]

    def unfinished(self) -> Iterator[Spoken]:
        """Items that sound, or will, and are not complete."""
        return (item for item in self._items.values() if item.is_begun and not item.is_whole and not item.is_dead)

    def kill(self, response_id: str) -> None:
        """Nothing more of this response is wanted."""
        self._dead_responses.add(response_id)

    def bury(self, response_id: str) -> bool:
        """The response is over; whether it was killed before."""
        is_dead = response_id in self._dead_responses
        self._dead_responses.discard(response_id)
        return is_dead

    def is_killed(self, response_id: str) -> bool:
        return response_id in self._dead_responses
