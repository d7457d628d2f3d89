"""Style sheet, scripts and pictures: read once, compressed once, and cached by browsers for good.

The hash of all of them is part of the URL, so that modules find each other by relative names (`./dialogs.js`) and a new
version of any is a new URL of all. A page of yesterday that asks by an old hash gets today's file, uncached.
"""

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Self

_TYPES = {".js": "text/javascript", ".svg": "image/svg+xml", ".webmanifest": "application/manifest+json"}
_TEXT = ("text/", "image/svg+xml", "application/json", "application/manifest+json")


@dataclass(frozen=True, slots=True)
class Asset:
    body: bytes
    gzipped: bytes | None
    """The same as gzip; None where that saves nothing."""
    content_type: str


class Assets:
    def __init__(self, files: Mapping[str, bytes]) -> None:
        digest = hashlib.sha256()
        for name in sorted(files):
            digest.update(f"{name}\0{len(files[name])}\0".encode() + files[name])
        self.version = digest.hexdigest()[:12]
        self._assets = {name: _asset(name, body) for name, body in files.items()}

    @classmethod
    def load(cls) -> Self:
        """All files in `bot/review/static`, by their path in there."""
        return cls(dict(_files(resources.files("bot.review") / "static", "")))

    def find(self, name: str) -> Asset | None:
        return self._assets.get(name)

    def names(self) -> list[str]:
        return sorted(self._assets)

    def url(self, name: str) -> str:
        """Raises `LookupError` for a file that is not there."""
        if name not in self._assets:
            raise LookupError(f"there is no bot/review/static/{name}")
        return f"/static/{self.version}/{name}"


def _files(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found = []
    for item in folder.iterdir():
        if item.is_dir():
            found += _files(item, f"{prefix}{item.name}/")
        elif not item.name.startswith((".", "_")):
            found.append((prefix + item.name, item.read_bytes()))
    return found


def _asset(name: str, body: bytes) -> Asset:
    suffix = "." + name.rpartition(".")[2]
    content_type = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    gzipped = gzip.compress(body, 9, mtime=0) if content_type.startswith(_TEXT) else b""
    return Asset(body, gzipped if 0 < len(gzipped) < len(body) else None, content_type)
