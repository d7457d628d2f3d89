"""The conversation of a model of tones: its items in order, and how much sound there is of each."""

from dataclasses import dataclass
from typing import Any


class ItemError(Exception):
    """What the service says of an item that is not there, or not what it was taken for."""

    def __init__(self, code: str | None, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True)
class Item:
    body: dict[str, Any]
    is_sound: bool = False  # of the model's own
    generated_ms: float = 0.0


class ToneItems:
    def __init__(self) -> None:
        self._items: dict[str, Item] = {}

    @property
    def last_id(self) -> str | None:
        return next(reversed(self._items), None)

    def append(self, body: dict[str, Any], *, is_sound: bool = False) -> Item:
        item = self._items[body["id"]] = Item(body, is_sound)
        return item

    def insert(self, body: dict[str, Any], after: str | None) -> str | None:
        """Put an item behind another ("root": before all others; None: at the end); returns which one that is."""
        if body["id"] in self._items:
            raise ItemError("item_create_duplicate_id", f"Item with id {body['id']!r} already exists.")
        before = [] if after == "root" else list(self._items)
        if after not in (None, "root"):
            before = before[: before.index(self._known(after, "create")) + 1]
        behind = {key: item for key, item in self._items.items() if key not in before}
        self._items = {key: self._items[key] for key in before} | {body["id"]: Item(body)} | behind
        return before[-1] if before else None

    def before(self, item_id: str) -> str | None:
        """The item ahead of this one, if there is one."""
        ids = list(self._items)
        at = ids.index(item_id)
        return ids[at - 1] if at else None

    def get(self, item_id: str, purpose: str) -> Item:
        """Raises `ItemError` for an item that does not exist; `purpose` is the verb in the error's code."""
        return self._items[self._known(item_id, purpose)]

    def delete(self, item_id: str) -> None:
        del self._items[self._known(item_id, "delete")]

    def generated_ms(self, item_id: str) -> float | None:
        """How much sound there is of an item so far; None if there is no such item."""
        item = self._items.get(item_id)
        return item.generated_ms if item else None

    def truncate(self, item_id: str, audio_end_ms: float) -> None:
        """Forget what an item says, since nobody knows which of its words were heard.

        Raises `ItemError` for an item without sound, and for an end behind that of its sound.
        """
        item = self.get(item_id, "truncate")
        if not item.is_sound:
            raise ItemError(None, "Only model output audio messages can be truncated")
        if audio_end_ms > item.generated_ms:
            message = f"Audio content of {item.generated_ms:.0f}ms is already shorter than {audio_end_ms:.0f}ms"
            raise ItemError("invalid_value", message)
        for part in item.body["content"]:
            part.pop("transcript", None)

    def _known(self, item_id: str | None, purpose: str) -> str:
        if item_id not in self._items or item_id is None:
            raise ItemError(f"item_{purpose}_invalid_item_id", f"Item with item_id {item_id!r} does not exist.")
        return item_id
