"""Long recordings: what Whisper's own way through them gets wrong, what ours does, and where the words are found.

    $ OFFHOOK_DATA=/path/to/recordings python -m benchmarks.recordings

1. Word errors of each reading by itself (the reference), and of all in a row, a little silence between: as
   faster-whisper goes through it, the same without the text so far as context, and ours. 2. How far the nearest word's
   beginning is from the beginning of each reading's sound, as aligned and as fitted. 3. What a short recording costs
   when figures are wanted, and when words are enough.
"""

import io
import json
import os
import random
import time
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

import numpy as np
import soundfile
from faster_whisper import WhisperModel
from numpy.typing import NDArray

from bot.local import models
from bot.local.sound_files import RATE_HZ, SoundFile
from bot.local.transcription import Segment, Wanted
from bot.local.whisper import Whisper
from bot.local.whisper_files import FileWhisper
from tests.support.words import word_errors

DATA = Path(os.environ.get("OFFHOOK_DATA") or Path(__file__).parents[1] / "tests" / "data")
SHORTEST_S = 2.0
EDGE_DB = 30.0  # so far below its loudest place a reading has not begun
NEAR_S = 0.2

Pcm = NDArray[np.int16]


def readings() -> list[tuple[Pcm, str]]:
    """Samples at 16,000 Hz and the words, in an order that is always the same."""
    files = json.loads((DATA / "manifest.json").read_text())["files"]
    wanted = [
        entry
        for entry in files
        if entry["file"].startswith("speech-en/") and entry.get("transcript") and entry["seconds"] > SHORTEST_S
    ]
    random.Random(3).shuffle(wanted)
    return [(samples(DATA / entry["file"]), entry["transcript"]) for entry in wanted]


def samples(path: Path) -> Pcm:
    parts = list(SoundFile(path.read_bytes(), path.name).parts(600))
    mixed: NDArray[np.float64] = np.concatenate(parts, axis=1).mean(axis=0)
    return mixed.astype(np.int16)


def in_a_row(all_of_them: Sequence[tuple[Pcm, str]]) -> tuple[Pcm, list[float]]:
    """One recording, and where in it the sound of each reading begins, in seconds."""
    pieces, begins, length = [], [], 0
    for pcm, _ in all_of_them:
        begins.append((length + first_sound(pcm)) / RATE_HZ)
        pause = np.zeros(round(RATE_HZ * random.Random(length).uniform(0.3, 1.5)), np.int16)
        pieces += [pcm, pause]
        length += len(pcm) + len(pause)
    return np.concatenate(pieces), begins


def first_sound(pcm: Pcm) -> int:
    width = RATE_HZ // 50
    power = np.square(pcm[: len(pcm) // width * width].astype(float)).reshape(-1, width).mean(axis=1)
    level = 10 * np.log10(power + 1)
    return int(np.argmax(level > level.max() - EDGE_DB)) * width


def as_file(pcm: Pcm) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, pcm, RATE_HZ, format="WAV")
    return file.getvalue()


def heard(model: FileWhisper, pcm: Pcm) -> list[Segment]:
    return [segment for segment in model.listen(SoundFile(as_file(pcm)), Wanted(language="en")) if segment]


def text_of(segments: Sequence[Segment]) -> str:
    return "".join(segment.text for segment in segments)


def print_errors(ours: FileWhisper, all_of_them: Sequence[tuple[Pcm, str]], row: Pcm) -> list[Segment]:
    plain = WhisperModel(
        str(models.whisper_folder("whisper-tiny.en")), device="cpu", compute_type="int8", cpu_threads=1
    )
    reference = " ".join(words for _, words in all_of_them)
    alone = [word_errors(words, text_of(heard(ours, pcm))) for pcm, words in all_of_them]
    wrong, count = (sum(column) for column in zip(*alone, strict=True))
    print(f"{len(all_of_them)} readings, {len(row) / RATE_HZ:.0f} s, {count} words")
    print(f"  each by itself            {100 * wrong / count:5.1f} % wrong")
    floats = row.astype(np.float32) / np.float32(32768)
    for label, context in (("faster-whisper", True), ("faster-whisper, no context", False)):
        began = time.perf_counter()
        found, _ = plain.transcribe(floats, language="en", word_timestamps=True, condition_on_previous_text=context)
        text = "".join(segment.text for segment in found)
        print_row(label, word_errors(reference, text), time.perf_counter() - began, len(row))
    began = time.perf_counter()
    segments = heard(ours, row)
    print_row("ours", word_errors(reference, text_of(segments)), time.perf_counter() - began, len(row))
    return segments


def print_row(label: str, errors: tuple[int, int], took_s: float, length: int) -> None:
    print(f"  {label:26}{100 * errors[0] / errors[1]:5.1f} % wrong, {took_s / (length / RATE_HZ):.3f} s for a second")


def print_times(ours: FileWhisper, segments: Sequence[Segment], row: Pcm, begins: Sequence[float]) -> None:
    with patch("bot.local.whisper_files.fitted", lambda words, *_: tuple(words)):
        aligned = heard(ours, row)
    for label, found in (("as aligned", aligned), ("as fitted", segments)):
        starts = np.array([word.start_s for segment in found for word in segment.words])
        distance = np.array([np.abs(starts - begin).min() for begin in begins])
        near = 100 * (distance < NEAR_S).mean()
        print(f"  {label:12} median {1000 * np.median(distance):4.0f} ms, within {NEAR_S} s in {near:3.0f} %")


def print_short(ours: FileWhisper, pcm: Pcm) -> None:
    live = Whisper(models.whisper_folder("whisper-tiny.en"))
    floats = pcm.astype(np.float32) / np.float32(32768)
    for label, work in (("with figures", lambda: heard(ours, pcm)), ("words only", lambda: live.transcribe(floats))):
        took = []
        for _ in range(7):
            began = time.perf_counter()
            work()
            took.append(time.perf_counter() - began)
        print(f"  {label:14}{1000 * np.median(took):5.0f} ms")


def main() -> None:
    ours = FileWhisper(models.whisper_folder("whisper-tiny.en"))
    all_of_them = readings()
    row, begins = in_a_row(all_of_them)
    print("Word errors: ", end="")
    segments = print_errors(ours, all_of_them, row)
    print("Where words begin, from where the readings' sound does:")
    print_times(ours, segments, row, begins)
    short = min((pcm for pcm, _ in all_of_them), key=len)
    print(f"A recording of {len(short) / RATE_HZ:.1f} s:")
    print_short(ours, short)


if __name__ == "__main__":
    main()
