"""From one audio format to another, as a stream: decode, resample, encode; nothing at all where they are the same."""

from media.codec import decoder, encoder
from media.frame import AudioFormat
from media.resample import Resampler


class Transcoder:
    """Holds back only what the resampler does (`delay_ms`), and part of a sample where a piece ends within one."""

    def __init__(self, source: AudioFormat, target: AudioFormat) -> None:
        self._is_untouched = source == target
        self._decode, self._encode = decoder(source), encoder(target)
        self._resampler = Resampler(source.rate_hz, target.rate_hz)
        self._sample_bytes = source.bytes_per_sample
        self._split = b""  # the beginning of a sample whose rest is in the next piece
        self.delay_ms = 0.0 if self._is_untouched else self._resampler.delay_ms

    def push(self, payload: bytes) -> bytes:
        """The next piece of the stream, which may end within a sample."""
        if self._is_untouched and self._sample_bytes == 1:
            return payload
        if self._split or len(payload) % self._sample_bytes:
            payload = self._split + payload
            whole = len(payload) - len(payload) % self._sample_bytes
            payload, self._split = payload[:whole], payload[whole:]
        if self._is_untouched:
            return payload
        return self._encode(self._resampler.push(self._decode(payload)))

    def push_linear(self, pcm: bytes) -> bytes:
        """The same for whole samples that were decoded before: 16-bit linear at the source's rate."""
        return self._encode(self._resampler.push(pcm))

    def flush(self) -> bytes:
        """The last of the sound; afterwards the transcoder is as new."""
        self._split = b""
        return b"" if self._is_untouched else self._encode(self._resampler.flush())

    def reset(self) -> None:
        """Forget the sound so far."""
        self._split = b""
        self._resampler.reset()
