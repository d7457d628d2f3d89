"""Transcripts on their way out: to one file, into a folder, or onto a stream, byte for byte as they should be."""

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from bot.analysis.joining import Json
from bot.analysis.rendering import EXTENSIONS, rendered
from bot.errors import VoiceError


@dataclass(frozen=True, slots=True)
class Transcript:
    """Of a whole recording: the JSON body, or what the server wrote itself (`text`, `srt`, `vtt`)."""

    body: Json
    written: str | None = None


class Output:
    """Where transcripts go: one file, a folder, or a stream."""

    def __init__(self, response_format: str, target: Path | None, stream: TextIO) -> None:
        self.response_format, self._target, self._stream = response_format, target, stream

    def write(self, path: Path, transcript: Transcript) -> None:
        """`path` is the recording's; raises `VoiceError` where nothing can be written."""
        text = transcript.written if transcript.written is not None else rendered(transcript.body, self.response_format)
        try:
            if self._target is None:
                self._print(text)
            else:
                self.place(path).write_bytes(text.encode())
        except OSError as exc:
            target = "the standard output" if self._target is None else self.place(path)
            raise VoiceError(f"cannot write {target}: {exc.strerror}") from exc

    def _print(self, text: str) -> None:
        """What the stream cannot write is replaced: the words were paid for, and the rest of them can be read."""
        if isinstance(self._stream, io.TextIOWrapper):
            self._stream.reconfigure(errors="replace")
        self._stream.write(text)
        self._stream.flush()

    def place(self, path: Path) -> Path:
        """The file that a recording's transcript goes to."""
        if self._target is None:
            raise ValueError("the transcripts go to a stream")
        if self._target.is_dir():
            return self._target / f"{path.stem}.{EXTENSIONS[self.response_format]}"
        return self._target


def obstacle(target: Path) -> str:
    """Why a file cannot be written, as far as can be told beforehand; empty where nothing is in the way."""
    if target.is_dir():
        return "it is a folder"
    if not target.parent.is_dir():
        return f"there is no folder {target.parent}"
    return "" if os.access(target if target.exists() else target.parent, os.W_OK) else "permission denied"
