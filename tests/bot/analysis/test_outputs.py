"""Where transcripts go, and what stands in their way."""

import io
import sys
from pathlib import Path

import pytest

from bot.analysis.outputs import Output, Transcript, obstacle
from bot.errors import VoiceError

WORDS = Transcript({"text": "Zwölf Räder."})


def test_a_stream_that_cannot_write_a_letter_gets_the_others():
    kept = io.BytesIO()
    stream = io.TextIOWrapper(kept, encoding="ascii")
    Output("text", None, stream).write(Path("one.wav"), WORDS)
    assert kept.getvalue() == b"Zw?lf R?der.\n"


def test_a_reader_that_has_gone_away_is_told_of():
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError(32, "Broken pipe")

    with pytest.raises(VoiceError, match="cannot write the standard output: Broken pipe"):
        Output("text", None, Gone()).write(Path("one.wav"), WORDS)


def test_what_stands_in_the_way_of_a_file_is_known_beforehand(tmp_path: Path):
    (tmp_path / "one.txt").touch()
    assert obstacle(tmp_path / "one.txt") == obstacle(tmp_path / "two.txt") == ""
    assert obstacle(tmp_path) == "it is a folder"
    assert obstacle(tmp_path / "x" / "one.txt") == f"there is no folder {tmp_path / 'x'}"
    assert obstacle(tmp_path / "one.txt" / "two.txt") == f"there is no folder {tmp_path / 'one.txt'}"
    with pytest.raises(VoiceError, match="cannot write"):
        Output("text", tmp_path / "x" / "one.txt", sys.stdout).write(Path("one.wav"), WORDS)
