"""The conversation of one session: its items in order, and what the responder may know of it.

The wire shows what was said; the responder's history holds only what was heard. Of a truncated item these differ: its
transcript is gone for the client, and the responder remembers the words whose sound was played.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bot.local.errors import RequestError
from bot.local.realtime.wire import Json
from bot.speech.links import Role, Said


@dataclass(slots=True)
class Sentence:
    """One sentence of an assistant's item, and where its sound begins in the item's."""

    text: str
    tag: str
    start_ms: float


@dataclass(slots=True, eq=False)
class Item:
    body: Json  # as on the wire
    words: str = ""  # a user's, once they are known
    is_unheard: bool = False  # a user's sound whose words are still being found out
    sentences: list[Sentence] = field(default_factory=list)  # an assistant's
    is_sound: bool = False  # of the assistant's own making
    sound_ms: float = 0.0  # of either side
    heard_ms: float | None = None  # where the client has truncated it

    @property
    def id(self) -> str:
        item_id: str = self.body["id"]
        return item_id

    def add_sentence(self, text: str, tag: str) -> None:
        """The sound that follows says this; of an item without sound it is simply its text."""
        self.sentences.append(Sentence(text, tag, self.sound_ms))

    def truncate(self, audio_end_ms: int) -> None:
        """Raises `RequestError` for an item without sound of the assistant's, and for an end behind that sound."""
        if not self.is_sound:
            raise RequestError("Only model output audio messages can be truncated")
        if audio_end_ms > self.sound_ms:
            raise RequestError(
                f"Audio content of {self.sound_ms:.0f}ms is already shorter than {audio_end_ms}ms",
                code="invalid_value",
            )
        self.heard_ms = float(audio_end_ms)
        for part in self.body["content"]:
            part.pop("transcript", None)

    @property
    def is_heard_to_last(self) -> bool:
        """Whether at least the beginning of its last sentence was heard."""
        return self.heard_ms is None or not self.sentences or self.heard_ms > self.sentences[-1].start_ms

    def heard(self) -> Sequence[Said]:
        """An assistant's sentences, as far as they were heard."""
        if self.heard_ms is None:
            return [Said(Role.BOT, one.text, one.tag) for one in self.sentences]
        ends = [*(one.start_ms for one in self.sentences[1:]), self.sound_ms]
        said = []
        for one, end_ms in zip(self.sentences, ends, strict=False):  # without sentences there is one end still
            words = one.text.split()
            length_ms = end_ms - one.start_ms
            share = min(1.0, max(0.0, (self.heard_ms - one.start_ms) / length_ms)) if length_ms > 0 else 0.0
            if part := " ".join(words[: round(share * len(words))]):
                said.append(Said(Role.BOT, part, one.tag))
        return said


class Conversation:
    def __init__(self) -> None:
        self._items: dict[str, Item] = {}

    @property
    def last_id(self) -> str | None:
        return next(reversed(self._items), None)

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items.values())

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._items

    def append(self, item: Item) -> str | None:
        """Returns which item is before it."""
        before = self.last_id
        self._items[item.id] = item
        return before

    def insert(self, item: Item, after: str | None) -> str | None:
        """Put it behind another ("root": before all, None: at the end); returns which one that is."""
        if item.id in self._items:
            message = f"Error adding item: an item with id '{item.id}' already exists."
            raise RequestError(message, "item.id", "item_create_duplicate_id")
        if after is None:
            return self.append(item)
        if after != "root" and after not in self._items:
            raise RequestError(
                f"Error adding item: the previous item with id '{after}' does not exist.",
                "previous_item_id",
                "item_create_invalid_previous_item_id",
            )
        ids = list(self._items)
        place = 0 if after == "root" else ids.index(after) + 1
        order = [*ids[:place], item.id, *ids[place:]]
        known = {**self._items, item.id: item}
        self._items = {one: known[one] for one in order}
        return order[place - 1] if place else None

    def before(self, item_id: str) -> str | None:
        """The item ahead of this one; None for the first, and for one that was deleted."""
        previous = None
        for one in self._items:
            if one == item_id:
                return previous
            previous = one
        return None

    def find(self, item_id: str, purpose: str) -> Item:
        """Raises `RequestError`; `purpose` is the verb in its code."""
        if item_id not in self._items:
            message = f"Error {purpose[:-1]}ing item: the item with id '{item_id}' does not exist."
            raise RequestError(message, "item_id", f"item_{purpose}_invalid_item_id")
        return self._items[item_id]

    def delete(self, item_id: str) -> None:
        del self._items[self.find(item_id, "delete").id]

    def knows_call(self, call_id: str) -> bool:
        return any(
            one.body["type"] == "function_call" and one.body.get("call_id") == call_id for one in self._items.values()
        )


def history(items: Sequence[Item], tags: Mapping[str, str]) -> list[Said]:
    """The conversation for a responder: words in a row by the caller are one turn.

    `tags` tells what the responder meant by sentences that the client has brought along from another session.
    """
    names = {one.body["call_id"]: one.body["name"] for one in items if one.body["type"] == "function_call"}
    said: list[Said] = []
    for item in items:
        match item.body:
            case {"type": "message", "role": "user"}:
                if said and said[-1].role is Role.CALLER:
                    said[-1] = Said(Role.CALLER, f"{said[-1].text} {item.words}".strip())
                else:
                    said.append(Said(Role.CALLER, item.words))
            case {"type": "message", "role": "assistant"}:
                said += [Said(one.role, one.text, one.tag or tags.get(one.text, "")) for one in item.heard()]
            case {"type": "function_call_output", "call_id": call_id, "output": output}:
                said.append(Said(Role.TOOL, output, names.get(call_id, "")))
    return said


def last_words(items: Sequence[Item]) -> str:
    """What the caller has said since anybody else did something."""
    words: list[str] = []
    for item in reversed(items):
        if item.body.get("role") != "user":
            break
        words.insert(0, item.words)
    return " ".join(words).strip()
