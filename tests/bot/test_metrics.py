"""Several processes' figures, added up by whichever is asked, as an operator's Prometheus reads them."""

import subprocess
import sys
from pathlib import Path

from bot.metrics import Metrics, forget_process

WORKER = """
import os, sys
from pathlib import Path
from bot.metrics import Metrics
metrics = Metrics(Path(sys.argv[1]))
metrics.live_calls.set(2)
metrics.processes.set(1)
metrics.webhooks.labels("twilio", "answered").inc(3)
print(os.getpid(), flush=True)
if len(sys.argv) > 2:
    sys.stdout.buffer.write(metrics.exposition())
"""


def work(folder: Path, *options: str) -> tuple[int, str]:
    """A process that counts three webhooks, has two live calls, and is then gone; its pid, and what it exposes."""
    done = subprocess.run(
        [sys.executable, "-c", WORKER, str(folder), *options],
        env={"PROMETHEUS_MULTIPROC_DIR": str(folder)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    pid, _, exposed = done.stdout.partition("\n")
    return int(pid), exposed


def test_whichever_process_is_asked_gives_the_figures_of_all(tmp_path: Path):
    work(tmp_path)
    _, exposed = work(tmp_path, "expose")
    assert 'offhook_webhooks_total{carrier="twilio",outcome="answered"} 6.0' in exposed
    assert "offhook_live_calls 4.0" in exposed
    assert "offhook_processes 2.0" in exposed


def test_a_dead_process_has_no_live_calls_and_what_it_counted_stays(tmp_path: Path):
    pid, _ = work(tmp_path)
    forget_process(tmp_path, pid)
    _, exposed = work(tmp_path, "expose")
    assert 'offhook_webhooks_total{carrier="twilio",outcome="answered"} 6.0' in exposed
    assert "offhook_live_calls 2.0" in exposed
    assert "offhook_processes 1.0" in exposed


def test_a_file_that_a_process_is_just_making_disturbs_nobody(tmp_path: Path):
    (tmp_path / "counter_1.db").touch()
    _, exposed = work(tmp_path, "expose")
    assert "offhook_live_calls 2.0" in exposed


def test_no_gauge_comes_apart_by_process(tmp_path: Path):
    _, exposed = work(tmp_path, "expose")
    assert "offhook_live_calls" in exposed
    assert "pid=" not in exposed
    gauges = [metric for metric in Metrics()._registry.collect() if metric.type == "gauge"]
    assert len(gauges) >= 2
