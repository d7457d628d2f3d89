"""Whether a request was made by one of our own pages, as far as the browser says.

`Sec-Fetch-Site` is the browser's own word and cannot be forged by a page (W3C Fetch Metadata); browsers from before
2023 send `Origin` at least. A request with neither comes from no browser, and so brings nobody's cookies along unasked.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def is_from_elsewhere(headers: Mapping[str, str], public_url: str) -> bool:
    """Whether another site made the browser send this; `public_url` is how we are reached, if not by `Host`."""
    site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
    if site is not None and site not in ("same-origin", "none"):
        return True
    if origin is None or site is not None:
        return False
    ours = {headers.get("Host", "").lower(), urlsplit(public_url).netloc.lower()}
    return urlsplit(origin).netloc.lower() not in ours - {""}


def must_be_checked(method: str, headers: Mapping[str, str]) -> bool:
    """Whatever changes something, and sockets: a browser opens those for any page, with our cookies."""
    return method not in SAFE_METHODS or headers.get("Upgrade", "").lower() == "websocket"
