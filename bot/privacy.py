"""Telephone numbers as logs and terminals may show them: enough to tell two callers apart, not enough to call one."""

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "•••"
ANONYMOUS = frozenset(
    {"", "anonymous", "private", "restricted", "unavailable", "unknown", "blocked", "withheld", "no caller id"}
)
"""What carriers and SIP proxies say of a caller who hides: words, which give nothing away."""

_NUMBER = re.compile(r"\+?[0-9][0-9 ().\-]*")
_BRACKETED = re.compile(r"[^<]*<([^>]*)>.*", re.DOTALL)  # "Alice" <sip:alice@example.com>


def mask_number(number: str) -> str:
    """`+15550002222` → `+1555•••2222`, `sip:alice@example.com` → `sip:a•••@example.com`; anonymous words stay.

    Any text is taken, for anybody can put anything into a SIP header: of what is neither, the first letter is shown.
    """
    number = number.strip()
    if bracketed := _BRACKETED.fullmatch(number):
        number = bracketed[1].strip()
    if number.lower() in ANONYMOUS:
        return number
    scheme, colon, address = number.rpartition(":") if "@" not in number else number.partition(":")
    if colon and scheme.isalpha():  # sip:, sips:, tel:, client:, whatsapp:
        return scheme + colon + _mask_address(address)
    return _mask_address(number)


def _mask_address(address: str) -> str:
    user, at, host = address.partition("@")
    if user.lower() in ANONYMOUS:
        return user + at + _host(host)
    return _mask_user(user.partition(";")[0]) + at + _host(host)


def _mask_user(user: str) -> str:
    if not _NUMBER.fullmatch(user):
        return user[:1] + HIDDEN
    plus = "+" if user.startswith("+") else ""
    digits = re.sub(r"[^0-9]", "", user)
    # At least three digits stay hidden, of a short number (an extension, an emergency number) all or nearly all.
    head, tail = min(4, max(0, len(digits) - 7)), min(4, max(0, len(digits) - 4))
    return plus + digits[:head] + HIDDEN + digits[len(digits) - tail :]


def _host(host: str) -> str:
    """Without the parameters, which may repeat the number (`;phone-context=+1555…`)."""
    return re.split(r"[;?>]", host, maxsplit=1)[0]


def without_numbers(config: Mapping[str, Any]) -> dict[str, Any]:
    """What a call's bot ran with, for those who may not see numbers: where callers are put through to is masked."""
    transfers = config.get("transfers")
    if not isinstance(transfers, dict):
        return dict(config)
    masked = {
        name: {**to, "number": mask_number(str(to.get("number", "")))} if isinstance(to, dict) else to
        for name, to in transfers.items()
    }
    return {**config, "transfers": masked}
