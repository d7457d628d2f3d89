"""The arguments of a tool: the schema that the operator wrote, and whether what a model wrote fits it.

JSON Schema 2020-12, https://json-schema.org; what OpenAI asks of a function's parameters on top of it is checked too,
so that a session is not refused in the middle of a call. Nothing is ever fetched for a `$ref`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, best_match
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from bot.errors import ConfigError, ToolError

_NO_ARGUMENTS = {"type": "object", "properties": {}, "additionalProperties": False}
_NOT_AT_THE_TOP = ("oneOf", "anyOf", "allOf", "enum", "not")  # OpenAI refuses such a function
_MAX_COMPLAINT_CHARS = 300  # what does not fit may be quoted, and may be long


def parameters(written: Mapping[str, Any] | str) -> dict[str, Any]:
    """The schema in a configuration; raises `ConfigError` saying what is wrong with it."""
    schema = _parsed(written) if isinstance(written, str) else dict(written)
    if not schema:
        return dict(_NO_ARGUMENTS)
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as exc:
        raise ConfigError(f"parameters are no JSON schema: {exc.message} (at {exc.json_path})") from exc
    if schema.get("type") != "object":
        raise ConfigError('parameters must be of type = "object", with the arguments as its properties')
    if not_allowed := [key for key in _NOT_AT_THE_TOP if key in schema]:
        raise ConfigError(f"parameters cannot have {not_allowed[0]} at the top: OpenAI takes no such function")
    _check_references(schema)
    return {"properties": {}} | schema


class Arguments:
    """What one tool takes."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._validator = Draft202012Validator(schema, registry=Registry())

    def check(self, text: str) -> Mapping[str, Any]:
        """The arguments in what a model wrote; raises `ToolError` telling it what to write instead."""
        try:
            given = msgspec.json.decode(text or "{}")  # models leave out an empty object
        except (msgspec.DecodeError, RecursionError) as exc:
            raise ToolError(f"the arguments are no JSON: {exc}") from exc
        wrong = best_match(self._validator.iter_errors(given))
        if wrong is not None:
            raise ToolError(f"the arguments do not fit: {wrong.message}"[:_MAX_COMPLAINT_CHARS])
        if not isinstance(given, dict):
            raise ToolError("the arguments are no JSON object")
        return given


def _parsed(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError as exc:
        raise ConfigError(f"parameters are no JSON object: {exc}") from exc


def _check_references(schema: Mapping[str, Any]) -> None:
    resolver = Registry().resolver_with_root(DRAFT202012.create_resource(schema))
    for reference in _references(schema):
        try:
            resolver.lookup(reference)
        except Unresolvable as exc:
            raise ConfigError(f"parameters refer to {reference!r}, which is not among them") from exc


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(reference := schema.get("$ref"), str):
            yield reference
        for inner in schema.values():
            yield from _references(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _references(inner)
