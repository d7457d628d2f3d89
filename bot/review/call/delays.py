"""Where the time before each reply went: its parts and their sum, the slowest one marked."""

from collections.abc import Sequence

import msgspec

from bot.calllog.records import TurnRecord

PARTS = ("endpointing", "transcription", "response", "synthesis", "rest")
MOST_SHOWN = 200


class Part(msgspec.Struct, frozen=True):
    """`from_ms` counts from the caller's last sound; `ms` is None where nobody measured it."""

    name: str
    from_ms: int
    ms: int | None


class Delay(msgspec.Struct, frozen=True, kw_only=True):
    """One reply: from the caller's last sound to the reply's first in the ear."""

    index: int
    at_ms: int
    sum_ms: int
    parts: list[Part]
    words: str
    is_slowest: bool = False


class Delays(msgspec.Struct, frozen=True, kw_only=True):
    """The replies in their order, or the slowest of them where there are very many."""

    shown: list[Delay]
    count: int
    scale_ms: int  # as long as the longest bar
    names: list[str]  # of the parts that were measured in this call


def delays_of(turns: Sequence[TurnRecord]) -> Delays:
    waited = [_delay(turn, turn.reply_ms) for turn in turns if turn.reply_ms is not None]
    slowest = sorted(waited, key=lambda delay: -delay.sum_ms)[:MOST_SHOWN]
    shown = sorted(slowest, key=lambda delay: delay.at_ms)
    if len(shown) > 1:
        shown = [msgspec.structs.replace(delay, is_slowest=delay is slowest[0]) for delay in shown]
    names = [name for at, name in enumerate(PARTS) if any(delay.parts[at].ms for delay in shown)]
    return Delays(
        shown=shown, count=len(waited), scale_ms=max((delay.sum_ms for delay in slowest), default=0) or 1, names=names
    )


def _delay(turn: TurnRecord, sum_ms: int) -> Delay:
    measured = [turn.endpointing_ms, turn.transcription_ms, turn.response_ms, turn.synthesis_ms]
    rest_ms = max(0, sum_ms - sum(ms or 0 for ms in measured))
    parts, at_ms = [], 0
    for name, ms in zip(PARTS, [*measured, rest_ms], strict=True):
        shown_ms = None if ms is None else min(ms, sum_ms - at_ms)  # parts that overlap are no longer than the whole
        parts.append(Part(name, at_ms, shown_ms))
        at_ms += shown_ms or 0
    words = turn.text if turn.heard_text is None else turn.heard_text or turn.text
    return Delay(index=turn.index, at_ms=turn.started_ms, sum_ms=sum_ms, parts=parts, words=words[:120])
