"""The sound of what a bot says without an engine, kept on disk where making it costs money or needs a server.

A restart is then quick and free, and works while the speaker is out of reach. A file's name is a digest of everything
that shapes its sound, so there is nothing to keep up to date; what no bot says any more may be deleted at any time.
"""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import structlog

from bot.speech.links import Speaker, whole_sound

log = structlog.get_logger()


class PromptStore:
    def __init__(self, folder: Path) -> None:
        """The folder is made when the first sound is kept."""
        self._folder = folder

    async def sound(self, speaker: Speaker, shape: Sequence[str], text: str) -> bytes:
        """16-bit mono at the speaker's rate. `shape` is what tells this speaker's sound from another's.

        Raises `VoiceError` if it is not there and the speaker cannot make it.
        """
        digest = hashlib.sha256("\0".join([*shape, str(speaker.rate_hz), text]).encode()).hexdigest()
        path = self._folder / f"{digest}.pcm"
        kept = await asyncio.to_thread(_read, path)
        if kept is not None:
            return kept
        made = await whole_sound(speaker, text)
        try:
            await asyncio.to_thread(_write, path, made)
        except OSError as exc:
            log.warning("prompt_not_kept", error=str(exc), remedy=f"make {self._folder} writable")
        return made


def _read(path: Path) -> bytes | None:
    try:
        sound = path.read_bytes()
    except OSError:
        return None
    return sound if sound and len(sound) % 2 == 0 else None


def _write(path: Path, sound: bytes) -> None:
    """All of it or nothing, whatever happens meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
        file.write(sound)
    os.replace(file.name, path)
