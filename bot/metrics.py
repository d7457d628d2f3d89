"""What Prometheus may know of the service; `/metrics` prints it. Names are listed in docs/operations.md.

Several processes that answer calls together keep their figures in files of one folder (prometheus_client's multiprocess
mode, which the foreman of bot/workers turns on), and whichever is asked adds them up. So what a process counted stays
counted when it dies: a total that went down would look like a restart, and be counted twice. Every gauge says how its
values are put together.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from bot.events import RateLimitsTold
from bot.runner import Summary
from bot.speech.prices import TOKEN_KINDS

_DELAYS_S = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0)
_DURATIONS_S = (5, 15, 30, 60, 120, 300, 600, 900, 1800)


class Metrics:
    def __init__(self, shared: Path | None = None) -> None:
        """`shared` is the folder of all processes' figures; without it they are this process's own."""
        self._shared = shared
        self._registry = CollectorRegistry()
        self.live_calls = Gauge(
            "offhook_live_calls", "Calls under way.", registry=self._registry, multiprocess_mode="livesum"
        )
        self.processes = Gauge(
            "offhook_processes", "Processes that answer calls.", registry=self._registry, multiprocess_mode="livesum"
        )
        self.webhooks = Counter(
            "offhook_webhooks_total",
            "Webhooks by outcome.",
            ["carrier", "outcome"],
            registry=self._registry,
        )
        self.sockets_refused = Counter(
            "offhook_media_sockets_refused_total", "Media sockets without a valid token.", registry=self._registry
        )
        self._calls = Counter("offhook_calls_total", "Calls that ended.", ["bot", "reason"], registry=self._registry)
        self._durations = Histogram(
            "offhook_call_seconds", "How long calls lasted.", ["bot"], buckets=_DURATIONS_S, registry=self._registry
        )
        self._delays = Histogram(
            "offhook_reply_delay_seconds",
            "From the caller's last sound to the reply's first one in the ear.",
            ["bot"],
            buckets=_DELAYS_S,
            registry=self._registry,
        )
        self._interruptions = Counter(
            "offhook_interruptions_total", "Replies that callers spoke over.", ["bot"], registry=self._registry
        )
        self._frames = Counter("offhook_frames_in_total", "Frames of callers' audio.", registry=self._registry)
        self._starved = Counter(
            "offhook_reply_gap_seconds_total", "Silence inside replies that came too late.", registry=self._registry
        )

        self._tokens = Counter(
            "offhook_model_tokens_total", "Tokens of models at servers.", ["bot", "kind"], registry=self._registry
        )
        self._cost = Counter(
            "offhook_model_cost_dollars_total",
            "What models at servers cost by the price table.",
            ["bot"],
            registry=self._registry,
        )
        self._rate_limits = Gauge(
            "offhook_rate_limit_share",
            "How much of an account's rate limit was left when a model last told.",
            ["model", "limit"],
            registry=self._registry,
            multiprocess_mode="mostrecent",
        )

    def rate_limits_told(self, told: RateLimitsTold) -> None:
        for limit, share in told.shares.items():
            self._rate_limits.labels(told.model, limit).set(share)

    def call_ended(self, bot: str, summary: Summary) -> None:
        self._calls.labels(bot, summary.reason.value).inc()
        self._durations.labels(bot).observe(summary.duration_ms / 1000)
        self._interruptions.labels(bot).inc(summary.interruptions)
        self._frames.inc(summary.counters.get("frames_in", 0))
        self._starved.inc(summary.counters.get("starved_ms", 0) / 1000)
        for kind in TOKEN_KINDS:
            if count := summary.counters.get(kind, 0):
                self._tokens.labels(bot, kind).inc(count)
        self._cost.labels(bot).inc(summary.counters.get("cost_microdollars", 0) / 1e6)
        for delay_ms in summary.reply_delays_ms:
            self._delays.labels(bot).observe(delay_ms / 1000)

    def exposition(self) -> bytes:
        return generate_latest(self._registry if self._shared is None else _Together(self._shared))


class _Together(Collector):
    """The figures of all processes, dead ones' totals included."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        # A file that another process is making in this moment is empty, which the library takes for damage.
        files = [entry.path for entry in os.scandir(self._folder) if entry.name.endswith(".db") and _size(entry)]
        metrics: Iterable[Metric] = MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]
        return sorted(metrics, key=lambda metric: metric.name)


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_size
    except FileNotFoundError:  # the live figures of a process that has just been forgotten
        return 0


def forget_process(folder: Path, pid: int) -> None:
    """A process has died: it has no live calls any more, while its totals stay."""
    mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
