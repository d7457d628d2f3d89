"""The sound of what a bot says without an engine, kept on disk where making it costs money or needs a server.

A restart is then quick and free, and works while the speaker is out of reach. A file's name is a digest of everything
that shapes its sound, so there is nothing to keep up to date; what nobody has said for a month goes at the next start.
"""

import asyncio
import hashlib
import os
import re
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from bot.speech.links import Speaker, whole_sound

log = structlog.get_logger()

_DAY_S = 86_400.0
_KEPT_S = 30 * _DAY_S
_UNFINISHED = ".prompt-"
_OURS = re.compile(r"[0-9a-f]{64}\.pcm|\.prompt-\w+")


class PromptStore:
    def __init__(self, folder: Path) -> None:
        """The folder is made when the first sound is kept."""
        self._folder = folder
        self._asked_for: set[str] = set()

    async def sound(self, speaker: Speaker, shape: Sequence[str], text: str) -> bytes:
        """16-bit mono at the speaker's rate. `shape` is what tells this speaker's sound from another's.

        Raises `VoiceError` if it is not there and the speaker cannot make it.
        """
        digest = hashlib.sha256("\0".join([*shape, str(speaker.rate_hz), text]).encode()).hexdigest()
        path = self._folder / f"{digest}.pcm"
        self._asked_for.add(path.name)
        kept = await asyncio.to_thread(_read, path)
        if kept is not None:
            return kept
        made = await whole_sound(speaker, text)
        try:
            await asyncio.to_thread(_write, path, made)
        except OSError as exc:
            log.warning("prompt_not_kept", error=str(exc), remedy=f"make {self._folder} writable")
        return made

    async def prune(self, wall_s: float) -> None:
        """Delete what was not asked for since the start, nor by anybody in the month before `wall_s` (since 1970)."""
        removed = await asyncio.to_thread(_prune, self._folder, frozenset(self._asked_for), wall_s)
        if removed:
            log.info("prompts_pruned", files=removed)


def _prune(folder: Path, kept: frozenset[str], wall_s: float) -> int:
    removed = 0
    for path in folder.glob("*") if folder.is_dir() else ():
        if path.name in kept or not _OURS.fullmatch(path.name):
            continue
        with suppress(OSError):  # another process has deleted it, or it is not ours to delete
            if wall_s - path.stat().st_mtime > (_DAY_S if path.name.startswith(_UNFINISHED) else _KEPT_S):
                path.unlink()
                removed += 1
    return removed


def _read(path: Path) -> bytes | None:
    try:
        sound = path.read_bytes()
    except OSError:
        return None
    with suppress(OSError):  # a folder that can only be read
        os.utime(path)  # somebody still says it
    return sound if sound and len(sound) % 2 == 0 else None


def _write(path: Path, sound: bytes) -> None:
    """All of it or nothing, whatever happens meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=_UNFINISHED, delete=False) as file:
        try:
            file.write(sound)
            file.close()
            os.replace(file.name, path)
        except OSError:  # the disk is full
            Path(file.name).unlink(missing_ok=True)
            raise
