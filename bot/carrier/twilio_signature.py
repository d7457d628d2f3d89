"""How Twilio signs a request, and how its own SDKs are lenient about the URL.

The signed text is the full URL, followed for a form by each name and value, names and the values of one name sorted.
What Twilio puts into the URL is not always what reaches us: the port comes and goes, and some of its senders re-encode
the query. So several spellings of one URL are tried; none of them names another request.
https://www.twilio.com/docs/usage/webhooks/webhooks-security

Nothing here decides which key belongs to whom; it signs and compares.
"""

import hmac
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, quote, urlsplit

HEADER = "X-Twilio-Signature"
SETTINGS_HEADER = "X-Twilio-Webhooks-Signature-Settings"

Digest = Literal["sha1", "sha256"]
Form = Sequence[tuple[str, str]]

_STANDARD_PORT = {"https": 443, "wss": 443, "http": 80, "ws": 80}
_UNESCAPED_BY_QUERYSTRING = "!'()*~-._"  # Node's querystring.stringify, which older senders use


def sign(key: str, url: str, form: Form = (), digest: Digest = "sha1") -> str:
    """The signature of a request, base64: SHA-1 with an auth token, SHA-256 with a shared key."""
    # A name that repeats counts once for each different value.
    fields = "".join(name + value for name, value in sorted(set(form)))
    return b64encode(hmac.digest(key.encode(), (url + fields).encode(), digest)).decode()


def is_signed(keys: Iterable[str], signature: str, url: str, form: Form = (), digest: Digest = "sha1") -> bool:
    """Whether one of the keys made the signature over one spelling of the URL, in a time that does not tell which."""
    given = signature.encode(errors="replace")
    spellings = list(spellings_of(url))
    matches = [
        hmac.compare_digest(sign(key, spelling, form, digest).encode(), given) for key in keys for spelling in spellings
    ]
    return any(matches)


def body_matches(url: str, body: bytes) -> bool:
    """Whether a body that is no form is the one whose hash the (signed) URL carries as `bodySHA256`."""
    stated = dict(parse_qsl(urlsplit(url).query)).get("bodySHA256", "")
    return hmac.compare_digest(sha256(body).hexdigest().encode(), stated.encode(errors="replace"))


def spellings_of(url: str) -> Iterator[str]:
    """The URL as it came and as Twilio may have written it: port left out or put in, query encoded another way."""
    base, mark, query = url.partition("?")
    for spelt_base in dict.fromkeys((base, *_port_spellings(base))):
        for spelt_query in dict.fromkeys((query, *_query_spellings(query))):
            yield spelt_base + mark + spelt_query


def _port_spellings(base: str) -> Iterator[str]:
    parts = urlsplit(base)
    host = _without_port(parts)
    yield _with_netloc(base, parts, host)
    if host == parts.netloc and parts.scheme in _STANDARD_PORT:
        yield _with_netloc(base, parts, f"{host}:{_STANDARD_PORT[parts.scheme]}")


def _without_port(parts: SplitResult) -> str:
    userinfo, at, host = parts.netloc.rpartition("@")
    name, colon, port = host.rpartition(":")
    # An IPv6 host ends with its bracket unless a port follows.
    return userinfo + at + (name if colon and port.isdigit() else host)


def _with_netloc(base: str, parts: SplitResult, netloc: str) -> str:
    return base.replace(f"//{parts.netloc}", f"//{netloc}", 1)


def _query_spellings(query: str) -> Iterator[str]:
    yield query.replace("'", "%27")  # as a WHATWG URL parser serialises it
    fields = parse_qsl(query, keep_blank_values=True)
    yield "&".join(f"{_querystring(name)}={_querystring(value)}" for name, value in fields)


def _querystring(text: str) -> str:
    return quote(text, safe=_UNESCAPED_BY_QUERYSTRING)
