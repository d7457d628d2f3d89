"""What calls are called: when they came, which process has them, and chance. Names sort by time."""

import secrets
from datetime import datetime


def new_call_id(now: datetime, issuer: int) -> str:
    """`now` in UTC; `issuer` is the number of the process, as in tickets."""
    return f"{now:%Y%m%dT%H%M%S}-{issuer}-{secrets.token_hex(4)}"


def issuer_of_call(call_id: str) -> int | None:
    """The process that has, or had, a call; None for a name that says nothing of it."""
    _, _, rest = call_id.partition("-")
    number, dash, _ = rest.partition("-")
    return int(number) if dash and number.isascii() and number.isdigit() and len(number) < 6 else None
