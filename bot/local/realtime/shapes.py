"""What JSON values may look like, as small functions that are put together.

Each raises `RequestError` where a value does not fit, with OpenAI's code, parameter (the path to the value), wording.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.local.errors import RequestError

Shape = Callable[[Any, str], None]


def boolean(value: Any, path: str) -> None:
    if not isinstance(value, bool):
        raise _wrong_type(path, "a boolean", value)


def anything(value: Any, path: str) -> None:
    """Checked by nobody: it is given back as it came."""


def text(longest: int | None = None) -> Shape:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, str):
            raise _wrong_type(path, "a string", value)
        if longest is not None and len(value) > longest:
            raise RequestError(
                f"Invalid '{path}': string too long. Expected a string with maximum length {longest}, but got a "
                f"string with length {len(value)} instead.",
                path,
                "string_above_max_length",
            )

    return check


def number(least: float, most: float) -> Shape:
    def check(value: Any, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _wrong_type(path, "a number", value)
        if not least <= value <= most:
            raise _invalid(path, value, f"Expected a value between {least} and {most}.")

    return check


def integer(least: int, most: int) -> Shape:
    in_range = number(least, most)

    def check(value: Any, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise _wrong_type(path, "an integer", value)
        in_range(value, path)

    return check


def one_of(*allowed: str | int) -> Shape:
    def check(value: Any, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, str | int) or value not in allowed:
            listed = ", ".join(repr(one) for one in allowed)
            raise _invalid(path, value, f"Supported values are: {listed}.")

    return check


def nullable(shape: Shape) -> Shape:
    def check(value: Any, path: str) -> None:
        if value is not None:
            shape(value, path)

    return check


def either(*shapes: Shape) -> Shape:
    """The first that fits; the complaint is the last one's."""

    def check(value: Any, path: str) -> None:
        for shape in shapes[:-1]:
            try:
                return shape(value, path)
            except RequestError:
                continue
        return shapes[-1](value, path)

    return check


def array(shape: Shape, longest: int | None = None) -> Shape:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, list):
            raise _wrong_type(path, "an array", value)
        if longest is not None and len(value) > longest:
            raise RequestError(
                f"Invalid '{path}': array too long. Expected an array with maximum length {longest}, but got an array "
                f"with length {len(value)} instead.",
                path,
                "array_above_max_length",
            )
        for index, one in enumerate(value):
            shape(one, f"{path}[{index}]")

    return check


def mapping(shape: Shape) -> Shape:
    """An object with any keys."""

    def check(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise _wrong_type(path, "an object", value)
        for key, one in value.items():
            shape(one, f"{path}.{key}")

    return check


def fields(known: Mapping[str, Shape], required: Sequence[str] = ()) -> Shape:
    """An object with these keys and no others."""

    def check(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise _wrong_type(path, "an object", value)
        for key in required:
            if key not in value:
                raise missing(_join(path, key))
        for key, one in value.items():
            if key not in known:
                where = _join(path, key)
                raise RequestError(f"Unknown parameter: '{where}'.", where, "unknown_parameter")
            known[key](one, _join(path, key))

    return check


def by_type(kinds: Mapping[str, Shape], default: str | None = None) -> Shape:
    """An object whose `type` says what else is in it."""

    def check(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise _wrong_type(path, "an object", value)
        kind = value.get("type", default)
        if kind is None:
            raise missing(_join(path, "type"))
        one_of(*kinds)(kind, _join(path, "type"))
        kinds[kind](value, path)

    return check


def missing(path: str) -> RequestError:
    return RequestError(f"Missing required parameter: '{path}'.", path, "missing_required_parameter")


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _wrong_type(path: str, expected: str, value: Any) -> RequestError:
    kinds = {str: "a string", bool: "a boolean", int: "an integer", float: "a decimal", list: "an array"}
    got = "null" if value is None else kinds.get(type(value), "an object")
    message = f"Invalid type for '{path}': expected {expected}, but got {got} instead."
    return RequestError(message, path or None, "invalid_type")


def _invalid(path: str, value: Any, expected: str) -> RequestError:
    shown = repr(value) if len(repr(value)) <= 100 else f"{repr(value)[:100]}…"
    return RequestError(f"Invalid value: {shown}. {expected}", path, "invalid_value")
