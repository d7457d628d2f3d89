"""How the sections of the configuration nest: one, a list of them, or a table of named ones. It reads nothing."""

from collections.abc import Iterator
from typing import Any, get_args, get_origin

import msgspec

ANY_NAME = "NAME"
"""Stands in a setting's path for a name that the operator chooses."""


def settings_of(section: type, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every setting's path below a section with its default; `msgspec.NODEFAULT` where it must be given."""
    for field in msgspec.structs.fields(section):
        inner = section_of(field.type)
        if inner is None:
            made = field.default is msgspec.NODEFAULT and field.default_factory is not msgspec.NODEFAULT
            yield prefix + field.encode_name, field.default_factory() if made else field.default
        else:
            many = "[]" if is_list(field.type) else f".{ANY_NAME}" if is_table(field.type) else ""
            yield from settings_of(inner, f"{prefix}{field.encode_name}{many}.")


def fields_of(section: type) -> dict[str, Any]:
    """The keys of a section with their annotations."""
    return {field.encode_name: field.type for field in msgspec.structs.fields(section)}


def section_of(kind: Any) -> type | None:
    """The section inside an annotation such as `TwilioConfig | None` or `tuple[BotConfig, ...]`."""
    for candidate in (kind, *get_args(kind)):
        if isinstance(candidate, type) and issubclass(candidate, msgspec.Struct):
            return candidate
    return None


def is_list(kind: Any) -> bool:
    return get_origin(kind) is tuple


def is_table(kind: Any) -> bool:
    """Whether the operator chooses the names, and each has a section of its own."""
    return get_origin(kind) is dict


def parts_of(kind: Any, value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The sections that a key holds, each with its path: one, a list of them, or a table of named ones."""
    if is_table(kind) and isinstance(value, dict):
        yield from (((*path, name), part) for name, part in value.items())
    else:
        yield from ((path, part) for part in (value if isinstance(value, list) else [value]))
