"""What Prometheus may know of this process; `/metrics` prints it. Names are listed in docs/operations.md."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bot.runner import Summary

_DELAYS_S = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0)
_DURATIONS_S = (5, 15, 30, 60, 120, 300, 600, 900, 1800)


class Metrics:
    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.live_calls = Gauge("offhook_live_calls", "Calls under way.", registry=self._registry)
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

    def call_ended(self, bot: str, summary: Summary) -> None:
        self._calls.labels(bot, summary.reason.value).inc()
        self._durations.labels(bot).observe(summary.duration_ms / 1000)
        self._interruptions.labels(bot).inc(summary.interruptions)
        self._frames.inc(summary.counters.get("frames_in", 0))
        self._starved.inc(summary.counters.get("starved_ms", 0) / 1000)
        for delay_ms in summary.reply_delays_ms:
            self._delays.labels(bot).observe(delay_ms / 1000)

    def exposition(self) -> bytes:
        return generate_latest(self._registry)
