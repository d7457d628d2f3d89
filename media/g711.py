"""ITU-T G.711: mu-law and A-law, to and from 16-bit little-endian linear samples.

`audioop` does the work: the standard library's up to Python 3.12, the package audioop-lts from 3.13 on; both give
the same bytes. Decoding equals the ITU's reference for all 256 codes; encoding is within one code step of it,
since the standard is written for 14 and 13 bits and rounds 508 mu-law values differently.
"""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # 3.11 and 3.12 announce that it leaves the standard library
    import audioop

_WIDTH = 2


def decode_ulaw(payload: bytes) -> bytes:
    """PCMU, one byte a sample, as 16-bit linear: twice as many bytes."""
    return audioop.ulaw2lin(payload, _WIDTH)


def encode_ulaw(pcm: bytes) -> bytes:
    """16-bit linear as PCMU; of the two codes for zero the positive one (0xFF) is written."""
    return audioop.lin2ulaw(pcm, _WIDTH)


def decode_alaw(payload: bytes) -> bytes:
    """PCMA, one byte a sample with its even bits inverted as on a line, as 16-bit linear: twice as many bytes."""
    return audioop.alaw2lin(payload, _WIDTH)


def encode_alaw(pcm: bytes) -> bytes:
    """16-bit linear as PCMA, even bits inverted as on a line."""
    return audioop.lin2alaw(pcm, _WIDTH)
