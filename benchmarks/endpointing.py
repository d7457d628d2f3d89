"""What finding the caller's speech costs, and how often it is wrong: our detectors beside WebRTC's and Silero's.

    python benchmarks/endpointing.py            # tests/data
    OFFHOOK_DATA=folder python benchmarks/endpointing.py

Every recording goes through mu-law at 8,000 Hz, 20 ms at a time. "miss" and "false" are 20 ms frames of the labelled
recordings in vad/, the label being what it is: it counts short pauses as speech. The other columns are events of the
`Endpointer` on top of each detector: readings put on a line with a second of faint noise around them (when speech was
believed after its first loud 20 ms; how often the utterance lacks that sound; how late the end of the last one was
decided, beyond the hangover), and noise without voices, its loudest 20 ms at -26 dBFS.
"""

import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import soundfile
import webrtcvad
from numpy.typing import NDArray
from scipy.signal import resample_poly

from media.detector import FRAME_SAMPLES, Detector, NoiseFloor, VoiceDetector
from media.endpointing import Endpointer, EndpointingSettings, SpeechStarted, UtteranceEnded
from media.g711 import decode_ulaw, encode_ulaw
from media.silero import SileroDetector, bundled_model, load_silero

DATA = Path(os.environ.get("OFFHOOK_DATA", Path(__file__).parents[1] / "tests" / "data"))
VOICES = ("babble", "coffee", "tv-like", "laugh", "cough", "moh-", "music", "dog")  # voices, or close to them
SETTINGS = EndpointingSettings()
Samples = NDArray[np.int16]


class LevelDetector:
    """The reference: a frame is speech where it stands 9 dB above the noise of the last seconds."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._floor = NoiseFloor(1)

    def likelihood(self, samples: Samples) -> float:
        wave = samples / 32768
        level_db = 10 * np.log10(np.mean(wave * wave) + 1e-9)
        over_db = level_db - float(self._floor.levels[0])
        self._floor.learn(np.array([level_db]))
        return float(over_db >= 9.0)


class WebRtcDetector:
    def __init__(self, mode: int) -> None:
        self._mode = mode
        self.reset()

    def reset(self) -> None:
        self._vad = webrtcvad.Vad(self._mode)

    def likelihood(self, samples: Samples) -> float:
        return float(self._vad.is_speech(samples.tobytes(), 8000))


class AlwaysSilero(SileroDetector):
    """Silero without its rest, to see what resting saves and loses."""

    def _is_quiet(self, wave: NDArray[np.float32]) -> bool:
        return False


def candidates() -> dict[str, Callable[[], Detector]]:
    session: onnxruntime.InferenceSession = load_silero(bundled_model())
    return {
        "level": LevelDetector,
        "webrtc 1": lambda: WebRtcDetector(1),
        "webrtc 3": lambda: WebRtcDetector(3),
        "voice (default)": VoiceDetector,
        "silero, always": lambda: AlwaysSilero(session),
        "silero, resting": lambda: SileroDetector(session),
    }


def on_the_line(file: str) -> Samples:
    """A recording as a telephone brings it: 8,000 Hz, channel 0, whole frames."""
    sound, rate_hz = soundfile.read(DATA / file, dtype="float32", always_2d=True)
    sound = resample_poly(sound[:, 0], 8000, rate_hz) if rate_hz != 8000 else sound[:, 0]
    return telephoned(sound)


def telephoned(sound: NDArray[np.float32]) -> Samples:
    whole = sound[: len(sound) // FRAME_SAMPLES * FRAME_SAMPLES]
    pcm = (np.clip(whole, -1, 1) * 32767).astype("<i2").tobytes()
    return np.frombuffer(decode_ulaw(encode_ulaw(pcm)), "<i2")


def frame_levels(samples: Samples) -> NDArray[np.float64]:
    frames = samples[: len(samples) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES) / 32768
    return np.asarray(10 * np.log10(np.mean(frames * frames, axis=1) + 1e-9))


def reading(file: str) -> tuple[Samples, float, float]:
    """A recording, its loudest 20 ms at -20 dBFS, with faint noise around it; when its first and last sounds are."""
    random = np.random.default_rng(len(file))
    spoken = on_the_line(file) / 32768
    spoken = spoken * 10 ** ((-20 - np.max(frame_levels(telephoned(spoken)))) / 20)
    levels = frame_levels(telephoned(spoken))
    # A sound is what stands out of the recording's own noise by 10 dB, unless it is loud anyway.
    loud = np.flatnonzero(levels > max(-44.0, min(-32.0, float(np.percentile(levels, 10)) + 10)))
    line = np.concatenate([np.zeros(8000), spoken, np.zeros(12000)])
    line += random.normal(0, 10 ** (-65 / 20), len(line))
    return telephoned(line), 1000 + 20.0 * loud[0], 1000 + 20.0 * (loud[-1] + 1)


def noise(file: str) -> Samples:
    sound = on_the_line(file) / 32768
    sound = sound * 10 ** ((-26 - np.max(frame_levels(telephoned(sound)))) / 20)
    return telephoned(np.concatenate([np.random.default_rng(0).normal(0, 10 ** (-65 / 20), 8000), sound]))


def judgements(detector: Detector, samples: Samples) -> NDArray[np.bool_]:
    frames = samples.reshape(-1, FRAME_SAMPLES)
    return np.array([detector.likelihood(frame) >= SETTINGS.threshold for frame in frames])


def events(detector: Detector, samples: Samples) -> list[tuple[float, object]]:
    """What happened and when it was known, in milliseconds."""
    endpointer = Endpointer(SETTINGS, detector)
    known: list[tuple[float, object]] = []
    for at in range(0, len(samples), FRAME_SAMPLES):
        happened = endpointer.push(samples[at : at + FRAME_SAMPLES].tobytes(), at / 8)
        known += [(at / 8 + 20, event) for event in happened]
    return known


def labelled_frames(make: Callable[[], Detector], files: Sequence[dict[str, object]]) -> tuple[float, float, float]:
    """Shares, each the mean over the recordings: right, missed, false."""
    shares = []
    for file in files:
        is_heard = judgements(make(), on_the_line(str(file["file"])))
        at_s = (np.arange(len(is_heard)) + 0.5) / 50
        segments: Sequence[tuple[float, float]] = file["speech_segments"]  # type: ignore[assignment]
        is_speech = np.any([(at_s >= start) & (at_s < end) for start, end in segments], axis=0)
        shares.append((np.mean(is_heard == is_speech), np.mean(~is_heard[is_speech]), np.mean(is_heard[~is_speech])))
    right, missed, false = np.mean(shares, axis=0)
    return float(right), float(missed), float(false)


class Readings:
    """What became of the readings under one detector."""

    def __init__(self, make: Callable[[], Detector], lines: Sequence[tuple[Samples, float, float]]) -> None:
        self.delays: list[float] = []
        self.late_ends: list[float] = []
        self.clipped = 0
        self.count = len(lines)
        for samples, first_ms, last_ms in lines:
            self._hear(events(make(), samples), first_ms, last_ms)

    def _hear(self, known: list[tuple[float, object]], first_ms: float, last_ms: float) -> None:
        starts = [(at, event) for at, event in known if isinstance(event, SpeechStarted)]
        ends = [(at, event) for at, event in known if isinstance(event, UtteranceEnded)]
        self.clipped += not starts or starts[0][1].at_ms - SETTINGS.prefix_ms > first_ms
        if starts:
            self.delays.append(starts[0][0] - first_ms)
        if ends:
            self.late_ends.append(ends[-1][0] - last_ms - SETTINGS.hangover_ms)


def cpu_ms_per_second(make: Callable[[], Detector], samples: Samples) -> float:
    began = time.process_time()
    events(make(), samples)
    return (time.process_time() - began) * 1000 / (len(samples) / 8000)


def main() -> None:
    files = json.loads((DATA / "manifest.json").read_text())["files"]
    named = [file["file"] for file in files]
    labelled = [file for file in files if "speech_segments" in file]
    readings = [reading(file["file"]) for file in files if file["file"].startswith("speech-en/")]
    noises = [noise(name) for name in named if name.startswith("noise/") and not any(v in name for v in VOICES)]
    noise_min = sum(len(samples) for samples in noises) / 8000 / 60
    speech = np.concatenate([samples for samples, _, _ in readings[:6]])
    silence = telephoned(np.random.default_rng(0).normal(0, 10 ** (-65 / 20), 8000 * 20))
    print(
        f"{len(labelled)} labelled, {len(readings)} readings, {noise_min * 60:.0f} s of noise; CPU with the endpointer"
    )
    print(f"{'':16}  frames: right  miss false  start after p50  p95  clipped  end late p50  p95  false starts", end="")
    print("  CPU ms/s: speech silence")
    for name, make in candidates().items():
        right, missed, false = labelled_frames(make, labelled)
        heard = Readings(make, readings)
        starts = sum(isinstance(event, SpeechStarted) for samples in noises for _, event in events(make(), samples))
        start_p50, start_p95 = np.percentile(heard.delays, (50, 95))
        end_p50, end_p95 = np.percentile(heard.late_ends, (50, 95))
        print(
            f"{name:16}  {right:13.0%} {missed:5.0%} {false:5.0%}  {start_p50:12.0f} ms {start_p95:4.0f}"
            f"  {heard.clipped:3}/{heard.count:3}  {end_p50:9.0f} ms {end_p95:4.0f}  {starts / noise_min:8.1f}/min"
            f"  {cpu_ms_per_second(make, speech):16.2f} {cpu_ms_per_second(make, silence):7.2f}"
        )


if __name__ == "__main__":
    main()
