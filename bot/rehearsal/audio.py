"""Audio for a caller's mouth, from a file: 16-bit little-endian mono at 8,000 Hz.

WAV is read with the standard library; other formats (FLAC, Ogg, MP3, floating-point WAV) need PyAV, which comes with
faster-whisper.
"""

import importlib
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bot.errors import RehearsalError
from bot.rehearsal.sound import RATE_HZ
from media.resample import Resampler


def load_pcm(path: Path | str) -> bytes:
    """The whole file as 8 kHz mono; raises `RehearsalError` saying what is wrong with it."""
    path = Path(path)
    try:
        samples, rate_hz = _read_wav(path) if path.suffix.lower() == ".wav" else _read_other(path)
    except OSError as exc:  # PyAV's errors about files are OSErrors too
        raise RehearsalError(f"cannot read the audio file {path}: {exc.strerror or exc}") from exc
    if not samples.size:
        raise RehearsalError(f"the audio file {path} holds no sound")
    pcm = samples.astype("<i2").tobytes()
    if rate_hz == RATE_HZ:
        return pcm
    resampler = Resampler(rate_hz, RATE_HZ)
    return resampler.push(pcm) + resampler.flush()


Samples = np.ndarray[tuple[int, ...], np.dtype[Any]]


def _read_wav(path: Path) -> tuple[Samples, int]:
    try:
        with wave.open(str(path), "rb") as file:
            data, width = file.readframes(file.getnframes()), file.getsampwidth()
            channels, rate_hz = file.getnchannels(), file.getframerate()
    except (wave.Error, EOFError):
        return _read_other(path)  # not integer PCM
    samples = _integers(data[: len(data) - len(data) % (width * channels)], width)
    return _mono(samples.reshape(-1, channels)), rate_hz


def _integers(data: bytes, width: int) -> Samples:
    """Samples of 1 to 4 bytes scaled to 16 bits; those of one byte are unsigned, as WAV has it."""
    if width == 1:
        return (np.frombuffer(data, "u1").astype(np.int32) - 128) << 8
    columns = np.frombuffer(data, "u1").reshape(-1, width)
    return np.ascontiguousarray(columns[:, -2:]).view("<i2").astype(np.int32)[:, 0]


def _mono(frames: Samples) -> Samples:
    return frames[:, 0] if frames.shape[1] == 1 else np.rint(frames.mean(axis=1))


def _read_other(path: Path) -> tuple[Samples, int]:
    try:
        av: Any = importlib.import_module("av")
    except ImportError as exc:
        raise RehearsalError(
            f"{path} is not a WAV file of integer samples, and reading other formats needs PyAV:"
            " pip install 'offhook[local]', or convert the file"
        ) from exc
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise RehearsalError(f"the audio file {path} holds no sound")
            stream = container.streams.audio[0]
            to_mono = av.AudioResampler(format="s16", layout="mono", rate=stream.rate)
            return np.concatenate([*_decoded(container, stream, to_mono), np.zeros(0, np.int16)]), int(stream.rate)
    except av.error.InvalidDataError as exc:
        raise RehearsalError(f"{path} is no audio file that PyAV can read") from exc


def _decoded(container: Any, stream: Any, to_mono: Any) -> Iterator[Samples]:
    for frame in (*container.decode(stream), None):  # None flushes what the converter still holds
        for converted in to_mono.resample(frame):
            yield converted.to_ndarray().reshape(-1)
