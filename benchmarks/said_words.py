"""How exactly the words of a call are found, what that takes, and what a live call notices of it.

Turns are put together from people's readings (tests/data), with silences of 0, 150 and 600 ms between them, on a
telephone line: so it is known exactly when the first word of the second reading is said. Beside it stands what a page
guesses without words' times, the turn's time spread over its letters.

    $ python -m benchmarks.said_words
"""

import asyncio
import json
import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from faster_whisper import WhisperModel

from bot.analysis.call_words import Order, SaidTurn
from bot.calllog.estimates import letter_ms
from bot.local.models import whisper_folder
from bot.review.word_times import find_words
from media.resample import Resampler
from media.wav import wav_bytes
from tests.support.long_recording import Piece, piece

MODEL = "whisper-tiny.en"
PAUSES_MS = (0, 150, 600)
BETWEEN_MS = 1500
DATA = Path(__file__).parent.parent / "tests" / "data"


def main() -> None:
    pieces = readings()
    with tempfile.TemporaryDirectory() as folder:
        for pause_ms in PAUSES_MS:
            asyncio.run(measure(Path(folder) / "call.wav", pieces, pause_ms))
    in_a_turn(pieces)


def readings() -> list[Piece]:
    files = json.loads((DATA / "manifest.json").read_text(encoding="utf-8"))["files"]
    spoken = [file for file in files if file["file"].startswith("speech-en/")]
    texts = {file["file"]: file["transcript"] for file in spoken}
    found = [piece(DATA / name, text.capitalize() if text.isupper() else text) for name, text in texts.items()]
    return [each for each in found if each is not None]


async def measure(path: Path, pieces: Sequence[Piece], pause_ms: int) -> None:
    sound, turns, begins_ms = np.zeros(BETWEEN_MS * 8, np.int16), [], []
    for first, second in zip(pieces, [*pieces[1:], pieces[0]], strict=True):
        parts = [narrow(first), np.zeros(pause_ms * 8, np.int16), narrow(second)]
        from_ms, length_ms = len(sound) // 8, sum(map(len, parts)) // 8
        text = f"{first.text} {second.text}"
        turns.append(SaidTurn(len(turns), "caller", from_ms, from_ms + length_ms, text))
        begins_ms.append((len(first.text) + 1, from_ms + (len(parts[0]) + len(parts[1])) // 8))
        sound = np.concatenate([sound, *parts, np.zeros(BETWEEN_MS * 8, np.int16)])
    noise = np.random.default_rng(1).normal(0, 14, (len(sound), 2)).astype(np.int16)
    noise[:, 0] += sound
    path.write_bytes(wav_bytes(noise.tobytes(), 8000, 2))
    quiet_ms = await lateness_ms(asyncio.ensure_future(asyncio.sleep(10)))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    finding = asyncio.create_task(find_words(Order(str(path), MODEL, "en", turns)))
    began = time.monotonic()
    busy_ms = await lateness_ms(finding)
    took_s = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    found, guessed = [], []
    for turn, words, (letter, begins) in zip(turns, finding.result(), begins_ms, strict=True):
        found += [word.from_ms - begins for word in words.words if word.letter == letter]
        guessed.append(letter_ms(turn.from_ms, turn.to_ms, len(turn.text), letter) - begins)
    print(f"silence of {pause_ms} ms: found {told(found, len(turns))}; guessed {told(guessed, len(turns))}")
    spoken_s = sum(turn.to_ms - turn.from_ms for turn in turns) / 1000
    print(f"   {cpu_s:.1f} s of processor for {spoken_s:.0f} s of speech, {took_s:.1f} s in all")
    print(f"   an event loop beside it is late (99 %, most): {quiet_ms} alone, {busy_ms} meanwhile")


def narrow(read: Piece) -> np.ndarray:
    spoken = read.pcm[round(read.begin_s * 16_000) : round(read.end_s * 16_000)]
    resampler = Resampler(16_000, 8000)
    return np.frombuffer(resampler.push(spoken.tobytes()) + resampler.flush(), "<i2") // 2


async def lateness_ms(work: asyncio.Future[Any]) -> str:
    """How late a loop wakes that sleeps 20 ms at a time, as a call's does, while something goes on."""
    late = []
    while not work.done():
        began = time.monotonic()
        await asyncio.sleep(0.02)
        late.append((time.monotonic() - began - 0.02) * 1000)
    return f"{np.percentile(late, 99):.1f} ms, {max(late):.1f} ms"


def told(errors_ms: Sequence[int], count: int) -> str:
    off = np.abs(errors_ms)
    within = np.sum(off <= 250) / count
    return f"{np.median(off):.0f} ms off (median), {np.percentile(off, 90):.0f} ms (90 %), {within:.0%} within 250 ms"


def in_a_turn(pieces: Sequence[Piece]) -> None:
    """What a caller would wait for: the same model's transcription of an utterance, without and with words' times."""
    model = WhisperModel(str(whisper_folder(MODEL)), device="cpu", compute_type="int8", cpu_threads=1)
    for with_times in (False, True, False, True):
        began = time.process_time()
        for each in pieces:
            list(model.transcribe(each.pcm / np.float32(32768), word_timestamps=with_times)[0])
        print(f"words' times {with_times}: {(time.process_time() - began) / len(pieces) * 1000:.0f} ms an utterance")


if __name__ == "__main__":
    main()
