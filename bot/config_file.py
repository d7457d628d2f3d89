"""What is written in the configuration file and the environment, before it is a configuration. It checks only names.

Every value can be given in the environment as `OFFHOOK_` and its path in capitals (`OFFHOOK_SERVER_PORT`), which wins
over the file, or in the file as `"env:NAME"`. What is wrong is a `ConfigError` that says where, and what was meant.
"""

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.config_shape import ANY_NAME, fields_of, is_list, is_table, parts_of, section_of, settings_of
from bot.errors import ConfigError

PREFIX = "OFFHOOK_"
NOT_SETTINGS = frozenset({"OFFHOOK_CONFIG", "OFFHOOK_REQUIRE_ALL", "OFFHOOK_DATA"})


def read_values(path: Path | None, environment: Mapping[str, str], root: type) -> tuple[dict[str, Any], str]:
    """The values of the file (none: no values) with the environment's laid over, and what to call where they stand."""
    text = _read(path) if path is not None else ""
    where = str(path) if path is not None else "the environment"
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise ConfigError(f"{where} is not TOML: {exc}") from exc
    _refuse_unknown_keys(values, root, (), text, where)
    values = _resolve(values, environment, (), where)
    overrides = [name for name in environment if name.startswith(PREFIX) and name not in NOT_SETTINGS]
    for name in overrides:
        _override(values, name, environment[name], root)
    if overrides and path is not None:
        where += " and the environment"  # what is wrong may be in either
    return values, where


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"the configuration {path} cannot be read: {exc}") from exc


def _refuse_unknown_keys(
    values: Mapping[str, Any], section: type, path: tuple[str, ...], text: str, where: str
) -> None:
    fields = fields_of(section)
    for key, value in values.items():
        if key not in fields:
            line = _line_of((*path, key), text)
            raise ConfigError(f"{where}, line {line}: {_unknown('.'.join((*path, key)), key, fields)}")
        inner = section_of(fields[key])
        if inner is not None:
            for part_path, part in parts_of(fields[key], value, (*path, key)):
                if isinstance(part, dict):
                    _refuse_unknown_keys(part, inner, part_path, text, where)


def _unknown(name: str, key: str, known: Mapping[str, Any]) -> str:
    nearest = difflib.get_close_matches(key, known, n=1, cutoff=0.0)
    return f"there is no setting {name!r}" + (f"; did you mean {nearest[0]!r}?" if nearest else "")


def _line_of(path: tuple[str, ...], text: str) -> int:
    """The line of a valid TOML text that brings a key in: the text down to there is TOML too, and holds it."""
    lines = text.split("\n")
    begun = 0  # where the present statement begins, for some go over several lines
    for count in range(1, len(lines)):
        try:
            values = tomllib.loads("\n".join(lines[:count]))
        except tomllib.TOMLDecodeError:
            continue
        if _holds(values, path):
            lines = lines[:count]
            break
        begun = count
    key = re.compile(rf"(?<![\w-]){re.escape(path[-1])}(?![\w-])")
    return 1 + next((number for number in range(begun, len(lines)) if key.search(lines[number])), begun)


def _holds(values: Any, path: tuple[str, ...]) -> bool:
    if isinstance(values, list):
        return any(_holds(value, path) for value in values)
    return not path or (isinstance(values, dict) and path[0] in values and _holds(values[path[0]], path[1:]))


def _resolve(value: Any, environment: Mapping[str, str], path: tuple[str, ...], where: str) -> Any:
    """Put the environment's values in the place of "env:NAME"."""
    if isinstance(value, dict):
        return {key: _resolve(inner, environment, (*path, key), where) for key, inner in value.items()}
    if isinstance(value, list):
        return [_resolve(inner, environment, path, where) for inner in value]
    if isinstance(value, str) and value.startswith("env:"):
        name = value.removeprefix("env:")
        if name not in environment:
            raise ConfigError(f"{where}: {'.'.join(path)} wants the environment variable {name}, which is not set")
        return environment[name]
    return value


def _override(values: dict[str, Any], name: str, value: str, root: type) -> None:
    """Walk the sections by the variable's name: OFFHOOK_CARRIERS_TWILIO_AUTH_TOKEN is carriers.twilio.auth_token."""
    section = root
    rest = name.removeprefix(PREFIX).lower()
    while True:
        fields = fields_of(section)
        if rest in fields and section_of(fields[rest]) is None:
            values[rest] = value
            return
        key = next((key for key, kind in fields.items() if rest.startswith(f"{key}_") and section_of(kind)), None)
        if key is None or is_list(fields[key]) or is_table(fields[key]):
            single = [path for path, _ in settings_of(root) if "[]" not in path and ANY_NAME not in path]
            names = {f"{PREFIX}{path.replace('.', '_').upper()}": None for path in single}
            raise ConfigError(f"the environment: {_unknown(name, name, names)}")
        section = section_of(fields[key]) or section
        rest = rest.removeprefix(f"{key}_")
        values = values.setdefault(key, {})
        if not isinstance(values, dict):
            raise ConfigError(f"{name} is set, but in the file {key!r} is a value and no section")
