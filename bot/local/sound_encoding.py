"""Writing sound in the formats that people ask for, piece by piece: what comes in goes out as soon as the codec can.

Everything is mono at 24,000 Hz, as OpenAI's speech is (Opus always says 48,000), except `pcm` and `wav` also without
loss. A WAV that is sent while it is made cannot know its length: it says the longest, and players read to the end.
Blocking, but short: about 7 ms for a second of sound.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, cast

import numpy as np

from bot.errors import VoiceError
from bot.local.models import INSTALL

try:
    import av
    import av.filter
except ImportError as exc:
    raise VoiceError(f"reading and writing audio files needs PyAV: {INSTALL}") from exc

RATE_HZ: Final = 24_000

_UNKNOWN_BYTES = 0xFFFFFFFF
_LEAST_STEP = 0.5  # of FFmpeg's tempo filter; slower takes several


@dataclass(frozen=True, slots=True)
class Format:
    container: str = ""  # "": no codec, samples as they are
    codec: str = ""
    rate_hz: int = RATE_HZ
    bit_rate: int = 0
    options: tuple[tuple[str, str], ...] = ()


FORMATS: Final = {
    "mp3": Format("mp3", "libmp3lame", bit_rate=96_000, options=(("write_xing", "0"), ("id3v2_version", "0"))),
    "opus": Format("ogg", "libopus", 48_000, 48_000, options=(("page_duration", "100000"),)),
    "aac": Format("adts", "aac", bit_rate=96_000),
    "flac": Format("flac", "flac"),
    "wav": Format(),
    "pcm": Format(),
}


class SoundEncoder:
    """One recording in the making, from 16-bit mono samples at `rate_hz`."""

    def __init__(self, name: str, rate_hz: int, *, tempo: float = 1.0) -> None:
        """`name` is one of `FORMATS`; a `tempo` of 2 lasts half as long, at the same pitch."""
        self._format = FORMATS[name]
        self._rate_hz = rate_hz
        self._graph = _graph(rate_hz, self._format.rate_hz, tempo)
        self._sink = _Sink()
        self._output = _Output(self._format, self._sink) if self._format.container else None
        if name == "wav":
            self._sink.write(wav_header(_UNKNOWN_BYTES))
        self.samples_in = 0

    def push(self, pcm: bytes) -> bytes:
        """What can be sent by now; often less than was put in."""
        if not pcm:
            return self._sink.take()
        frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm, "<i2")[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = self._rate_hz
        frame.pts = self.samples_in
        self.samples_in += frame.samples
        self._graph.push(frame)
        self._drain()
        return self._sink.take()

    def finish(self) -> bytes:
        """The rest."""
        self._graph.push(None)
        self._drain()
        if self._output is not None:
            self._output.close()
        return self._sink.take()

    def _drain(self) -> None:
        for frame in _pulled(self._graph):
            if self._output is not None:
                self._output.write(frame)
            else:
                self._sink.write(frame.to_ndarray().tobytes())


class _Output:
    """A codec in its container, which sends every packet on at once."""

    def __init__(self, kind: Format, sink: "_Sink") -> None:
        options = {"flush_packets": "1", **dict(kind.options)}
        self._container = av.open(sink, "w", format=kind.container, options=options)
        stream = self._container.add_stream(kind.codec, rate=kind.rate_hz, layout="mono")
        self._stream = cast("av.AudioStream", stream)
        if kind.bit_rate:
            self._stream.bit_rate = kind.bit_rate

    def write(self, frame: "av.AudioFrame | None") -> None:
        if frame is not None:
            frame.pts = None  # the codec counts by itself
        for packet in self._stream.encode(frame):
            self._container.mux(packet)

    def close(self) -> None:
        self.write(None)
        self._container.close()


class _Sink:
    """A file that can only be written to, and emptied."""

    def __init__(self) -> None:
        self._content = bytearray()

    def write(self, content: bytes) -> int:
        self._content += content
        return len(content)

    def take(self) -> bytes:
        content = bytes(self._content)
        self._content.clear()
        return content


def wav_header(data_bytes: int) -> bytes:
    """For 16-bit mono at 24,000 Hz; more than fits in 32 bits is written as the longest there is."""
    riff_bytes = min(data_bytes + 36, _UNKNOWN_BYTES)
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", riff_bytes, b"WAVE", b"fmt ", 16, 1, 1, RATE_HZ, 2 * RATE_HZ, 2, 16, b"data",
        min(data_bytes, _UNKNOWN_BYTES),
    )  # fmt: skip


def whole(name: str, pcm: bytes, rate_hz: int, *, tempo: float = 1.0) -> bytes:
    """A finished recording as one file, which for WAV knows its length."""
    encoder = SoundEncoder("pcm" if name == "wav" else name, rate_hz, tempo=tempo)
    content = encoder.push(pcm) + encoder.finish()
    return wav_header(len(content)) + content if name == "wav" else content


def _graph(in_hz: int, out_hz: int, tempo: float) -> "av.filter.Graph":
    graph = av.filter.Graph()
    filters = [graph.add_abuffer(sample_rate=in_hz, format="s16", layout="mono")]
    filters += [graph.add("atempo", f"{step:.6f}") for step in _tempo_steps(tempo)]
    filters.append(graph.add("aformat", f"sample_fmts=s16:sample_rates={out_hz}:channel_layouts=mono"))
    filters.append(graph.add("abuffersink"))
    graph.link_nodes(*filters).configure()
    return graph


def _tempo_steps(tempo: float) -> Iterator[float]:
    while tempo < _LEAST_STEP:
        yield _LEAST_STEP
        tempo /= _LEAST_STEP
    if tempo != 1:
        yield tempo


def _pulled(graph: "av.filter.Graph") -> Iterator["av.AudioFrame"]:
    while True:
        try:
            frame = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        if isinstance(frame, av.AudioFrame):
            yield frame
