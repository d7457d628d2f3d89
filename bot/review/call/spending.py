"""What a call cost: tokens by kind and money, for each model that was asked, and all together."""

from collections import Counter
from collections.abc import Iterable

import msgspec

from bot.calllog.records import TimelineEvent

_NO_TOKENS = frozenset({"model", "cost_usd"})


class ModelSpending(msgspec.Struct, frozen=True, kw_only=True):
    model: str
    requests: int
    tokens: dict[str, int]  # by kind: audio_in, text_out, …; kinds of which there were none are left out
    microdollars: float


class Spending(msgspec.Struct, frozen=True, kw_only=True):
    models: list[ModelSpending]
    tokens: int
    microdollars: float


def spending_of(events: Iterable[TimelineEvent]) -> Spending:
    """The dearest model first."""
    tokens: dict[str, Counter[str]] = {}
    dollars: Counter[str] = Counter()
    requests: Counter[str] = Counter()
    for event in events:
        if event.kind != "tokens_used":
            continue
        model = str(event.data.get("model", ""))
        counted = {kind: n for kind, n in event.data.items() if kind not in _NO_TOKENS and isinstance(n, int)}
        tokens.setdefault(model, Counter()).update(counted)
        requests[model] += 1
        cost = event.data.get("cost_usd")
        dollars[model] += cost if isinstance(cost, int | float) else 0  # type: ignore[assignment]
    models = [
        ModelSpending(
            model=model,
            requests=requests[model],
            tokens={kind: n for kind, n in counted.items() if n},
            microdollars=dollars[model] * 1e6,
        )
        for model, counted in tokens.items()
    ]
    models.sort(key=lambda each: (-each.microdollars, each.model))
    return Spending(
        models=models,
        tokens=sum(sum(each.tokens.values()) for each in models),
        microdollars=sum(each.microdollars for each in models),
    )
