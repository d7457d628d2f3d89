"""What is asked for to find when the words of a call were said. No I/O."""

from hashlib import blake2b
from pathlib import Path

import msgspec

from bot.analysis.call_words import Order, SaidTurn
from bot.calllog.detail import CallDetail
from bot.review.call.said import turns_said

_MANNER = b"1"  # changes when words are found in another way, so that those that were kept are found again


def order_of(detail: CallDetail, model: str) -> Order:
    """Of a call that is over and has a recording."""
    said = turns_said(detail.turns, detail.call.duration_ms or 0)
    return Order(
        recording=detail.recordings[0].path,
        model=model,
        language=str(detail.config.get("language") or "en"),
        turns=[
            SaidTurn(each.index, "caller" if each.role == "caller" else "bot", each.from_ms, each.to_ms, each.heard)
            for each in said
            if each.heard.strip()
        ],
    )


def digest(order: Order, size_bytes: int) -> str:
    """Changes with everything that the answer depends on; the recording may be moved."""
    moved = msgspec.structs.replace(order, recording=Path(order.recording).name)
    return blake2b(_MANNER + b"%d" % size_bytes + msgspec.json.encode(moved), digest_size=16).hexdigest()
