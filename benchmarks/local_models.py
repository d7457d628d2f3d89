"""The local models: what the short window saves and costs, when a reply's first sound comes, and who disturbs the loop.

    $ python -m benchmarks.local_models
    $ OFFHOOK_DATA=/path/to/recordings python -m benchmarks.local_models     # more recordings than tests/data

1. Whisper: word errors and time per utterance with the long window only (the reference, as faster-whisper does it), and
   with ours. Recordings are made narrow as on a telephone first. 2. How often noise becomes words, with and without the
   guard. 3. Piper: time to the first sound, whole sentences against the first clause. 4. How late a 20 ms tick of the
   event loop comes while one transcription and one sentence after the other are made: on the loop itself, in threads,
   and in spawned processes. The machine's own lateness is the first line.
"""

import asyncio
import json
import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly

from bot.local import models, phantoms, whisper
from bot.local.piper import Piper
from bot.local.pool import Pool
from bot.local.spoken import as_spoken, clauses
from bot.local.whisper import LONG_WINDOW, RATE_HZ, SHORT_WINDOW, Samples, Whisper
from tests.support.words import word_errors

DATA = Path(os.environ.get("OFFHOOK_DATA") or Path(__file__).parents[1] / "tests" / "data")
SENTENCES = (
    "I'm not certain about that, but I can take a message for the team.",
    "A full service, with new cables and a deep clean, is $120.",
    "We are open from nine to six, Monday to Saturday.",
    "Is there anything else I can help you with?",
    "All right.",
)
LONGEST_S = 28
TICK_S = 0.020
BUSY_S = 6.0


def narrowed(path: Path) -> Samples:
    """As it sounds on a telephone, with 200 ms of near silence before and after, at 16,000 Hz."""
    samples, rate_hz = soundfile.read(path, dtype="float64", always_2d=True)
    line = resample_poly(samples[:, 0], 8000, rate_hz)
    quiet = np.random.default_rng(0).standard_normal(1600) * 1e-4
    wide: NDArray[np.float64] = resample_poly(np.concatenate([quiet, line, quiet]), RATE_HZ, 8000)
    return wide.astype(np.float32)


def readings() -> list[tuple[Samples, str]]:
    files = json.loads((DATA / "manifest.json").read_text())["files"]
    return [
        (narrowed(DATA / entry["file"]), entry["transcript"])
        for entry in files
        if entry["file"].startswith("speech-en/") and entry.get("transcript") and entry["seconds"] < LONGEST_S
    ]


def noises() -> list[Samples]:
    """The noises without speech in them, in utterances of a second and of three."""
    paths = sorted(path for path in (DATA / "noise").iterdir() if not path.name.startswith(("babble", "tv-like")))
    whole = [narrowed(path) for path in paths]
    return [sound[start : start + s * RATE_HZ] for sound in whole for s in (1, 3) for start in starts(sound, s)]


def starts(sound: Samples, seconds: int) -> Sequence[int]:
    return range(0, max(1, min(len(sound) - seconds * RATE_HZ, 4 * RATE_HZ)), 2 * RATE_HZ)


def understanding(name: str, window: int) -> None:
    model = Whisper(models.whisper_folder("whisper-tiny.en"), short_window=window)
    errors = words = 0
    times = []
    for samples, truth in readings():
        began = time.perf_counter()
        heard = model.transcribe(samples)
        times.append((time.perf_counter() - began) * 1000)
        wrong, count = word_errors(truth, heard.text)
        errors, words = errors + wrong, words + count
    p50, p95 = np.percentile(times, [50, 95])
    print(f"  {name:28} {len(times):4} {errors / words:10.1%} {p50:8.0f} {p95:8.0f} ms")


def inventions() -> None:
    sounds = noises()
    model = Whisper(models.whisper_folder("whisper-tiny.en"))
    guarded = sum(bool(model.transcribe(sound).text) for sound in sounds)
    whisper.is_made_up = lambda text, *_: not phantoms.spoken_words(text)
    unguarded = sum(bool(model.transcribe(sound).text) for sound in sounds)
    whisper.is_made_up = phantoms.is_made_up
    print(f"  of {len(sounds)} utterances of noise, words come out of {unguarded} without the guard, {guarded} with it")


def first_sound(threads: int) -> None:
    voice = Piper(*models.piper_files("piper-joe"), threads=threads)
    for text in SENTENCES:
        said = as_spoken(text)
        whole, first = (median_ms(lambda part=part: voice.synthesize(part)) for part in (said, clauses(said)[0]))
        length_s = len(voice.synthesize(said)) / 2 / voice.rate_hz
        print(
            f"  {threads} thread(s): whole {whole:4.0f} ms, first clause {first:4.0f} ms, of {length_s:.1f} s: {text}"
        )


def median_ms(work: Callable[[], object]) -> float:
    times = []
    for _ in range(5):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    return float(np.median(times))


class Models:
    """Loaded once in each process that works."""

    whisper: Whisper
    piper: Piper
    utterance: Samples


def load() -> None:
    Models.whisper = Whisper(models.whisper_folder("whisper-tiny.en"))
    Models.piper = Piper(*models.piper_files("piper-joe"))
    Models.utterance = narrowed(DATA / "speech-en" / "ls-1272-128104-0000.flac")


def transcribe() -> None:
    Models.whisper.transcribe(Models.utterance)


def speak() -> None:
    Models.piper.synthesize(SENTENCES[0])


Runs = Callable[[Callable[[], None]], "asyncio.Future[None]"]


async def lateness(name: str, run: Runs | None) -> None:
    """Ticks while `run` always has one transcription and one sentence in hand."""
    loop = asyncio.get_running_loop()
    is_over, done = False, 0

    async def repeat(work: Callable[[], None], run: Runs) -> None:
        nonlocal done
        while not is_over:
            await run(work)
            done += 1

    tasks = [asyncio.create_task(repeat(work, run)) for work in (transcribe, speak)] if run else []
    late_ms = []
    due = loop.time() + TICK_S
    ends_at = due + BUSY_S
    while due < ends_at:
        await asyncio.sleep(max(0.0, due - loop.time()))
        late_ms.append((loop.time() - due) * 1000)
        due = max(due + TICK_S, loop.time())
    is_over = True
    await asyncio.gather(*tasks)
    p50, p99 = np.percentile(late_ms, [50, 99])
    late = f"p50 {p50:6.1f}  p99 {p99:6.1f}  max {max(late_ms):6.1f} ms late"
    print(f"  {name:28} {late}, {done / BUSY_S:5.1f} jobs a second")


def through(executor: Executor) -> Runs:
    return lambda work: asyncio.get_running_loop().run_in_executor(executor, work)


async def on_the_loop(work: Callable[[], None]) -> None:
    await asyncio.sleep(0)
    work()


async def disturbance() -> None:
    load()
    await lateness("nothing to do", None)
    await lateness("on the loop itself", lambda work: asyncio.ensure_future(on_the_loop(work)))
    with ThreadPoolExecutor(2) as threads:
        await lateness("threads", through(threads))
    pool = Pool()
    await lateness("our pool: threads that yield", lambda work: asyncio.ensure_future(pool.run(work)))
    pool.close()
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn"), initializer=load) as processes:
        await asyncio.gather(*(through(processes)(speak) for _ in range(4)))
        await lateness("processes", through(processes))


def main() -> None:
    print(f"Whisper tiny.en, int8, one thread{'':13} files     errors      p50      p95")
    understanding("window of 30 s", LONG_WINDOW)
    understanding("15 s first, 30 s in doubt", SHORT_WINDOW)
    print("Invented words")
    inventions()
    print("Piper, joe")
    for threads in (1, 2):
        first_sound(threads)
    print("Event loop, a tick each 20 ms, beside Whisper and Piper without a break")
    asyncio.run(disturbance())


if __name__ == "__main__":
    main()
