"""Reading the audio files that people upload: from the bytes of a file to 16-bit samples at 16,000 Hz, part by part.

The file's own first bytes decide what it is, not its name, and the decoder is told so: left to guess, FFmpeg would also
take a playlist that names other files or addresses. However long a recording is, only a part of it is decoded at a
time, and the parts are cut where it is quietest. Blocking; run it on a thread.
"""

import io
import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from bot.errors import VoiceError
from bot.local.errors import SoundFileError
from bot.local.models import INSTALL

try:
    import av
except ImportError as exc:
    raise VoiceError(f"reading and writing audio files needs PyAV: {INSTALL}") from exc

Samples = NDArray[np.int16]

RATE_HZ: Final = 16_000
SUPPORTED: Final = ("flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm")
SHORTEST_S: Final = 0.1

_SIGNATURES: Final = (  # the beginning of a file, and FFmpeg's name for the container
    (re.compile(rb"(?:RIFF|RF64).{4}WAVE", re.DOTALL), "wav"),
    (re.compile(rb"fLaC"), "flac"),
    (re.compile(rb"OggS"), "ogg"),
    (re.compile(rb"\x1a\x45\xdf\xa3"), "matroska"),
    (re.compile(rb".{4}ftyp", re.DOTALL), "mov"),
    (re.compile(rb"\x00\x00\x01\xba"), "mpeg"),
    (re.compile(rb"\xff[\xf0\xf1\xf8\xf9]"), "aac"),
    (re.compile(rb"ID3|\xff[\xe2-\xff]"), "mp3"),
)
_SIGNATURE_BYTES: Final = 16
_SEARCH_S = 20  # the last so many seconds of a part in which a quiet place to cut is looked for
_QUIET_S = 0.2  # how long a place must be quiet


class SoundFile:
    """One uploaded recording, opened; `channels` is 1 or 2 (more are mixed to one).

    `stated_s` is how long it says it is, 0 where it does not say; `seconds_read` is the truth, once all was read.
    `container` and `codec` are FFmpeg's names for how it is written.
    """

    def __init__(self, content: bytes | BinaryIO, name: str = "") -> None:
        """A file opened for reading is read bit by bit. Raises `SoundFileError` for an empty, unknown or broken one."""
        file = io.BytesIO(content) if isinstance(content, bytes) else content
        beginning = file.read(_SIGNATURE_BYTES)
        file.seek(0)
        if not beginning:
            raise SoundFileError("The audio file is empty.")
        self.container = _container(beginning, name)
        try:
            self._container = av.open(file, mode="r", format=self.container, metadata_errors="ignore")
        except (av.FFmpegError, ValueError) as exc:
            raise _broken() from exc
        if not self._container.streams.audio:
            raise SoundFileError("The file holds no audio.")
        self._stream = self._container.streams.audio[0]
        self.codec: str = self._stream.codec_context.name
        self.channels = 2 if self._stream.codec_context.layout.nb_channels == 2 else 1
        self.stated_s = self._container.duration / 1_000_000 if self._container.duration else 0.0
        self.samples_read = 0

    @property
    def seconds_read(self) -> float:
        return self.samples_read / RATE_HZ

    def parts(self, longest_s: float) -> Iterator[Samples]:
        """The recording in order, shape (channels, samples), each part at most `longest_s` long.

        Raises `SoundFileError` for a file in which nothing can be decoded, or less than a tenth of a second.
        """
        longest = round(longest_s * RATE_HZ)
        held = np.zeros((self.channels, 0), np.int16)
        for block in self.blocks():
            held = np.concatenate([held, block], axis=1)
            while held.shape[1] >= longest:
                cut = quietest(held[:, :longest])
                yield held[:, :cut]
                held = held[:, cut:]
        if held.shape[1]:
            yield held

    def blocks(self) -> Iterator[Samples]:
        """The recording as it is decoded, about a second each; raises likewise.

        Packets that do not decode are left out, as players do.
        """
        for block in self._decoded():
            self.samples_read += block.shape[1]
            yield block
        if self.seconds_read < SHORTEST_S:
            raise SoundFileError(
                "Audio file is too short. Minimum audio length is 0.1 seconds.", code="audio_too_short"
            )

    def _decoded(self) -> Iterator[Samples]:
        layout = "stereo" if self.channels == 2 else "mono"
        resampler = av.AudioResampler(format="s16p", layout=layout, rate=RATE_HZ, frame_size=RATE_HZ)
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                break
            except av.FFmpegError as exc:
                if not self.samples_read:
                    raise _broken() from exc
                break  # a file that was cut off is worth what is there
            try:
                frames = packet.decode()
            except av.FFmpegError:
                continue
            for frame in frames:
                frame.pts = None  # gaps in a recording's own clock are no sound
                yield from (_samples(piece) for piece in resampler.resample(frame))
        yield from (_samples(piece) for piece in resampler.resample(None))


def quietest(samples: Samples) -> int:
    """Where to cut: the middle of the quietest fifth of a second near the end. Shape (channels, samples)."""
    start: int = max(0, samples.shape[1] - _SEARCH_S * RATE_HZ)
    width = round(_QUIET_S * RATE_HZ)
    energy: NDArray[np.float64] = np.square(samples[:, start:].astype(np.float64)).sum(axis=0)
    sums = np.concatenate([np.zeros(1), np.cumsum(energy)])
    if len(sums) <= width:
        return int(samples.shape[1])
    loudness: NDArray[np.float64] = sums[width:] - sums[:-width]
    return start + int(loudness.argmin()) + width // 2


def _samples(frame: "av.AudioFrame") -> Samples:
    planes: Samples = frame.to_ndarray().astype(np.int16, copy=False)
    return planes


def _container(beginning: bytes, name: str) -> str:
    found = next((container for signature, container in _SIGNATURES if signature.match(beginning)), None)
    if found is None:
        extension = PurePath(name).suffix.removeprefix(".").lower()
        if extension in SUPPORTED:
            raise _broken()
        raise SoundFileError(f"Invalid file format. Supported formats: {list(SUPPORTED)}")
    return found


def _broken() -> SoundFileError:
    return SoundFileError("Audio file might be corrupted or unsupported", code="invalid_value")
