"""Long recordings: what Whisper's own way through them gets wrong, what ours does, and where the words are found.

    $ OFFHOOK_DATA=/path/to/recordings python -m benchmarks.recordings
    $ OFFHOOK_DATA=/path/to/recordings python -m benchmarks.recordings --hour

1. Word errors of each reading by itself (the reference), and of all in a row, a little silence between: as
   faster-whisper goes through it, the same without the text so far as context, and ours. 2. How far the nearest word's
   beginning and end are from those of each reading, as aligned and as fitted. 3. What a short recording costs when
   figures are wanted, and when words are enough.

--hour: an hour of readings and telephone calls with pauses of any length and people talking behind a third of it, sent
the way `offhook transcribe` sends it, in parts: which words were lost or doubled where it was cut, against what is
heard in each piece alone, and against what is heard in the hour without cuts. And how far every word that was heard
right is from where a forced aligner finds it (`word_places`): of readings, of prompts for the telephone and of
conversations, all words, those whose place is sure and that nobody speaks over, and of these the ones next to a pause.
"""

import argparse
import asyncio
import io
import json
import logging
import math
import os
import random
import resource
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import soundfile
import structlog
from faster_whisper import WhisperModel
from numpy.typing import NDArray

from benchmarks.word_places import Aligner, Place, spelt
from bot.analysis.asking import Answer
from bot.analysis.file_transcription import FileTranscription, Manner
from bot.analysis.model_servers import client_for
from bot.analysis.sound_parts import Cutting, SoundPart, flac
from bot.config import OpenAIConfig
from bot.errors import VoiceError
from bot.local import models
from bot.local.sound_files import RATE_HZ, SoundFile
from bot.local.transcription import Segment, Wanted
from bot.local.whisper import Whisper
from bot.local.whisper_files import FileWhisper
from bot.speech.engine_names import parse
from bot.speech.requests import TranscriptionRequest
from tests.support.joins import Said, differences_around, is_inside_a_word, said, said_in_pieces
from tests.support.long_recording import Piece, Placed, piece, put_together, spoken
from tests.support.words import word_errors

DATA = Path(os.environ.get("OFFHOOK_DATA") or Path(__file__).parents[1] / "tests" / "data")
SHORTEST_S = 2.0
NEAR_S = 0.2
HOUR_S = 3600.0
AROUND_S = 5.0  # of a cut: which words are looked at
AROUND_PIECE_S = 0.4  # its words may be found so much too early or late
PAUSE_S = 0.15
PAUSES = ("is_after_pause", "is_before_pause")

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


def in_a_row(all_of_them: Sequence[tuple[Pcm, str]]) -> tuple[Pcm, list[tuple[float, float]]]:
    """One recording, and where in it somebody begins and ends to speak in each reading, in seconds."""
    pieces, places, length = [], [], 0
    for pcm, _ in all_of_them:
        if (place := spoken(pcm)) is not None:
            places.append((length / RATE_HZ + place[0], length / RATE_HZ + place[1]))
        pause = np.zeros(round(RATE_HZ * random.Random(length).uniform(0.3, 1.5)), np.int16)
        pieces += [pcm, pause]
        length += len(pcm) + len(pause)
    return np.concatenate(pieces), places


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


def print_times(
    ours: FileWhisper, segments: Sequence[Segment], row: Pcm, places: Sequence[tuple[float, float]]
) -> None:
    with patch("bot.local.whisper_files.fitted", lambda words, *_: tuple(words)):
        aligned = heard(ours, row)
    for label, found in (("as aligned", aligned), ("as fitted", segments)):
        words = [word for segment in found for word in segment.words]
        print_distances(label, [(word.start_s, word.end_s) for word in words], places)


def print_distances(label: str, words: Sequence[tuple[float, float]], places: Sequence[tuple[float, float]]) -> None:
    """Of each reading's begin and end to the nearest word's."""
    for edge, index in (("begin", 0), ("end", 1)):
        found = np.array([word[index] for word in words])
        distance = np.array([np.abs(found - place[index]).min() for place in places])
        near = 100 * (distance < NEAR_S).mean()
        print(f"  {label:12} {edge:5} median {1000 * np.median(distance):4.0f} ms, within {NEAR_S} s in {near:5.1f} %")


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


class Cuts:
    """Watches where the parts begin."""

    def __init__(self) -> None:
        self.starts: list[float] = []

    def begun(self, seconds: float) -> None: ...

    def words(self, text: str) -> None: ...

    def finished(self, part: SoundPart, answer: Answer) -> None:
        self.starts.append(part.start_s)

    def trying_again(self, part: SoundPart, error: VoiceError) -> None:
        print(f"  part {part.index + 1} again: {error}")


def hour_pieces() -> list[Piece]:
    files = json.loads((DATA / "manifest.json").read_text())["files"]
    wanted = [
        entry["file"]
        for entry in files
        if entry["file"].startswith(("speech-en/", "conversation/")) and entry["seconds"] > SHORTEST_S
        if "fillers" not in entry["file"]  # laughter and whispers, in which there is not much to be found
    ]
    found = [piece(DATA / name, "") for name in wanted]
    return [one for one in found if one is not None]


def print_hour(seconds: float, part_s: float) -> None:
    pieces = hour_pieces()
    pcm, placed = put_together(pieces, seconds, samples(DATA / "noise" / "babble-8-talkers.flac"))
    ours = FileWhisper(models.whisper_folder("whisper-tiny.en"))
    alone = {one.name: words_of(heard(ours, one.pcm)) for one in pieces}
    print(f"{len(pcm) / RATE_HZ:.0f} s of {len(pieces)} pieces, in parts of at most {part_s:.0f} s:")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hour.flac"
        path.write_bytes(flac(pcm[np.newaxis]))
        began, before_mb = time.perf_counter(), memory_mb()
        body, cuts = asyncio.run(transcribed(path, part_s))
        took_s = time.perf_counter() - began
    print(f"  {took_s / seconds:.3f} s for a second; at most {memory_mb() - before_mb:.0f} MB more than before")
    whole, expected = said(body["words"]), said_in_pieces(placed, alone)
    matcher = SequenceMatcher(None, [one.word for one in expected], [one.word for one in whole], autojunk=False)
    same = sum(block.size for block in matcher.get_matching_blocks())
    print(f"  {len(expected)} words in the pieces, {100 * (1 - same / len(expected)):.1f} % otherwise in the whole")
    print_word_distances(placed, body["words"])
    print_joins("at the cuts, against each piece alone", cuts, expected, whole)
    print_joins("at the cuts, against the whole without cuts", cuts, said(words_of(heard(ours, pcm))), whole)


@dataclass(frozen=True, slots=True)
class Distance:
    """Of a word that was heard from its place in seconds; positive is late."""

    place: Place
    folder: str
    begin_s: float
    end_s: float
    is_after_pause: bool
    is_before_pause: bool


def print_word_distances(placed: Sequence[Placed], words: Sequence[dict[str, Any]]) -> None:
    aligner = Aligner()
    entries = {Path(one["file"]).name: one for one in json.loads((DATA / "manifest.json").read_text())["files"]}
    names = {one.piece.name for one in placed}
    places = {name: aligner.places(DATA / entries[name]["file"], entries[name]) for name in names}
    found = [one for piece in placed for one in distances(piece, places[piece.piece.name], words)]
    for folder in ("speech-en", "prompts", "conversation"):
        count = sum(len(places[one.piece.name]) for one in placed if one.piece.folder == folder)
        mine = [one for one in found if one.folder == folder]
        sure = [one for one in mine if one.place.is_exact and not one.place.is_overlapped]
        print(f"  {folder}: {count} words, {len(mine)} of them heard right")
        print_within("all", mine, mine)
        print_within("sure", sure, sure)
        print_within("beside a pause", *([one for one in sure if getattr(one, side)] for side in PAUSES))


def print_within(label: str, begins: Sequence[Distance], ends: Sequence[Distance]) -> None:
    told = []
    for edge, found in (("begin", [one.begin_s for one in begins]), ("end", [one.end_s for one in ends])):
        if found:
            near = 100 * np.mean(np.abs(found) < NEAR_S)
            told.append(
                f"{len(found)} {edge}s median {1000 * np.median(found):+4.0f} ms, {near:5.1f} % within {NEAR_S} s"
            )
    print(f"    {label:14} " + "; ".join(told))


def distances(piece: Placed, places: Sequence[Place], words: Sequence[dict[str, Any]]) -> list[Distance]:
    """Of those words of a piece that were heard as one, and right."""
    until_s = piece.at_s + len(piece.piece.pcm) / RATE_HZ
    near = [word for word in words if piece.at_s - AROUND_PIECE_S < word["start"] < until_s + AROUND_PIECE_S]
    got = [(one, word, len(spelt(word["word"])) == 1) for word in near for one in spelt(word["word"])]
    matcher = SequenceMatcher(None, [one.word for one in places], [one for one, _, _ in got], autojunk=False)
    found = []
    for block in matcher.get_matching_blocks():
        for number in range(block.a, block.a + block.size):
            _, word, is_whole = got[block.b + number - block.a]
            if is_whole:
                found.append(distance(piece, places, number, word))
    return found


def distance(piece: Placed, places: Sequence[Place], number: int, word: dict[str, Any]) -> Distance:
    place = places[number]
    until_s = max((one.end_s for one in places[:number]), default=-math.inf)
    from_s = min((one.begin_s for one in places[number + 1 :]), default=math.inf)
    return Distance(
        place,
        piece.piece.folder,
        word["start"] - piece.at_s - place.begin_s,
        word["end"] - piece.at_s - place.end_s,
        place.begin_s - until_s > PAUSE_S,
        from_s - place.end_s > PAUSE_S,
    )


def words_of(segments: Sequence[Segment]) -> list[dict[str, Any]]:
    """As `verbose_json` has them."""
    return [
        {"word": word.text, "start": word.start_s, "end": word.end_s} for segment in segments for word in segment.words
    ]


async def transcribed(path: Path, part_s: float) -> tuple[dict[str, Any], list[float]]:
    """The body of the whole, and where it was cut."""
    request = TranscriptionRequest("whisper-tiny.en", response_format="verbose_json", granularities=("word", "segment"))
    cuts = Cuts()
    async with client_for(parse("local:whisper-tiny.en"), OpenAIConfig()) as client:
        manner = Manner(Cutting(longest_s=part_s))
        transcript = await FileTranscription(client, path, request, manner, cuts).run()
    return transcript.body, sorted(cuts.starts)[1:]


def print_joins(label: str, places: Sequence[float], pieces: Sequence[Said], whole: Sequence[Said]) -> None:
    inside = sum(is_inside_a_word(place, pieces) for place in places)
    print(f"  {len(places)} places {label}, {inside} of them inside a word:")
    for place in places:
        found = differences_around(place, pieces, whole, AROUND_S)
        told = "; ".join(f"{' '.join(one.missing) or '-'} -> {' '.join(one.added) or '-'}" for one in found)
        lost, doubled = sum(one.lost for one in found), sum(one.doubled for one in found)
        print(f"    {place:7.1f} s  {lost} lost, {doubled} added  {told}")


def memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def print_all() -> None:
    ours = FileWhisper(models.whisper_folder("whisper-tiny.en"))
    all_of_them = readings()
    row, places = in_a_row(all_of_them)
    print("Word errors: ", end="")
    segments = print_errors(ours, all_of_them, row)
    print("Where words begin and end, from where the readings' sound does:")
    print_times(ours, segments, row, places)
    short = min((pcm for pcm, _ in all_of_them), key=len)
    print(f"A recording of {len(short) / RATE_HZ:.1f} s:")
    print_short(ours, short)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--hour", action="store_true", help="the splitting path instead")
    parser.add_argument("--seconds", type=float, default=HOUR_S, help="how long that recording is")
    parser.add_argument("--part-s", type=float, default=600.0, help="the longest part")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    if asked.hour:
        print_hour(asked.seconds, asked.part_s)
    else:
        print_all()


if __name__ == "__main__":
    main()
