"""The bytes behind a token of a byte-level vocabulary (GPT-2's, which Whisper has).

Such a vocabulary is written with a printable letter for each of the 256 bytes: those that print stand for themselves,
the others for the letters from U+0100 on, in order (openai/gpt-2, `encoder.py`).
"""

_PRINTING = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAC + 1), *range(0xAE, 0xFF + 1)]
_OTHERS = [byte for byte in range(256) if byte not in _PRINTING]
_BYTES = {chr(byte): byte for byte in _PRINTING} | {chr(0x100 + place): byte for place, byte in enumerate(_OTHERS)}


def token_bytes(token: str) -> bytes:
    """What a token of the vocabulary stands for; one with letters of its own (`<|en|>`) stands for itself."""
    try:
        return bytes(_BYTES[letter] for letter in token)
    except KeyError:
        return token.encode()
