"""What callers and carriers send, made fit for a database: nothing it refuses, nothing too long for an index."""

from typing import Any

import msgspec

KEY_CHARS = 256
"""A longer number, name or id is nobody's; PostgreSQL indexes some 2,700 bytes a row at most."""


def storable(text: str) -> str:
    """The text without what no database takes: NUL and lone surrogates become U+FFFD."""
    if text.isascii():
        return text.replace("\0", "\ufffd") if "\0" in text else text
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def storable_key(text: str) -> str:
    """The same, no longer than `KEY_CHARS`: for what is indexed, and for what is looked up there."""
    return storable(text[:KEY_CHARS])


def storable_json(value: Any) -> str:
    """The value as JSON in which all text is storable; raises TypeError for what JSON cannot hold."""
    try:
        encoded = msgspec.json.encode(value)
    except UnicodeEncodeError:
        encoded = b""
    if not encoded or rb"\u0000" in encoded:  # rare: walking through every value would cost more than encoding it
        encoded = msgspec.json.encode(_cleaned(value))
    return encoded.decode()


def _cleaned(value: Any) -> Any:
    if type(value) is str:
        return storable(value)
    if type(value) is dict:
        return {storable(str(name)): _cleaned(inner) for name, inner in value.items()}
    if type(value) in (list, tuple):
        return [_cleaned(inner) for inner in value]
    return value
