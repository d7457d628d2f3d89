"""All words of the pages in one language: `strings/LANGUAGE/PAGE.toml`, one file a page, for a translator to copy.

A string's name is its file's name, then its path in there (`sign_in.title`). It may hold `{name}`, which is filled in
where it is used, and never markup. One that depends on a count has the two forms `one` and `other` below its name.
"""

import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any, Self


class Strings:
    def __init__(self, language: str, texts: Mapping[str, str]) -> None:
        self.language = language
        self._texts = texts

    @classmethod
    def load(cls, language: str) -> Self:
        folder = resources.files("bot.review") / "strings" / language
        texts: dict[str, str] = {}
        for file in folder.iterdir():
            if file.name.endswith(".toml"):
                texts |= _flat(tomllib.loads(file.read_text(encoding="utf-8")), file.name.removesuffix(".toml"))
        return cls(language, texts)

    def __call__(self, name: str, /, **values: object) -> str:
        """Raises `LookupError` for a string that nobody has written."""
        text = self._texts.get(name)
        if text is None:
            raise LookupError(f"no string is named {name!r}: bot/review/strings/{self.language}/")
        return text.format_map(values) if values else text

    def count(self, name: str, count: int, /, **values: object) -> str:
        return self(f"{name}.{'one' if count == 1 else 'other'}", count=count, **values)

    def find(self, name: str, otherwise: str) -> str:
        """A string whose name is put together from something that may be new, such as an end reason."""
        return self._texts.get(name, otherwise)

    def names(self) -> list[str]:
        return sorted(self._texts)


def _flat(table: Mapping[str, Any], path: str) -> dict[str, str]:
    texts: dict[str, str] = {}
    for key, value in table.items():
        texts |= _flat(value, f"{path}.{key}") if isinstance(value, dict) else {f"{path}.{key}": str(value)}
    return texts
