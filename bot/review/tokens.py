"""Random secrets: what goes to a browser or a script, and the hash that we keep instead."""

import hashlib
import hmac
import secrets

from pybase64 import b64decode, urlsafe_b64encode

API_PREFIX = "offhook_"
"""How tokens for scripts begin, so that people and scanners know one when they see it."""
_BYTES = 32


def new_token(prefix: str = "") -> str:
    """256 random bits as text that fits into a cookie, a header or a URL."""
    return prefix + secrets.token_urlsafe(_BYTES)


def token_hash(token: str) -> str:
    """What the database keeps of a token. It need not be slow: nobody can guess 256 bits."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def password_mark(password_hash: str) -> str:
    """Tells one password from the next without giving the hash away."""
    return hashlib.sha256(b"mark " + password_hash.encode()).hexdigest()[:32]


def form_token(session_token: str) -> str:
    """What a form of this session carries, so that no other site can send it.

    Each is masked by random bytes of its own: a compressed page gives nothing away by its length (BREACH).
    """
    mask = secrets.token_bytes(_BYTES)
    return urlsafe_b64encode(mask + _xor(mask, _form_key(session_token))).decode()


def is_form_token(token: str, session_token: str) -> bool:
    try:
        both = b64decode(token.encode(), altchars=b"-_", validate=True)
    except ValueError:
        return False
    if len(both) != 2 * _BYTES:
        return False
    return hmac.compare_digest(_xor(both[:_BYTES], both[_BYTES:]), _form_key(session_token))


def _form_key(session_token: str) -> bytes:
    return hmac.digest(session_token.encode("utf-8", "surrogatepass"), b"offhook form", "sha256")


def _xor(mask: bytes, key: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(mask, key, strict=True))
