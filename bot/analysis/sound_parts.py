"""A recording as the parts in which it is uploaded: decoded bit by bit, cut in pauses, written again. Blocking.

A file that servers take as it is (25 MB, a type they know, no longer than a part) is one part, byte for byte. Anything
else becomes FLAC at 16,000 Hz: that is what the models make of every sound themselves, so nothing is lost, and without
a bit rate to choose its largest size is known: ten minutes of one channel are never more than 19.2 MB.

A part ends in the middle of the longest pause of its last two fifths, or of the time before them. Where people, or a
radio behind them, leave none, it ends at the quietest fifth of a second. What is held is one part's samples: 19.2 MB
for ten minutes.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import numpy as np

from bot.analysis.pauses import PauseFinder, cut_between
from bot.errors import VoiceError
from bot.local.sound_files import RATE_HZ, SUPPORTED, Samples, SoundFile, quietest
from bot.speech.model_table import LARGEST_UPLOAD

_REST_S = 1.0  # no part is shorter, since what is very short is refused
_EARLIEST = (0.6, 0.2)  # of the longest part: from where on it may end; sooner only where nobody stops for long
_FLAC_SHARE = 1.02  # of the samples' own size: what incompressible sound may come to
_EXTENSIONS: Final = {"wav": "wav", "flac": "flac", "ogg": "ogg", "matroska": "webm", "mov": "mp4", "mpeg": "mpeg"}
_EXTENSIONS_OF_CODECS: Final = {"mp3": "mp3", "mp3float": "mp3"}
_REFUSED_CODECS = ("pcm_mulaw", "pcm_alaw", "adpcm", "gsm", "amr", "ac3", "mp2")  # by some servers, at times


@dataclass(frozen=True, slots=True)
class Cutting:
    """How a recording is to be cut."""

    longest_s: float = 600.0
    channel: int | None = None  # only this one of two, 0 is left; None: both, mixed
    keeps_channels: bool = False  # both, side by side
    by_turn: bool = False  # each stretch of speech between longer pauses by itself (`turn_parts.py`)

    @property
    def longest_samples(self) -> int:
        """As asked, but no more than an upload holds."""
        width = 2 * _FLAC_SHARE * (2 if self.keeps_channels else 1)
        return min(round(self.longest_s * RATE_HZ), int(LARGEST_UPLOAD / width))


@dataclass(frozen=True, slots=True)
class SoundPart:
    index: int  # from 0
    start_s: float  # on the recording's clock
    end_s: float
    file_name: str  # with the extension that says what it is, and nothing of the file's own name
    content: bytes
    samples: Samples | None = None  # (channels, samples) at 16,000 Hz; None where the file is sent as it is


@dataclass(frozen=True, slots=True)
class SoundFacts:
    """What a file says of itself."""

    seconds: float  # 0 where it does not say
    channels: int  # 1 or 2


def sound_facts(path: Path) -> SoundFacts:
    """Raises `VoiceError` for a file that cannot be read, `SoundFileError` for one that is no recording."""
    with opened(path) as file:
        sound = SoundFile(file, path.name)
        return SoundFacts(sound.stated_s, sound.channels)


def sound_parts(path: Path, cutting: Cutting) -> Iterator[SoundPart]:
    """In order, one at a time; raises likewise."""
    with opened(path) as file:
        sound = SoundFile(file, path.name)
        extension = _sent_as(sound, path, cutting)
        if extension is not None:
            yield SoundPart(0, 0.0, sound.stated_s, f"recording.{extension}", path.read_bytes())
        else:
            yield from _cut(sound, cutting)


def flac(samples: Samples) -> bytes:
    """A whole file at 16,000 Hz; shape (channels, samples)."""
    file = io.BytesIO()
    layout = "stereo" if len(samples) == 2 else "mono"
    with av.open(file, "w", format="flac") as output:
        stream = output.add_stream("flac", rate=RATE_HZ, layout=layout)
        resampler = av.AudioResampler(format="s16", layout=layout, rate=RATE_HZ, frame_size=4096)
        for start in range(0, samples.shape[1], RATE_HZ):  # piece by piece, or there would be three copies of it all
            interleaved = np.ascontiguousarray(samples[:, start : start + RATE_HZ].T).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(interleaved, format="s16", layout=layout)
            frame.sample_rate = RATE_HZ
            for piece in resampler.resample(frame):
                output.mux(stream.encode(piece))
        for rest in [*resampler.resample(None), None]:
            output.mux(stream.encode(rest))
    return file.getvalue()


def opened(path: Path) -> io.BufferedReader:
    """Raises `VoiceError`."""
    try:
        return path.open("rb")
    except OSError as exc:
        raise VoiceError(f"cannot read {path}: {exc.strerror}") from exc


def _sent_as(sound: SoundFile, path: Path, cutting: Cutting) -> str | None:
    """The extension of a file that can be sent as it is; None for one that must be written again."""
    is_short = 0 < sound.stated_s <= cutting.longest_s and path.stat().st_size <= LARGEST_UPLOAD
    if not is_short or cutting.channel is not None or sound.codec.startswith(_REFUSED_CODECS):
        return None
    own = path.suffix.removeprefix(".").lower()
    if sound.container == "mov" and own in SUPPORTED:
        return own
    return _EXTENSIONS_OF_CODECS.get(sound.codec) or _EXTENSIONS.get(sound.container)


def _cut(sound: SoundFile, cutting: Cutting) -> Iterator[SoundPart]:
    finder, held, index, start = PauseFinder(), Held(), 0, 0
    for block in sound.blocks():
        samples = picked(block, cutting)
        finder.push(mono(samples).tobytes())
        held.add(samples)
        while held.count >= cutting.longest_samples + _REST_S * RATE_HZ:
            taken = held.take(_cut_at(finder, held, start, cutting))
            yield part_of(index, start, taken)
            index, start = index + 1, start + taken.shape[1]
            finder.forget(start / RATE_HZ)
    if held.count:
        yield part_of(index, start, held.take(held.count))


def _cut_at(finder: PauseFinder, held: "Held", start: int, cutting: Cutting) -> int:
    """How many of the held samples belong to the part."""
    longest = cutting.longest_samples
    for share in _EARLIEST:
        earliest_s, latest_s = (start + share * longest) / RATE_HZ, (start + longest) / RATE_HZ
        cut_s = cut_between(finder.pauses, earliest_s, latest_s)
        if cut_s is not None:
            return round(cut_s * RATE_HZ) - start
    earliest = round(_EARLIEST[0] * longest)
    return earliest + quietest(held.whole[:, earliest:longest])


class Held:
    """Samples that wait for their part to end, in the blocks they came in; joined only when they are looked at."""

    def __init__(self) -> None:
        self._blocks: list[Samples] = []
        self.count = 0

    @property
    def whole(self) -> Samples:
        self._blocks = [np.concatenate(self._blocks, axis=1)]
        return self._blocks[0]

    def add(self, block: Samples) -> None:
        self._blocks.append(block)
        self.count += block.shape[1]

    def take(self, count: int) -> Samples:
        whole = self.whole
        self._blocks, self.count = [whole[:, count:].copy()], self.count - count
        return whole[:, :count]


def part_of(index: int, start: int, samples: Samples) -> SoundPart:
    """Samples that begin at sample `start` of the recording, as an upload."""
    end = start + samples.shape[1]
    return SoundPart(index, start / RATE_HZ, end / RATE_HZ, "recording.flac", flac(samples), samples)


def picked(block: Samples, cutting: Cutting) -> Samples:
    """The channel, or the mix, that is wanted of a block."""
    if cutting.channel is not None:
        return block[cutting.channel : cutting.channel + 1]
    return block if cutting.keeps_channels else mono(block)[np.newaxis]


def mono(samples: Samples) -> Samples:
    mixed: Samples = samples[0] if len(samples) == 1 else samples.mean(axis=0).astype(np.int16)
    return mixed
