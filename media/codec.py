"""From an encoding to what reads and writes it: payloads on one side, 16-bit little-endian samples on the other."""

from collections.abc import Callable, Mapping

from media.frame import AudioFormat, Encoding
from media.g711 import decode_alaw, decode_ulaw, encode_alaw, encode_ulaw

_CODECS: Mapping[Encoding, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    Encoding.PCMU: (decode_ulaw, encode_ulaw),
    Encoding.PCMA: (decode_alaw, encode_alaw),
    Encoding.L16: (bytes, bytes),
}


def decoder(audio: AudioFormat) -> Callable[[bytes], bytes]:
    """From a payload to 16-bit linear samples."""
    return _CODECS[audio.encoding][0]


def encoder(audio: AudioFormat) -> Callable[[bytes], bytes]:
    """From 16-bit linear samples to a payload."""
    return _CODECS[audio.encoding][1]
