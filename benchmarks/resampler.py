"""Our resampler beside streaming soxr and audioop.ratecv: delay, what leaks, flatness, time for a 20 ms frame.

    $ python benchmarks/resampler.py

All is measured on what comes out, 16-bit frame by 16-bit frame. `delay`: how old the newest sound in the output is when
a frame has gone in, in the worst frame; that is the shift of the signal, and what the resampler holds back. `leak`: the
strongest image (rate going up) or alias (going down) of a sine, from 4.6 kHz on, against that sine. `ripple`: the
largest deviation from 50 Hz to 3.4 kHz. `time`: the cheapest of several rounds, for one frame.
"""

import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from media.resample import Resampler

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # audioop leaves the standard library in 3.13
    import audioop

Push = Callable[[bytes], bytes]
Samples = NDArray[np.float64]

PAIRS = [(8000, 24000), (24000, 8000), (8000, 16000), (16000, 8000), (22050, 8000)]
PASS_HZ, STOP_HZ = 3400.0, 4600.0
AMPLITUDE = 16000.0
SECONDS = 0.5
SETTLED = 10  # frames of output after which every filter is full
ROUNDS, FRAMES = 20, 50


@dataclass(frozen=True, slots=True)
class Candidate:
    name: str
    make: Callable[[int, int], Push]


def ours(in_hz: int, out_hz: int) -> Push:
    return Resampler(in_hz, out_hz).push


def streaming_soxr(quality: str) -> Callable[[int, int], Push]:
    def make(in_hz: int, out_hz: int) -> Push:
        stream = soxr.ResampleStream(in_hz, out_hz, 1, dtype="int16", quality=quality)

        def push(pcm: bytes) -> bytes:
            converted: bytes = stream.resample_chunk(np.frombuffer(pcm, "<i2")).tobytes()
            return converted

        return push

    return make


def ratecv(in_hz: int, out_hz: int) -> Push:
    state = None

    def push(pcm: bytes) -> bytes:
        nonlocal state
        converted, state = audioop.ratecv(pcm, 2, 1, in_hz, out_hz, state)
        return converted

    return push


CANDIDATES = [
    Candidate("ours", ours),
    Candidate("soxr HQ", streaming_soxr("HQ")),
    Candidate("soxr QQ", streaming_soxr("QQ")),
    Candidate("ratecv", ratecv),
]


def frames(freq_hz: float, in_hz: int) -> Iterator[bytes]:
    sine = AMPLITUDE * np.sin(2 * np.pi * freq_hz / in_hz * np.arange(int(in_hz * SECONDS)))
    pcm, size = np.rint(sine).astype("<i2").tobytes(), 2 * (in_hz // 50)
    return (pcm[start : start + size] for start in range(0, len(pcm), size))


def converted(push: Push, freq_hz: float, in_hz: int, out_hz: int) -> Samples:
    """The output for a sine, without its beginning."""
    out = np.frombuffer(b"".join(map(push, frames(freq_hz, in_hz))), "<i2")
    return out[SETTLED * out_hz // 50 :].astype(np.float64)


def decibels(amplitude: float) -> float:
    return float(20 * np.log10(max(amplitude, 1e-9) / AMPLITUDE))


def phasor(samples: Samples, freq_hz: float, rate_hz: int) -> complex:
    at = 2 * np.pi * freq_hz / rate_hz * np.arange(len(samples))
    cosine, sine = np.linalg.lstsq(np.stack([np.cos(at), np.sin(at)], axis=1), samples, rcond=None)[0]
    return complex(sine, cosine)


def strongest(samples: Samples, rate_hz: int, from_hz: float) -> float:
    window = np.blackman(len(samples))
    spectrum = 2 * np.abs(np.fft.rfft(samples * window)) / window.sum()
    return float(spectrum[np.fft.rfftfreq(len(samples), 1 / rate_hz) >= from_hz].max())


def delay_ms(candidate: Candidate, in_hz: int, out_hz: int) -> float:
    freq_hz = 100.0  # whole periods in a frame, and longer ones than any shift
    shift = -np.angle(phasor(converted(candidate.make(in_hz, out_hz), freq_hz, in_hz, out_hz), freq_hz, out_hz))
    push, frames_in, samples_out, held_s = candidate.make(in_hz, out_hz), 0, 0, []
    for frame in frames(freq_hz, in_hz):
        frames_in, samples_out = frames_in + 1, samples_out + len(push(frame)) // 2
        held_s.append(frames_in / 50 - samples_out / out_hz)
    return round(1000 * (float(shift) / (2 * np.pi * freq_hz) + max(held_s[SETTLED:])), 3) + 0.0  # no minus zero


def leak_db(candidate: Candidate, in_hz: int, out_hz: int) -> float:
    if out_hz > in_hz:
        sines, from_hz = np.linspace(100.0, PASS_HZ, 40), STOP_HZ
    else:
        sines, from_hz = np.linspace(STOP_HZ, in_hz / 2 - 50, 60), 0.0
    return max(
        decibels(strongest(converted(candidate.make(in_hz, out_hz), freq, in_hz, out_hz), out_hz, from_hz))
        for freq in sines
    )


def ripple_db(candidate: Candidate, in_hz: int, out_hz: int) -> float:
    return max(
        abs(decibels(abs(phasor(converted(candidate.make(in_hz, out_hz), freq, in_hz, out_hz), freq, out_hz))))
        for freq in np.linspace(50.0, PASS_HZ, 40)
    )


def frame_us(push: Push, in_hz: int) -> float:
    frame = np.random.default_rng(0).integers(-8000, 8000, in_hz // 50).astype("<i2").tobytes()
    rounds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(FRAMES):
            push(frame)
        rounds.append(time.perf_counter() - start)
    return 1e6 * min(rounds) / FRAMES


def main() -> None:
    print(f"{'rates, Hz':<16}{'':<9}{'delay, ms':>10}{'leak, dB':>10}{'ripple, dB':>12}{'time, us':>10}")
    for in_hz, out_hz in PAIRS:
        for candidate in CANDIDATES:
            figures = (
                f"{delay_ms(candidate, in_hz, out_hz):>10.2f}{leak_db(candidate, in_hz, out_hz):>10.1f}"
                f"{ripple_db(candidate, in_hz, out_hz):>12.3f}{frame_us(candidate.make(in_hz, out_hz), in_hz):>10.1f}"
            )
            print(f"{f'{in_hz} > {out_hz}':<16}{candidate.name:<9}{figures}")


if __name__ == "__main__":
    main()
