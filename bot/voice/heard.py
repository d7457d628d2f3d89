"""The caller's utterances as a realtime model knows them: its items, and where they lie on the call's clock. No I/O."""

from collections import deque
from dataclasses import dataclass


@dataclass(slots=True)
class Heard:
    """One utterance; milliseconds on the call's clock."""

    start_ms: int
    end_ms: int = 0
    written: str = ""


class HeardItems:
    def __init__(self) -> None:
        self._items: dict[str, Heard] = {}
        self._unnamed: deque[Heard] = deque()  # committed by us, and the model has not named their items yet
        self.question: Heard | None = None
        """What the caller said last, or is saying, until the answer begins."""

    def begin(self, start_ms: int, item_id: str = "") -> None:
        """The caller speaks; without an item where we have heard it and not the model."""
        self.question = Heard(start_ms)
        if item_id:
            self._items[item_id] = self.question

    def commit(self, heard: Heard) -> None:
        """The model is to make an item of it."""
        self._unnamed.append(heard)

    def name(self, item_id: str) -> None:
        """The model has made an item: of the first one that has none, if we committed any."""
        if self._unnamed:
            self._items[item_id] = self._unnamed.popleft()

    def find(self, item_id: str) -> Heard | None:
        return self._items.get(item_id)

    def forget(self, item_id: str) -> Heard | None:
        """Its words are known, or never will be."""
        return self._items.pop(item_id, None)
