"""What the bytes of a payload mean: encoding, rate, and the sums between samples, bytes and milliseconds.

Every stream in Offhook is mono. Telephone audio is 8,000 samples a second, one byte each (PCMU, PCMA: ITU-T G.711);
linear audio (L16) is 16-bit little-endian. A frame covers one ptime, 20 ms unless a carrier says otherwise.
"""

from dataclasses import dataclass
from enum import Enum

PTIME_MS = 20


class Encoding(Enum):
    """How one sample is written (names as in RFC 3551, section 6)."""

    PCMU = "pcmu"
    PCMA = "pcma"
    L16 = "l16"


_SILENCE = {Encoding.PCMU: b"\xff", Encoding.PCMA: b"\xd5", Encoding.L16: b"\x00\x00"}


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """One mono stream: its encoding, and its rate in samples per second."""

    encoding: Encoding
    rate_hz: int

    @property
    def bytes_per_sample(self) -> int:
        return 2 if self.encoding is Encoding.L16 else 1

    @property
    def bytes_per_second(self) -> int:
        return self.rate_hz * self.bytes_per_sample

    def ms(self, payload_bytes: int) -> float:
        """How long so many bytes sound, in milliseconds."""
        return payload_bytes * 1000 / self.bytes_per_second

    def payload_bytes(self, ms: float) -> int:
        """How many bytes sound so long: whole samples, rounded down."""
        return int(ms * self.rate_hz / 1000) * self.bytes_per_sample

    def silence(self, ms: float) -> bytes:
        """A payload of digital silence (PCMU 0xFF, PCMA 0xD5, L16 0)."""
        return _SILENCE[self.encoding] * (self.payload_bytes(ms) // self.bytes_per_sample)


PCMU_8K = AudioFormat(Encoding.PCMU, 8000)
PCMA_8K = AudioFormat(Encoding.PCMA, 8000)
L16_8K = AudioFormat(Encoding.L16, 8000)
L16_16K = AudioFormat(Encoding.L16, 16000)
L16_24K = AudioFormat(Encoding.L16, 24000)
